import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { type Database, openDatabase } from '../../src/database/database.ts';
import type { Claim, Ledger } from '../../src/ledger/ledger.ts';
import { ledgerMigrations } from '../../src/ledger/sqlite/migrations.ts';
import { publishedPageSql } from '../../src/ledger/sqlite/published.ts';
import { sqliteLedger } from '../../src/ledger/sqlite/sqlite.ts';
import { testClock } from '../support/clock.ts';
import { type ContractLedger, ledgerContract, samples, twoUploads } from './contract.ts';

interface OpenLedger extends ContractLedger {
  readonly database: Database;
}

async function startLedger(): Promise<OpenLedger> {
  const folder = await mkdtemp(path.join(tmpdir(), 'ledger-'));
  const database = openDatabase(path.join(folder, 'stepwell.db'), ledgerMigrations);
  const clock = testClock();
  return {
    ledger: sqliteLedger({ database, clock }),
    clock,
    database,
    stop: async () => {
      database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

ledgerContract('SQLite', startLedger);

let running: OpenLedger;
let ledger: Ledger;
let older: Claim;
let newer: Claim;
beforeEach(async () => {
  running = await startLedger();
  ({ ledger } = running);
  [older, newer] = twoUploads();
});
afterEach(() => running.stop());

test('the fields used in queries are columns and the other fields are JSON', async () => {
  await ledger.claim(older);
  await ledger.published(older, samples.publication);
  await ledger.reserveTarget('published', 'maps/blaeu.tif', older);
  const reader = new DatabaseSync(running.database.file, { readOnly: true });
  expect(
    reader.prepare("SELECT *, details ->> '$.published.levels' AS levels FROM images WHERE key LIKE 'maps/%'").all(),
  ).toEqual([
    {
      image_id: older.imageId,
      bucket: 'masters',
      key: older.key,
      status: 'PUBLISHED',
      sequence: older.sequence,
      updated_at: '2026-11-01T00:00:00.000Z',
      details: JSON.stringify({
        etag: 'first',
        recipe: 'default',
        published: samples.publication,
        publishedAt: '2026-11-01T00:00:00.000Z',
      }),
      published_bucket: 'published',
      published_at: '2026-11-01T00:00:00.000Z',
      search_key: 'maps/blaeu',
      levels: 6,
    },
  ]);
  expect(reader.prepare('SELECT * FROM targets').all()).toEqual([
    {
      bucket: 'published',
      key: 'maps/blaeu.tif',
      owner_image_id: older.imageId,
      owner_bucket: 'masters',
      owner_key: older.key,
      owner_sequence: older.sequence,
    },
  ]);
  reader.close();
});

test('a list of more rows than one page is complete and in order', async () => {
  const claims = Array.from({ length: 1_203 }, () => twoUploads()[0]);
  for (const [index, claim] of claims.entries()) {
    if (index % 100 === 0) running.clock.advance(1);
    await ledger.claim(claim);
  }
  const listed: string[] = [];
  for await (const { imageId } of ledger.listByStatus('CLAIMED')) listed.push(imageId);
  expect(listed).toEqual(claims.map(({ imageId }) => imageId));
});

test('exactly one of many processes that claim the same upload is granted it', () => {
  const url = (file: string): string => JSON.stringify(pathToFileURL(path.resolve('src', file)).href);
  const claims = Array.from({ length: 100 }, () => twoUploads()[0]);
  const script = `
    import { openDatabase } from ${url('database/database.ts')};
    import { ledgerMigrations } from ${url('ledger/sqlite/migrations.ts')};
    import { sqliteLedger } from ${url('ledger/sqlite/sqlite.ts')};
    const database = openDatabase(${JSON.stringify(running.database.file)}, ledgerMigrations);
    const ledger = sqliteLedger({ database, clock: () => new Date() });
    let granted = 0;
    for (const claim of ${JSON.stringify(claims)}) {
      if ((await ledger.claim(claim)).claimed) {
        await ledger.started(claim, 'arn');
        granted += 1;
      }
    }
    console.log(granted);`;
  const one = `${JSON.stringify(process.execPath)} --input-type=module -e "$SCRIPT"`;
  const { stdout, stderr } = spawnSync('sh', ['-c', `${one} & ${one} & wait`], {
    env: { ...process.env, SCRIPT: script },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(
    stdout
      .trim()
      .split('\n')
      .map(Number)
      .reduce((sum, granted) => sum + granted, 0),
  ).toBe(100);
});

describe('a database that is locked by another program', () => {
  let other: DatabaseSync;
  let impatient: Database;
  beforeEach(() => {
    impatient = openDatabase(running.database.file, ledgerMigrations);
    impatient.run('PRAGMA busy_timeout = 1');
    other = new DatabaseSync(running.database.file);
    other.exec('BEGIN IMMEDIATE');
  });
  afterEach(() => {
    impatient.close();
    other.close();
  });

  test('refuses writes with ServiceUnavailableError and answers reads', async () => {
    await ledger.get(older.imageId);
    const locked = sqliteLedger({ database: impatient, clock: testClock() });
    await expect(locked.claim(older)).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
    expect(await locked.get(older.imageId)).toBeUndefined();
    other.exec('ROLLBACK');
    expect(await locked.claim(older)).toEqual({ claimed: true });
  });
});

test('rows with fields of a later version can be read', async () => {
  await ledger.claim(older);
  running.database.run("UPDATE images SET details = json_set(details, '$.colour', 'sepia')");
  expect(await ledger.get(older.imageId)).toEqual({
    ...older,
    status: 'CLAIMED',
    updatedAt: running.clock().toISOString(),
  });
  expect(await ledger.claim(newer)).toEqual({ claimed: true });
});

describe('the list of published images', () => {
  /** Writes rows of images that were published one after the other, without the ledger. */
  function fill(images: number): void {
    const details = JSON.stringify({
      etag: 'e',
      recipe: 'default',
      published: samples.publication,
      publishedAt: '2026-01-01T00:00:00.000Z',
    });
    running.database.run(
      `
      WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :images)
      INSERT INTO images SELECT
        printf('%032x', i), 'masters', 'm', 'PUBLISHED', '', '', :details,
        'published', printf('2026-01-01T00:00:00.%07dZ', i), printf('box %d/sheet %d', i / 1000, i)
      FROM n`,
      { images, details },
    );
  }

  test('of 100,000 images is read from the index, which contains all that a search reads', async () => {
    fill(100_000);
    running.database.run('ANALYZE');
    const plan = running.database
      .all(`EXPLAIN QUERY PLAN ${publishedPageSql}`, { bucket: '', publishedAt: '', imageId: '', words: '[]', rows: 1 })
      .map(({ detail }) => String(detail));
    expect(plan).toEqual(
      expect.arrayContaining([
        expect.stringMatching(
          /^SEARCH images USING COVERING INDEX images_by_publication \(published_bucket=\? AND \(published_at,image_id\)<\(\?,\?\)\)$/u,
        ),
        'SEARCH images USING PRIMARY KEY (image_id=?)',
      ]),
    );
    expect(plan.filter((step) => /^SCAN (?!word\b)/u.test(step))).toEqual([]);
    const { entries, next } = await ledger.listPublished('published', { limit: 2 });
    expect(entries.map(({ imageId }) => Number.parseInt(imageId, 16))).toEqual([99_999, 99_998]);
    expect(next).toBeDefined();
    const found = await ledger.listPublished('published', { limit: 100, words: ['box', '77/', '77123'] });
    expect(found.entries.map(({ imageId }) => Number.parseInt(imageId, 16))).toEqual([77_123]);
    expect(found).not.toHaveProperty('next');
  });

  test('has the images that were published before the index existed', async () => {
    const file = path.join(path.dirname(running.database.file), 'earlier.db');
    const earlier = openDatabase(
      file,
      ledgerMigrations.filter(({ version }) => version < 6),
    );
    const details = JSON.stringify({ recipe: 'default', published: samples.publication });
    earlier.run('INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?)', [
      '1',
      'm',
      'k',
      'PUBLISHED',
      '',
      '2026-10-31',
      details,
    ]);
    earlier.run('INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?)', [
      '2',
      'm',
      'l',
      'FAILED',
      '',
      '2026-10-31',
      '{"recipe":""}',
    ]);
    earlier.close();
    const migrated = openDatabase(file, ledgerMigrations);
    const { entries } = await sqliteLedger({ database: migrated, clock: testClock() }).listPublished('published', {
      limit: 10,
      words: ['maps/blaeu'],
    });
    expect(entries).toEqual([
      expect.objectContaining({ imageId: '1', published: samples.publication, publishedAt: '2026-10-31' }),
    ]);
    expect(migrated.all('SELECT search_key FROM images')).toEqual([{ search_key: 'maps/blaeu' }, { search_key: null }]);
    migrated.close();
  });
});
