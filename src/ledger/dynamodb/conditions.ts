/**
 * What must be true of an item for a write to happen, each clause by name. DynamoDB evaluates the whole condition and
 * the write as one, which is all the locking there is.
 *
 * `#name` stands for the attribute of that name, `:STATUS` for that status, and any other `:value` is given by the write.
 *
 *   upload 1   claim ── started ── recordMetadata ────────────────────────────✗ published     (newerUpload won the row)
 *   upload 2                                       claim ── started ── … ── published
 */
/** AND binds closer than OR: alternatives of clauses need no parentheses, which the local DynamoDB is slow to parse. */
const any = (...alternatives: string[]): string => alternatives.join(' OR ');
const all = (...clauses: string[]): string => clauses.join(' AND ');

const neverSeen = 'attribute_not_exists(#imageId)';
const newerUpload = '#sequence < :sequence';
const sameUpload = '#sequence = :sequence';
const neverStarted = '#status = :CLAIMED';
const waitsForRedrive = '#status IN (:FAILED, :ABORTED, :TIMED_OUT)';
/** Not final. A redrive may carry on before anyone told the ledger of it, so failures count as open. */
const open = '#status IN (:CLAIMED, :PROCESSING, :FAILED, :ABORTED, :TIMED_OUT)';
const executionUnknown = 'attribute_not_exists(#executionArn)';

/** A crash between claim and start leaves a claim that the redelivered event must be able to take up. */
const claimedButNeverStarted = all(sameUpload, neverStarted);

/** The same file again changes nothing; another one (a redrive with repaired code) is what readers now see. */
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
