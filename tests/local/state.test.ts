import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openState } from '../../src/local/state.ts';
import { uploadsIn } from '../../src/local/uploads.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'state-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the last upload of an image is read after the file was closed and reopened', () => {
  const takenAt = new Date('2026-11-01T10:00:00Z');
  const first = openState(folder);
  const uploads = uploadsIn(first.database);
  expect(uploads.find('image')).toBeUndefined();
  for (const sequencer of ['0a', '0b']) {
    uploads.record('image', { bucket: 'masters', key: 'a.tif', sequencer, request: `r${sequencer}`, takenAt });
  }
  first.close();
  const second = openState(folder);
  expect(uploadsIn(second.database).find('image')).toEqual({ sequencer: '0b', request: 'r0b' });
  expect(second.database.all('SELECT * FROM uploads')).toEqual([
    {
      image_id: 'image',
      bucket: 'masters',
      key: 'a.tif',
      sequencer: '0b',
      request: 'r0b',
      taken_at: '2026-11-01T10:00:00.000Z',
    },
  ]);
  second.close();
});

test('a workspace in use is refused, and a closed one can be opened', () => {
  const first = openState(folder);
  expect(() => openState(folder)).toThrow(`Process ${process.pid} already uses this workspace`);
  first.close();
  openState(folder).close();
});

test('a workspace of an earlier version is refused with the folders to remove, and nothing is written', async () => {
  for (const name of ['ledger', 'executions', 'intake', 'buckets']) await mkdir(path.join(folder, name));
  const message =
    `Remove or move away ${path.join(folder, 'ledger')}, ${path.join(folder, 'executions')}, ` +
    `${path.join(folder, 'intake')}, or use another --workspace. Published pyramids are not affected`;
  expect(() => openState(folder)).toThrow(message);
  expect(() => openState(folder)).toThrow(expect.objectContaining({ name: 'UsageError' }));
  expect((await readdir(folder)).sort()).toEqual(['buckets', 'executions', 'intake', 'ledger', 'lock']);
  for (const name of ['ledger', 'executions', 'intake']) await rm(path.join(folder, name), { recursive: true });
  openState(folder).close();
});

test('a file that is not a database is refused, and the workspace is unlocked', async () => {
  await writeFile(path.join(folder, 'stepwell.db'), 'nothing like a database. '.repeat(20));
  for (let attempt = 0; attempt < 2; attempt++) {
    expect(() => openState(folder)).toThrow(/to be a whole SQLite database .* move it away/u);
  }
});
