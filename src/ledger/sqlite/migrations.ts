import type { Migration } from '../../database/migrations.ts';

/**
 * `images` has one row per image: the fields used in queries are columns, the other fields of the
 * LedgerEntry are JSON in `details`. `targets` has the reserved public keys and the source image
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
];
