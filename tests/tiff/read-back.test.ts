import { beforeAll, describe, expect, test } from '@jest/globals';
import { MalformedTiffError, ServiceUnavailableError } from '../../src/errors.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { checkTables, readBack, type ReadBackLevel } from '../../src/tiff/read-back.ts';
import { pictureOf } from '../support/pixels.ts';

const sizes = [
  { width: 600, height: 500 },
  { width: 300, height: 250 },
  { width: 150, height: 125 },
];

let bytes: Uint8Array;
let levels: ReadBackLevel[];
let directoryOffsets: number[];

beforeAll(async () => {
  bytes = await pictureOf(600, 500)
    .tiff({ compression: 'jpeg', tile: true, tileWidth: 256, tileHeight: 256, pyramid: true })
    .toBuffer();
  levels = await readBack(memoryReader(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  directoryOffsets = [];
  for (let at = view.getUint32(4, true); at !== 0; at = view.getUint32(endOf(view, at), true))
    directoryOffsets.push(at);
});

/** Offset of the pointer to the next directory. */
function endOf(view: DataView, directory: number): number {
  return directory + 2 + 12 * view.getUint16(directory, true);
}

describe('readBack of a pyramid written by libvips', () => {
  test('returns sizes, tile tables and encoding of every level', () => {
    expect(levels.map(({ width, height, tilesAcross, tilesDown }) => [width, height, tilesAcross, tilesDown])).toEqual([
      [600, 500, 3, 2],
      [300, 250, 2, 1],
      [150, 125, 1, 1],
    ]);
    expect(levels.map(({ offsets, byteCounts }) => [offsets.length, byteCounts.length])).toEqual([
      [6, 6],
      [2, 2],
      [1, 1],
    ]);
    expect(levels[0]?.encoding).toMatchObject({
      compression: 7,
      photometric: 6,
      bitsPerSample: [8, 8, 8],
      sampleFormat: [1, 1, 1],
    });
    expect(
      Buffer.from(levels[0]?.encoding.jpegTables ?? '', 'base64')
        .subarray(0, 2)
        .toString('hex'),
    ).toBe('ffd8');
    expect(() => {
      checkTables(levels, sizes, 256, bytes.length);
    }).not.toThrow();
  });

  test.each<[string, (view: DataView) => void]>([
    [
      'a wrong magic number',
      (view) => {
        view.setUint32(0, 0, true);
      },
    ],
    [
      'a first directory past the end',
      (view) => {
        view.setUint32(4, 0x7fff_fff0, true);
      },
    ],
    [
      'a next directory past the end',
      (view) => {
        view.setUint32(endOf(view, directoryOffsets[0] ?? 0), 0x7fff_fff0, true);
      },
    ],
    [
      'a chain that returns to the first directory',
      (view) => {
        view.setUint32(endOf(view, directoryOffsets[2] ?? 0), directoryOffsets[0] ?? 0, true);
      },
    ],
    [
      'a directory that points to itself as the next one',
      (view) => {
        view.setUint32(endOf(view, directoryOffsets[1] ?? 0), directoryOffsets[1] ?? 0, true);
      },
    ],
    [
      'a directory without fields',
      (view) => {
        view.setUint16(directoryOffsets[1] ?? 0, 0, true);
      },
    ],
    [
      'a directory that declares more fields than the file holds',
      (view) => {
        view.setUint16(directoryOffsets[1] ?? 0, 60_000, true);
      },
    ],
    [
      'a width field of four billion values',
      (view) => {
        view.setUint32((directoryOffsets[0] ?? 0) + 2 + 4, 0xffff_fff0, true);
      },
    ],
  ])('throws MalformedTiffError for %s', async (_, change) => {
    const changed = Uint8Array.from(bytes);
    change(new DataView(changed.buffer));
    await expect(readBack(memoryReader(changed))).rejects.toThrow(MalformedTiffError);
  });

  test('throws MalformedTiffError for a file truncated within a directory', async () => {
    for (const offset of directoryOffsets) {
      await expect(readBack(memoryReader(bytes.subarray(0, offset + 30)))).rejects.toThrow(MalformedTiffError);
    }
  });

  test('passes on an error of the store instead of MalformedTiffError', async () => {
    let reads = 0;
    for (let failing = 1; failing < 8; failing++) {
      reads = 0;
      const reader = memoryReader(bytes);
      const failure = readBack({
        size: reader.size,
        read: (offset, length) =>
          ++reads === failing ? Promise.reject(new ServiceUnavailableError('throttled')) : reader.read(offset, length),
      });
      if (reads === 0) continue;
      await expect(failure).rejects.toThrow(ServiceUnavailableError);
    }
    expect(reads).toBeGreaterThanOrEqual(7);
  });
});

describe('checkTables', () => {
  const check =
    (changed: readonly ReadBackLevel[], fileSize = bytes.length) =>
    () => {
      checkTables(changed, sizes, 256, fileSize);
    };
  const withLevel = (index: number, change: (level: ReadBackLevel) => Partial<ReadBackLevel>): ReadBackLevel[] =>
    levels.map((level, at) => (at === index ? { ...level, ...change(level) } : level));
  const replaced = (numbers: ArrayLike<number>, at: number, value: number): number[] =>
    Array.from(numbers, (number, index) => (index === at ? value : number));

  test.each<[string, RegExp, () => ReadBackLevel[]]>([
    ['a missing level', /Expected 3 levels but received 2/u, () => levels.slice(0, 2)],
    [
      'an additional level',
      /Expected 3 levels but received 4/u,
      () => levels.flatMap((level, at) => (at === 2 ? [level, level] : [level])),
    ],
    [
      'a wrong width',
      /Expected 300 × 250 for level 1 but received 301 × 250/u,
      () => withLevel(1, () => ({ width: 301 })),
    ],
    [
      'a wrong height',
      /Expected 600 × 500 for level 0 but received 600 × 499/u,
      () => withLevel(0, () => ({ height: 499 })),
    ],
    ['levels in the wrong order', /level 0/u, () => [...levels].reverse()],
    [
      'a missing offset',
      /Expected 6 tiles for level 0/u,
      () => withLevel(0, ({ offsets }) => ({ offsets: Array.from(offsets).slice(1) })),
    ],
    [
      'a missing byte count',
      /Expected 6 tiles for level 0/u,
      () => withLevel(0, ({ byteCounts }) => ({ byteCounts: Array.from(byteCounts).slice(1) })),
    ],
    [
      'an additional offset',
      /Expected 1 tiles for level 2/u,
      () => withLevel(2, ({ offsets }) => ({ offsets: [...Array.from(offsets), 9] })),
    ],
    [
      'a tile of no bytes',
      /tile 1 of level 1/u,
      () => withLevel(1, ({ byteCounts }) => ({ byteCounts: replaced(byteCounts, 1, 0) })),
    ],
    [
      'a tile past the end',
      /tile 5 of level 0/u,
      () => withLevel(0, ({ offsets }) => ({ offsets: replaced(offsets, 5, 4_294_000_000) })),
    ],
    [
      'a tile that ends one byte past the file',
      /tile 0 of level 2/u,
      () => withLevel(2, ({ offsets }) => ({ byteCounts: [bytes.length - (offsets[0] ?? 0) + 1] })),
    ],
    [
      'two tiles at the same offset',
      /overlaps another/u,
      () => withLevel(0, ({ offsets }) => ({ offsets: replaced(offsets, 3, offsets[4] ?? 0) })),
    ],
    [
      'tiles of two levels that overlap',
      /overlaps another/u,
      () => withLevel(2, () => ({ offsets: [levels[0]?.offsets[2] ?? 0] })),
    ],
  ])('throws MalformedTiffError for %s', (_, message, change) => {
    expect(check(levels)).not.toThrow();
    expect(check(change())).toThrow(MalformedTiffError);
    expect(check(change())).toThrow(message);
  });

  test('accepts adjacent tiles and refuses an overlap of one byte', () => {
    const pair = (first: number): ReadBackLevel[] =>
      levels.slice(1, 2).map((level) => ({ ...level, offsets: [8, 108], byteCounts: [first, 20] }));
    const checkPair = (first: number) => () => {
      checkTables(pair(first), [{ width: 300, height: 250 }], 256, 128);
    };
    expect(checkPair(100)).not.toThrow();
    expect(checkPair(101)).toThrow(/overlaps another at 0x6c/u);
  });
});
