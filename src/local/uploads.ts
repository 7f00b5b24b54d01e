/** The uploads taken in on one machine, in the workspace's database. */
import { z } from 'zod';
import type { Database } from '../database/database.ts';
import type { Migration } from '../database/migrations.ts';

export const uploadMigrations: readonly Migration[] = [
  {
    version: 2,
    name: 'uploads taken in',
    sql: `
      CREATE TABLE uploads (
        image_id TEXT PRIMARY KEY,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        sequencer TEXT NOT NULL,
        request TEXT NOT NULL,
        taken_at TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;
    `,
  },
];

/** The last upload of an image, kept so that the same request is recognised when it is repeated. */
export interface RecordedUpload {
  /** As in an S3 event: hexadecimal, larger for a later upload. */
  readonly sequencer: string;
  /**
   * Digest of everything that decides the result: the master's ETag, the recipe and the published
   * bucket.
   */
  readonly request: string;
}

export interface Uploads {
  find(imageId: string): RecordedUpload | undefined;
  record(imageId: string, upload: RecordedUpload & { bucket: string; key: string; takenAt: Date }): void;
}

const UploadRow = z.object({ sequencer: z.string(), request: z.string() });

/** Uploads in a database that has the table of `uploadMigrations`. */
export function uploadsIn(database: Database): Uploads {
  return {
    find(imageId) {
      const row = database.get('SELECT sequencer, request FROM uploads WHERE image_id = ?', [imageId]);
      return row && UploadRow.parse(row);
    },
    record(imageId, { bucket, key, sequencer, request, takenAt }) {
      database.run('INSERT OR REPLACE INTO uploads VALUES (?, ?, ?, ?, ?, ?)', [
        imageId,
        bucket,
        key,
        sequencer,
        request,
        takenAt.toISOString(),
      ]);
    },
  };
}
