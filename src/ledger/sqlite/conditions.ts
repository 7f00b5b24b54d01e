/**
 * The conditions of the writes, as in `dynamodb/conditions.ts`. Each is evaluated on the row as it
 * is inside the write transaction.
 */
import type { ImageStatus, LedgerEntry, Publication, UploadId } from '../ledger.ts';

type Recorded = LedgerEntry | undefined;

/**
 * Statuses that are not final. Failures count: a redriven execution may continue before its status
 * event arrives.
 */
const open: ReadonlySet<ImageStatus> = new Set(['CLAIMED', 'PROCESSING', 'FAILED', 'ABORTED', 'TIMED_OUT']);
const waitsForRedrive: ReadonlySet<ImageStatus> = new Set(['FAILED', 'ABORTED', 'TIMED_OUT']);

const isSameUpload = (entry: Recorded, { sequence }: UploadId): entry is LedgerEntry => entry?.sequence === sequence;

/** After a crash between claim and start, the redelivered event must be granted the claim again. */
export const mayClaim = (entry: Recorded, upload: UploadId): boolean =>
  entry === undefined || entry.sequence < upload.sequence || mayStart(entry, upload);

export const mayStart = (entry: Recorded, upload: UploadId): boolean =>
  isSameUpload(entry, upload) && entry.status === 'CLAIMED';

export const mayNoteExecution = (entry: Recorded, upload: UploadId): boolean =>
  isSameUpload(entry, upload) && entry.executionArn === undefined;

export const mayProceed = (entry: Recorded, upload: UploadId): boolean =>
  isSameUpload(entry, upload) && open.has(entry.status);

/**
 * A redrive with corrected code may publish another file. Publishing the same file again changes
 * nothing.
 */
export const mayPublish = (entry: Recorded, upload: UploadId, publication: Publication): boolean =>
  mayProceed(entry, upload) || (isPublished(entry, upload) && !isSameFile(entry?.published, publication));

export const isPublished = (entry: Recorded, upload: UploadId): boolean =>
  isSameUpload(entry, upload) && entry.status === 'PUBLISHED';

export const mayResume = (entry: Recorded, upload: UploadId): boolean =>
  isSameUpload(entry, upload) && waitsForRedrive.has(entry.status);

function isSameFile(recorded: Publication | undefined, { bucket, key, etag }: Publication): boolean {
  return recorded?.bucket === bucket && recorded.key === key && recorded.etag === etag;
}
