import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import type { ActionOnLine } from '../support/act-on-line.ts';
import { type EndedCommand, killCommands, runCommand } from '../support/command.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-command-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  killCommands();
  await rm(folder, { recursive: true, force: true });
});

/** Runs the command in the test's folder. */
const stepwell = (argv: readonly string[], action?: ActionOnLine): Promise<EndedCommand> =>
  runCommand(folder, argv, action ? { action } : {});

const put = async (name: string, bytes: Uint8Array | string): Promise<void> => {
  await writeFile(path.join(folder, 'in', name), bytes);
};

/** The row of the table of results for a file. */
const rowOf = (out: string, name: string): string =>
  out.split('\n').findLast((line) => line.startsWith(`in/${name} `)) ?? '';

test('an image without sidecar is UNFINISHED and the same command finishes it', async () => {
  await put('photo.png', await pictureOf(600, 400).png().toBuffer());
  // A folder occupies the path of the sidecar.
  const blockingFolder = path.join(folder, 'published', 'photo.tif.json');
  await mkdir(blockingFolder, { recursive: true });
  await writeFile(path.join(blockingFolder, 'notes.txt'), 'mine');
  const first = await stepwell(['in']);
  expect([first.code, rowOf(first.out, 'photo.png')]).toEqual([1, expect.stringMatching(/ UNFINISHED +published/u)]);
  await rm(blockingFolder, { recursive: true });
  const second = await stepwell(['in']);
  expect([second.code, rowOf(second.out, 'photo.png')]).toEqual([0, expect.stringMatching(/ PUBLISHED +published/u)]);
  expect(second.out).toContain('in/photo.png: resumed');
  const sidecar = JSON.parse(await readFile(path.join(folder, 'published', 'photo.tif.json'), 'utf8')) as object;
  expect(sidecar).toMatchObject({ published: { key: 'photo.tif' } });
  const third = await stepwell(['in']);
  expect(rowOf(third.out, 'photo.png')).toMatch(/ unchanged +PUBLISHED /u);
});

test('the table lists published and rejected files and the exit code is 1', async () => {
  await put('photo one.png', await pictureOf(600, 400).png().toBuffer());
  await put('caf\u00e9 100%.jpg', await pictureOf(300, 200).jpeg().toBuffer());
  await put('notes.txt', 'remember the milk');
  const { code, out, err } = await stepwell(['in', '--recipe', 'iiif']);
  expect(err).toBe('');
  expect(code).toBe(1);
  expect(out).toMatch(/^Step Functions API: http:\/\/127\.0\.0\.1:\d+$/mu);
  expect(out).toMatch(/^not an image: in\/notes\.txt \(UNSUPPORTED_FORMAT: .*\)$/mu);
  expect(rowOf(out, 'photo one.png')).toMatch(/ 600 × 400 +3 .* PUBLISHED +published\/photo one\.tif$/u);
  expect(rowOf(out, 'caf\u00e9 100%.jpg')).toMatch(/ 300 × 200 +2 .* PUBLISHED +published\/caf\u00e9 100%\.tif$/u);
  expect(rowOf(out, 'notes.txt')).toMatch(/ REJECTED +UNSUPPORTED_FORMAT: /u);
  expect((await readdir(path.join(folder, 'published'))).filter((name) => !name.startsWith('.')).sort()).toEqual([
    'caf\u00e9 100%.tif',
    'caf\u00e9 100%.tif.json',
    'photo one.tif',
    'photo one.tif.json',
  ]);
  expect(await sharp(path.join(folder, 'published', 'photo one.tif')).metadata()).toMatchObject({
    width: 600,
    pages: 3,
  });
});

test('the exit code is 0 when all files are published, and a second run leaves them unchanged', async () => {
  await put('photo.png', await pictureOf(300, 200).png().toBuffer());
  const argv = ['in/photo.png', '--out', 'made here', '--workspace', 'memory'];
  const first = await stepwell(argv);
  expect([first.code, first.err]).toEqual([0, '']);
  const bytes = await readFile(path.join(folder, 'made here', 'photo.tif'));
  const second = await stepwell(argv);
  expect(second.code).toBe(0);
  expect(rowOf(second.out, 'photo.png')).toMatch(/ unchanged +PUBLISHED +made here\/photo\.tif$/u);
  expect(bytes.equals(await readFile(path.join(folder, 'made here', 'photo.tif')))).toBe(true);
  await put('photo.png', await pictureOf(310, 200).png().toBuffer());
  const third = await stepwell(argv);
  expect(third.code).toBe(0);
  expect(rowOf(third.out, 'photo.png')).toMatch(/ 310 × 200 .* \d\.\d s +PUBLISHED/u);
});

test('a missing file is reported and the other files are published', async () => {
  await put('photo.png', await pictureOf(30, 20).png().toBuffer());
  const { code, out } = await stepwell(['in/photo.png', 'in/no\u001bsuch.png']);
  expect(code).toBe(1);
  expect(out).toContain('no such file or folder: in/no\\x1bsuch.png\n');
  expect(rowOf(out, 'photo.png')).toContain('PUBLISHED');
});

test('skipped entries of a folder are noted, and names that are not UTF-8 make the exit code 1', async () => {
  await put('photo.png', await pictureOf(30, 20).png().toBuffer());
  await symlink('photo.png', path.join(folder, 'in', 'link.png'));
  const linked = await stepwell(['in']);
  expect(linked.code).toBe(0);
  expect(linked.out).toContain('skipped: in/link.png (it is a link; name it on the command line to follow it)\n');
  await writeFile(Buffer.concat([Buffer.from(`${folder}/in/caf`), Buffer.from([0xe9])]), 'x');
  const { code, out, err } = await stepwell(['in']);
  expect([code, err]).toEqual([1, '']);
  expect(out).toContain('skipped: in/caf\\xe9 (its name is not UTF-8; rename it)\n');
  expect(rowOf(out, 'photo.png')).toContain(' PUBLISHED ');
});

test.each([
  ['--out', 'file', 'it is a file'],
  ['--out', 'file/below', 'a part of its path is a file'],
  ['--workspace', 'file', 'it is a file'],
  ['--out', '/proc/stepwell', 'it cannot be created'],
])('the folder %s %s is refused with the reason and without a stack trace', async (option, name, reason) => {
  await writeFile(path.join(folder, 'file'), 'x');
  const { code, out, err } = await stepwell(['in', option, name]);
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe(`Expected a folder to write to for ${option} but received ${name}: ${reason}\n`);
});

test('a published file that is removed while the command runs is not reported as PUBLISHED', async () => {
  await put('a.png', await pictureOf(30, 20).png().toBuffer());
  const first = await stepwell(['in'], { line: 'in/a.png: published', remove: 'published' });
  expect([first.code, first.err]).toEqual([1, '']);
  expect(rowOf(first.out, 'a.png')).toMatch(
    / FAILED +published\/a\.tif was removed or changed after it was published; run the same command again$/u,
  );
  const second = await stepwell(['in']);
  expect(second.code).toBe(0);
  expect(rowOf(second.out, 'a.png')).toContain(' PUBLISHED ');
});

test('an unknown recipe is refused with the names of all recipes and creates no files', async () => {
  await put('photo.png', await pictureOf(30, 20).png().toBuffer());
  const { code, out, err } = await stepwell(['in/photo.png', '--recipe', 'grand']);
  expect([code, out]).toEqual([2, '']);
  expect(err).toBe(
    'There is no recipe grand. Choose one of these with --recipe: archival, deepzoom, default, iiif, iiif-files, large-tiles, marble.\n',
  );
  expect(await readdir(folder)).toEqual(['in']);
});

test('an unknown option prints the usage and the exit code is 2', async () => {
  const { code, out, err } = await stepwell(['--ouput', 'x']);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain('--ouput');
  expect(err).toContain('Usage: npm start');
});

test('--list-recipes and --help print their text and create no files', async () => {
  const listed = await stepwell(['--list-recipes']);
  expect(listed.code).toBe(0);
  expect(listed.out.split('\n').map((line) => line.split(' ')[0])).toEqual([
    'archival',
    'deepzoom',
    'default',
    'iiif',
    'iiif-files',
    'large-tiles',
    'marble',
    '',
  ]);
  const help = await stepwell(['--help']);
  expect(help.code).toBe(0);
  expect(help.out).toMatch(/^Usage: npm start/u);
  expect(await readdir(folder)).toEqual(['in']);
});

describe('the command stopped while rendering', () => {
  let master: Buffer;
  const argv = ['in/big.tif', '--recipe', 'iiif', '--verbose'];
  const digests = new Set<string>();
  beforeAll(async () => {
    // A uniform image is encoded quickly and is large enough for several blocks.
    const create = { width: 10_000, height: 8_000, channels: 3, background: '#6080a0' } as const;
    master = await sharp({ create }).tiff({ compression: 'lzw', predictor: 'none' }).toBuffer();
  });
  afterAll(() => {
    // Every run published the same bytes.
    expect(digests.size).toBe(1);
  });

  /** Sends the signal when the first of several blocks is done. */
  const stopWith = (signal: NodeJS.Signals): Promise<EndedCommand> =>
    stepwell(argv, { line: 'in/big.tif: 1 of ', signal });
  const finishedBlocks = async (): Promise<number> => {
    const names = await readdir(path.join(folder, '.stepwell'), { recursive: true });
    return names.filter((name) => /\/blocks\/\d+\.json$/u.test(name)).length;
  };
  const count = (text: string, event: string): number => text.split(`"event":"${event}"`).length - 1;

  async function finishesTheRest(blocksBefore: number): Promise<EndedCommand> {
    const again = await stepwell(argv);
    expect(again.code).toBe(0);
    expect(rowOf(again.out, 'big.tif')).toMatch(/ 10,000 × 8,000 +7 .* PUBLISHED +published\/big\.tif$/u);
    const total = Number(/ of (?<total>\d+) blocks/u.exec(again.out)?.groups?.['total'] ?? 3);
    expect(count(again.err, 'block.rendered')).toBeLessThanOrEqual(total - blocksBefore);
    const file = path.join(folder, 'published', 'big.tif');
    expect(await sharp(file).metadata()).toMatchObject({ width: 10_000, height: 8_000, pages: 7 });
    digests.add(
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex'),
    );
    return again;
  }

  test('by Ctrl-C prints how to resume, and the same command resumes with the finished blocks', async () => {
    await put('big.tif', master);
    const stopped = await stopWith('SIGINT');
    expect(stopped.code).toBe(130);
    expect(stopped.out).toContain('Stopping. Run the same command again to resume.\n');
    expect(rowOf(stopped.out, 'big.tif')).toContain('UNFINISHED');
    expect(await readdir(path.join(folder, 'published'))).not.toContain('big.tif');
    const blocks = await finishedBlocks();
    expect(blocks).toBeGreaterThanOrEqual(1);
    const again = await finishesTheRest(blocks);
    expect(again.out).toContain('in/big.tif: resumed\n');
  });

  test('by SIGKILL twice ends the image as CRASHED, and --retry processes it again', async () => {
    await put('big.tif', master);
    await put('small.png', await pictureOf(30, 20).png().toBuffer());
    for (let kills = 0; kills < 2; kills++) expect((await stopWith('SIGKILL')).code).toBeNull();
    for (let runs = 0; runs < 2; runs++) {
      const left = await stepwell(['in', '--recipe', 'iiif']);
      expect([left.code, left.err]).toEqual([1, '']);
      expect(rowOf(left.out, 'big.tif')).toMatch(/ FAILED +CRASHED: The process ended unexpectedly both times/u);
      expect(left.out).toContain('in/big.tif: left alone after two crashes; --retry processes it again\n');
      expect(rowOf(left.out, 'small.png')).toContain(' PUBLISHED ');
    }
    const asked = await stepwell(['in', '--recipe', 'iiif', '--retry']);
    expect(asked.code).toBe(0);
    expect(rowOf(asked.out, 'big.tif')).toContain(' PUBLISHED ');
    expect(await readdir(path.join(folder, '.stepwell', 'unfinished'))).toEqual([]);
    expect(await readdir(path.join(folder, '.stepwell', 'buckets', 'stepwell-work')).catch(() => [])).toEqual([]);
  });

  test('by SIGKILL publishes no partial file, and the same command resumes', async () => {
    await put('big.tif', master);
    const killed = await stopWith('SIGKILL');
    expect(killed.code).toBeNull();
    expect(await readdir(path.join(folder, 'published'))).not.toContain('big.tif');
    const blocks = await finishedBlocks();
    expect(blocks).toBeGreaterThanOrEqual(1);
    await finishesTheRest(blocks);
  });
});
