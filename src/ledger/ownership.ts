import { SourceChangedError } from '../errors.ts';
import type { LedgerEntry, UploadId } from './ledger.ts';

/**
 * Throws SourceChangedError unless the entry is of this upload and is neither SUPERSEDED nor
 * REJECTED.
 */
export function assertOwns(upload: UploadId, entry: LedgerEntry | undefined): void {
  const owns = entry?.sequence === upload.sequence && entry.status !== 'SUPERSEDED' && entry.status !== 'REJECTED';
  if (owns) return;
  const found = entry ? `sequence ${entry.sequence}, ${entry.status}` : 'no entry';
  throw new SourceChangedError(
    `Expected sequence ${upload.sequence} to own image ${upload.imageId} but received ${found}`,
  );
}

/** Whether the image of an entry is public under a key. */
export function isPublishedAs({ published }: LedgerEntry, bucket: string, key: string): boolean {
  return published?.bucket === bucket && published.key === key;
}
