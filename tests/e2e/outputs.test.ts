import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { killCommands, runCommand } from '../support/command.ts';
import { writeRecipe } from '../support/outputs.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-outputs-'));
  await writeRecipe(folder, 'both', { outputs: ['tiff', 'iiif', 'deepzoom'] });
});
afterAll(async () => {
  killCommands();
  await rm(folder, { recursive: true, force: true });
});

const publish = async (width: number, height: number): Promise<string[]> => {
  await writeFile(path.join(folder, 'photo.png'), await pictureOf(width, height, 3).png().toBuffer());
  const { code, out, err } = await runCommand(folder, [
    'photo.png',
    '--out',
    'out',
    '--recipes',
    '.',
    '--recipe',
    'both',
  ]);
  expect([code, out + err]).toEqual([0, expect.stringContaining('PUBLISHED')]);
  const entries = await readdir(path.join(folder, 'out'), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => path.relative(path.join(folder, 'out'), path.join(entry.parentPath, entry.name))).sort();
};

test('npm start publishes tiles beside the pyramid, and removes those that a smaller image does not have', async () => {
  const large = await publish(300, 200);
  expect(large).toEqual(
    expect.arrayContaining([
      'photo.dzi',
      'photo.dzi.json',
      'photo.tif',
      'photo/iiif3/256,128,44,72/44,72/0/default.jpg',
      'photo/iiif3/info.json',
      'photo_files/9/1_0.jpg',
    ]),
  );
  const small = await publish(100, 60);
  expect(small.filter((file) => file.startsWith('photo_files'))).toEqual(
    Array.from({ length: 8 }, (_, level) => path.join('photo_files', String(level), '0_0.jpg')),
  );
  expect(small.filter((file) => file.includes('256,128'))).toEqual([]);
  const info = JSON.parse(await readFile(path.join(folder, 'out/photo/iiif3/info.json'), 'utf8')) as unknown;
  expect(info).toMatchObject({
    id: '/photo/iiif3',
    width: 100,
    height: 60,
    tiles: [{ width: 128, scaleFactors: [1] }],
  });
}, 120_000);
