/** A viewer over a ledger with published images, without a server. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Hono } from 'hono';
import { openDatabase } from '../../src/database/database.ts';
import { imageId } from '../../src/ledger/identity.ts';
import type { ImageMetadata, Ledger } from '../../src/ledger/ledger.ts';
import { ledgerMigrations } from '../../src/ledger/sqlite/migrations.ts';
import { sqliteLedger } from '../../src/ledger/sqlite/sqlite.ts';
import { readInstalledAsset } from '../../src/viewer/assets.ts';
import { createViewer } from '../../src/viewer/viewer.ts';
import { testClock } from '../support/clock.ts';

export const origin = 'https://images.example.org';

export interface StartedViewer {
  readonly app: Hono;
  readonly ledger: Ledger;
  /** Publishes an image, a minute after the one before. */
  publish(key: string, about?: ImageMetadata['about'], size?: { width: number; height: number }): Promise<void>;
  stop(): Promise<void>;
}

export async function startViewer({ isListPublic = false } = {}): Promise<StartedViewer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-viewer-'));
  const database = openDatabase(path.join(folder, 'stepwell.db'), ledgerMigrations);
  const clock = testClock();
  const ledger = sqliteLedger({ database, clock });
  const app = createViewer({
    ledger,
    publishedBucket: 'published',
    readAsset: readInstalledAsset,
    addressesOf: () => ({ server: `${origin}/`, files: `${origin}/files/` }),
    isListPublic,
  });
  return {
    app,
    ledger,
    async publish(key, about, size = { width: 9_600, height: 6_400 }) {
      const upload = { imageId: imageId('masters', key), sequence: '1'.padEnd(32, '0') };
      const claim = { ...upload, bucket: 'masters', key, recipe: 'default' };
      await ledger.claim(claim);
      await ledger.reserveTarget('published', key, claim);
      await ledger.recordMetadata(claim, { format: 'jpeg', ...size, bands: 3, bitDepth: 8, fileSize: 5_000, about });
      const publication = { bucket: 'published', key, etag: 'e', size: 7_000, ...size, levels: 6, tileSize: 512 };
      await ledger.published(claim, publication);
      clock.advance(60_000);
    },
    async stop() {
      database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
