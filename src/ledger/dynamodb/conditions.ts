/**
 * The conditions of the writes, composed of named clauses. DynamoDB evaluates a condition and its
 * write atomically; there is no other locking. `sqlite/conditions.ts` states the same conditions
 * for SQLite.
 *
 * `#name` is the attribute of that name, `:STATUS` is that status, and every other `:value` is
 * passed with the write.
 *
 *   upload 1   claim ── started ── recordMetadata ─────────────────✗ published  (newer upload)
 *   upload 2                          claim ── started ── … ── published
 */
/** AND binds closer than OR, so alternatives of clauses need no parentheses. */
const any = (...alternatives: string[]): string => alternatives.join(' OR ');
const all = (...clauses: string[]): string => clauses.join(' AND ');

const neverSeen = 'attribute_not_exists(#imageId)';
const newerUpload = '#sequence < :sequence';
const sameUpload = '#sequence = :sequence';
const neverStarted = '#status = :CLAIMED';
const waitsForRedrive = '#status IN (:FAILED, :ABORTED, :TIMED_OUT)';
/**
 * Statuses that are not final. Failures count: a redriven execution may continue before its status
 * event arrives.
 */
const open = '#status IN (:CLAIMED, :PROCESSING, :FAILED, :ABORTED, :TIMED_OUT)';
const executionUnknown = 'attribute_not_exists(#executionArn)';

/** After a crash between claim and start, the redelivered event must be granted the claim again. */
const claimedButNeverStarted = all(sameUpload, neverStarted);

/**
 * A redrive with corrected code may publish another file. Publishing the same file again changes
 * nothing.
 */
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

const reservedByEarlierVersion = 'attribute_not_exists(#ownerSequence)';
const notReservedByNewerUpload = '#ownerSequence <= :ownerSequence';
const ownAndNotNewer = [reservedByEarlierVersion, notReservedByNewerUpload].map((clause) => all(ownTarget, clause));

export const mayReserve = any(neverSeen, ...ownAndNotNewer);
export const mayRelease = any(...ownAndNotNewer);
