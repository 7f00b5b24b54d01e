/** Published images in the index `images_by_publication`, which has all that a search reads. */
import type { Database, Row } from '../../database/database.ts';
import type { LedgerEntry, PublishedPage, PublishedQuery } from '../ledger.ts';
import { pageToken, readPageToken } from '../page-token.ts';
import { searchKey } from '../search.ts';

/** Sorts after every ISO 8601 date. */
const END_OF_TIME = '~';

/** The inner query reads the index only, and the outer one the rows that it found. */
export const publishedPageSql = `
  SELECT image_id, bucket, key, status, sequence, updated_at, details FROM images
  WHERE image_id IN (
    SELECT image_id FROM images
    WHERE published_bucket = :bucket AND (published_at, image_id) < (:publishedAt, :imageId)
      AND NOT EXISTS (SELECT 1 FROM json_each(:words) AS word WHERE instr(search_key, word.value) = 0)
    ORDER BY published_at DESC, image_id DESC LIMIT :rows)
  ORDER BY published_at DESC, image_id DESC`;

/** Values of the columns `published_bucket`, `published_at` and `search_key`. */
export function publishedColumns({ published, publishedAt }: LedgerEntry): (string | null)[] {
  if (!published || publishedAt === undefined) return [null, null, null];
  return [published.bucket, publishedAt, searchKey(published.key)];
}

/** See `Ledger.listPublished`. */
export function selectPublished(
  database: Database,
  bucket: string,
  { limit, after, words = [] }: PublishedQuery,
  entryOf: (row: Row) => LedgerEntry,
): PublishedPage {
  const { publishedAt, imageId } =
    after === undefined ? { publishedAt: END_OF_TIME, imageId: '' } : readPageToken(after);
  const values = { bucket, publishedAt, imageId, words: JSON.stringify(words), rows: limit + 1 };
  const found = database.all(publishedPageSql, values).map(entryOf);
  const entries = found.slice(0, limit);
  const last = entries.at(-1);
  if (found.length <= limit || last?.publishedAt === undefined) return { entries };
  return { entries, next: pageToken({ publishedAt: last.publishedAt, imageId: last.imageId }) };
}
