import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { killCommands, runCommand } from '../support/command.ts';
import { decodeLevels, pictureOf } from '../support/pixels.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-killed-'));
  for (const name of ['in', 'tmp']) await mkdir(path.join(folder, name));
});
afterEach(async () => {
  killCommands();
  await rm(folder, { recursive: true, force: true });
});

const below = async (...names: string[]): Promise<string[]> =>
  (await readdir(path.join(folder, ...names), { recursive: true }).catch(() => [])).sort();

test('a run that is killed at several moments is completed by the next one, and nothing is left of it', async () => {
  const widths = [300, 700, 1_100, 1_500];
  for (const width of widths) {
    await writeFile(path.join(folder, 'in', `${width}.png`), await pictureOf(width, 600).png().toBuffer());
    await writeFile(path.join(folder, 'in', `${width}g.gif`), await pictureOf(width, 90).gif().toBuffer());
  }
  const env = { TMPDIR: path.join(folder, 'tmp') };
  const argv = ['in', '--recipe', 'iiif'];
  for (const moment of ['planning', 'published', 'planning']) {
    const action = { line: moment, number: 2, signal: 'SIGKILL' } as const;
    await runCommand(folder, argv, { env, action });
  }
  // Images under way at two of the kills are processed when they are asked for.
  const last = await runCommand(folder, [...argv, '--retry'], { env });
  expect([last.code, last.err]).toEqual([0, '']);
  const names = widths.flatMap((width) => [`${width}.tif`, `${width}g.tif`]);
  expect(await below('published')).toEqual(names.flatMap((name) => [name, `${name}.json`]).sort());
  for (const width of widths) {
    const [level] = await decodeLevels(path.join(folder, 'published', `${width}.tif`));
    expect([level?.width, level?.height]).toEqual([width, 600]);
  }
  expect(await below('tmp')).toEqual([]);
  expect(await below('.stepwell', 'unfinished')).toEqual([]);
  expect((await below('.stepwell', 'buckets')).filter((name) => path.extname(name) !== '')).toEqual([]);
  expect(
    await below('.stepwell', 'metadata').then((found) => found.filter((name) => name.endsWith('.json'))),
  ).toHaveLength(2 * names.length);
  expect((await readdir(path.join(folder, '.stepwell'))).sort()).toEqual(
    expect.arrayContaining(['buckets.json', 'lock', 'metadata', 'stepwell.db', 'unfinished']),
  );
});
