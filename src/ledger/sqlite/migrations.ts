import type { Migration } from '../../database/migrations.ts';

/**
 * `images` has one row per image: the fields used in queries are columns, the other fields of the
 * LedgerEntry are JSON in `details`. Rows of public images have `published_bucket`, `published_at`
 * and `search_key`. `targets` has the reserved public keys and the source image
 * that owns each.
 */
export const ledgerMigrations: readonly Migration[] = [
  {
    version: 1,
    name: 'images and reserved public keys',
    sql: `
      CREATE TABLE images (
        image_id TEXT PRIMARY KEY,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        status TEXT NOT NULL,
        sequence TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        details TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX images_by_status ON images (status, updated_at);
      CREATE TABLE targets (
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        owner_image_id TEXT NOT NULL,
        owner_bucket TEXT NOT NULL,
        owner_key TEXT NOT NULL,
        PRIMARY KEY (bucket, key)
      ) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 4,
    name: 'the upload that reserved a public key',
    sql: "ALTER TABLE targets ADD COLUMN owner_sequence TEXT NOT NULL DEFAULT ''",
  },
  {
    // Search keys of images that were published before this version have other letters than A to Z
    // as they are; see `searchKey`.
    version: 6,
    name: 'published images by time',
    sql: `
      ALTER TABLE images ADD COLUMN published_bucket TEXT;
      ALTER TABLE images ADD COLUMN published_at TEXT;
      ALTER TABLE images ADD COLUMN search_key TEXT;
      UPDATE images SET
        published_bucket = details ->> '$.published.bucket',
        published_at = updated_at,
        search_key = lower(replace((details ->> '$.published.key') || '/', '.tif/', '')),
        details = json_set(details, '$.publishedAt', updated_at)
      WHERE details ->> '$.published.bucket' IS NOT NULL;
      CREATE INDEX images_by_publication ON images (published_bucket, published_at, image_id, search_key)
        WHERE published_bucket IS NOT NULL;
    `,
  },
];
