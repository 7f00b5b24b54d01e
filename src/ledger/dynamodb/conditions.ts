/**
 * The conditions of the writes, each clause by name. DynamoDB evaluates a condition and its write atomically; there is
 * no other locking. `sqlite/conditions.ts` states the same conditions for SQLite.
 *
 * `#name` stands for the attribute of that name, `:STATUS` for that status, and any other `:value` is given by the write.
 *
 *   upload 1   claim ── started ── recordMetadata ────────────────────────────✗ published     (newerUpload replaced it)
 *   upload 2                                       claim ── started ── … ── published
 */
/** AND binds closer than OR, so alternatives of clauses need no parentheses. */
const any = (...alternatives: string[]): string => alternatives.join(' OR ');
const all = (...clauses: string[]): string => clauses.join(' AND ');

const neverSeen = 'attribute_not_exists(#imageId)';
const newerUpload = '#sequence < :sequence';
const sameUpload = '#sequence = :sequence';
const neverStarted = '#status = :CLAIMED';
const waitsForRedrive = '#status IN (:FAILED, :ABORTED, :TIMED_OUT)';
/** Not final. A redriven execution may continue before its status event arrives, so failures count as open. */
const open = '#status IN (:CLAIMED, :PROCESSING, :FAILED, :ABORTED, :TIMED_OUT)';
const executionUnknown = 'attribute_not_exists(#executionArn)';

/** A crash between claim and start leaves a claim that the redelivered event must be granted again. */
const claimedButNeverStarted = all(sameUpload, neverStarted);

/** Publishing the same file again changes nothing. A redrive with repaired code may publish another file. */
const publishedAnotherFile = [
  '#published.#bucket <> :targetBucket',
  '#published.#key <> :targetKey',
  '#published.#etag <> :targetEtag',
].map((differs) => all(sameUpload, '#status = :PUBLISHED', differs));

export const mayClaim = any(neverSeen, newerUpload, claimedButNeverStarted);
export const mayStart = all(sameUpload, neverStarted);
export const mayNoteExecution = all(sameUpload, executionUnknown);
export const mayProceed = all(sameUpload, open);
export const mayPublish = any(all(sameUpload, open), ...publishedAnotherFile);
export const isPublished = all(sameUpload, '#status = :PUBLISHED');
export const mayResume = all(sameUpload, waitsForRedrive);

const ownTarget = '#ownerImageId = :ownerImageId';

export const mayReserve = any(neverSeen, ownTarget);
export const mayRelease = ownTarget;
