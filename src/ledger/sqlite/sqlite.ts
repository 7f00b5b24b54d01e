/**
 * The ledger in the workspace's SQLite file. Every write reads the row, evaluates its condition and
 * writes the row in one write transaction, so it is atomic among the processes that share the file.
 */
import { z } from 'zod';
import type { Database, Row } from '../../database/database.ts';
import { type Claim, type ImageStatus, type Ledger, LedgerEntry, type UploadId } from '../ledger.ts';
import { assertOwns, isPublishedAs } from '../ownership.ts';
import * as conditions from './conditions.ts';
import { publishedColumns, selectPublished } from './published.ts';

/** Number of entries that `listByStatus` reads per page. */
const PAGE_ROWS = 500;

const columns = 'image_id, bucket, key, status, sequence, updated_at, details';
const indexedColumns = 'published_bucket, published_at, search_key';
const sql = {
  find: `SELECT ${columns} FROM images WHERE image_id = ?`,
  put: `INSERT OR REPLACE INTO images (${columns}, ${indexedColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  page: `
    SELECT ${columns} FROM images
    WHERE status = :status AND updated_at < :to AND (updated_at, image_id) > (:updatedAt, :imageId)
    ORDER BY updated_at, image_id LIMIT ${PAGE_ROWS}`,
  reserve: `
    INSERT INTO targets (bucket, key, owner_image_id, owner_bucket, owner_key, owner_sequence)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (bucket, key) DO UPDATE SET owner_sequence = max(owner_sequence, excluded.owner_sequence)
    WHERE owner_image_id = excluded.owner_image_id`,
  owner: 'SELECT owner_image_id, owner_bucket, owner_key FROM targets WHERE bucket = ? AND key = ?',
  release: 'DELETE FROM targets WHERE bucket = ? AND key = ? AND owner_image_id = ? AND owner_sequence <= ?',
};
/** Sorts after every ISO 8601 date. */
const END_OF_TIME = '~';

/** The Ledger in a database that has the tables of `ledgerMigrations`. */
export function sqliteLedger({ database, clock }: { database: Database; clock: () => Date }): Ledger {
  const find = (imageId: string): LedgerEntry | undefined => {
    const row = database.get(sql.find, [imageId]);
    return row && entryOf(row);
  };

  const findPublished = (bucket: string, key: string): LedgerEntry | undefined => {
    const row = database.get(sql.owner, [bucket, key]);
    const entry = row && find(TargetRow.parse(row).owner_image_id);
    return entry && isPublishedAs(entry, bucket, key) ? entry : undefined;
  };

  /**
   * Replaces fields of an entry when the condition holds. Returns whether it held. Undefined fields
   * are removed.
   */
  const change: Change = (upload, condition, fields) => {
    const entry = find(upload.imageId);
    if (!condition(entry, upload)) return false;
    database.run(sql.put, rowOf(LedgerEntry.parse({ ...entry, ...fields })));
    return true;
  };

  /** Changes the status and `updatedAt`. */
  const move = (status: ImageStatus, ...[upload, condition, fields]: Parameters<Change>): boolean =>
    change(upload, condition, { ...fields, status, updatedAt: clock().toISOString() });

  const write = <Result>(work: () => Result): Promise<Result> => promised(() => database.transaction(work));

  return {
    claim: (claim) =>
      write(() => {
        const entry = find(claim.imageId);
        if (entry && !conditions.mayClaim(entry, claim)) return { claimed: false, entry };
        move('CLAIMED', claim, conditions.mayClaim, claimFields(claim));
        return { claimed: true };
      }),

    started: (upload, executionArn) =>
      write(() => {
        const started = move('PROCESSING', upload, conditions.mayStart, { executionArn });
        // A step or a status event has already set the status; only the execution is missing.
        if (!started) change(upload, conditions.mayNoteExecution, { executionArn });
      }),

    recordMetadata: (upload, metadata) =>
      write(() => {
        const recorded = move('PROCESSING', upload, conditions.mayProceed, { metadata, failure: undefined });
        if (!recorded) assertOwns(upload, find(upload.imageId));
      }),

    published: (upload, publication) =>
      write(() => {
        const mayPublish = (entry: LedgerEntry | undefined): boolean =>
          conditions.mayPublish(entry, upload, publication);
        // The recorded sidecar belongs to the previous file.
        const fields = {
          published: publication,
          publishedAt: clock().toISOString(),
          failure: undefined,
          sidecar: undefined,
        };
        if (!move('PUBLISHED', upload, mayPublish, fields)) assertOwns(upload, find(upload.imageId));
      }),

    sidecarPublished: (upload, sidecar) =>
      write(() => {
        change(upload, conditions.isPublished, { sidecar });
      }),

    outputsPublished: (upload, outputs) =>
      write(() => {
        change(upload, conditions.isPublished, { outputs });
      }),

    divided: (upload, pages) =>
      write(() => {
        const divided = move('DIVIDED', upload, conditions.mayProceed, { pages, failure: undefined });
        if (!divided) assertOwns(upload, find(upload.imageId));
      }),

    rejected: (upload, { code, detail }) =>
      write(() => {
        move('REJECTED', upload, conditions.mayProceed, { rejection: { code, detail }, failure: undefined });
      }),

    superseded: (upload) =>
      write(() => {
        move('SUPERSEDED', upload, conditions.mayProceed, { failure: undefined });
      }),

    ended: (upload, status, { error, cause }) =>
      write(() => {
        move(status, upload, conditions.mayProceed, { failure: { error, cause } });
      }),

    resumed: (upload) =>
      write(() => {
        move('PROCESSING', upload, conditions.mayResume, { failure: undefined });
      }),

    assertCurrent: (upload) =>
      promised(() => {
        assertOwns(upload, find(upload.imageId));
      }),

    get: (imageId) => promised(() => find(imageId)),

    ...targets(database),

    listByStatus: (status, range) => list(database, status, range),

    listPublished: (bucket, query) => promised(() => selectPublished(database, bucket, query, entryOf)),

    findPublished: (bucket, key) => promised(() => findPublished(bucket, key)),

    findAllPublished: (bucket, keys) =>
      promised(
        () =>
          new Map(
            keys.flatMap((key) => {
              const entry = findPublished(bucket, key);
              return entry ? [[key, entry] as const] : [];
            }),
          ),
      ),
  };
}

type Change = (
  upload: UploadId,
  condition: (entry: LedgerEntry | undefined, upload: UploadId) => boolean,
  fields: Partial<LedgerEntry>,
) => boolean;

/** Runs `work` synchronously. Rejects with the error that it throws. */
function promised<Result>(work: () => Result): Promise<Result> {
  return new Promise((resolve) => {
    resolve(work());
  });
}

/**
 * The fields of a claim. All fields of an older upload are replaced or removed, except `published`,
 * `sidecar` and `outputs`: the public files of the older upload remain until this upload's replace
 * them.
 */
function claimFields({ imageId, sequence, bucket, key, etag, recipe, page }: Claim): Partial<LedgerEntry> {
  const removed = {
    executionArn: undefined,
    pages: undefined,
    metadata: undefined,
    rejection: undefined,
    failure: undefined,
  };
  return { imageId, sequence, bucket, key, etag, recipe, page, ...removed };
}

function targets(database: Database): Pick<Ledger, 'reserveTarget' | 'releaseTarget'> {
  return {
    reserveTarget: (bucket, key, owner) =>
      promised(() =>
        database.transaction(() => {
          database.run(sql.reserve, [bucket, key, owner.imageId, owner.bucket, owner.key, owner.sequence]);
          const row = TargetRow.parse(database.get(sql.owner, [bucket, key]));
          const { owner_image_id: id, owner_bucket, owner_key } = row;
          return id === owner.imageId ? undefined : { imageId: id, bucket: owner_bucket, key: owner_key };
        }),
      ),
    releaseTarget: (bucket, key, { imageId, sequence }) =>
      promised(() => {
        database.run(sql.release, [bucket, key, imageId, sequence]);
      }),
  };
}

async function* list(
  database: Database,
  status: ImageStatus,
  { from = '', to = END_OF_TIME }: { from?: string | undefined; to?: string | undefined } = {},
): AsyncGenerator<LedgerEntry> {
  // Row values are compared column by column, so entries with updated_at = from are included.
  let last = { updatedAt: from, imageId: '' };
  for (;;) {
    const rows = await promised(() => database.all(sql.page, { status, to, ...last }));
    for (const row of rows) {
      const entry = entryOf(row);
      yield entry;
      last = { updatedAt: entry.updatedAt, imageId: entry.imageId };
    }
    if (rows.length < PAGE_ROWS) return;
  }
}

const ImageRow = z.object({
  image_id: z.string(),
  bucket: z.string(),
  key: z.string(),
  status: z.string(),
  sequence: z.string(),
  updated_at: z.string(),
  details: z.string(),
});
const TargetRow = z.object({ owner_image_id: z.string(), owner_bucket: z.string(), owner_key: z.string() });

function entryOf(row: Row): LedgerEntry {
  const { image_id, updated_at, details, ...same } = ImageRow.parse(row);
  return LedgerEntry.parse({ ...(JSON.parse(details) as object), ...same, imageId: image_id, updatedAt: updated_at });
}

function rowOf(entry: LedgerEntry): (string | null)[] {
  const { imageId, bucket, key, status, sequence, updatedAt, ...details } = entry;
  return [imageId, bucket, key, status, sequence, updatedAt, JSON.stringify(details), ...publishedColumns(entry)];
}
