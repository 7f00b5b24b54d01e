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
let places: number[];

beforeAll(async () => {
  bytes = await pictureOf(600, 500)
    .tiff({ compression: 'jpeg', tile: true, tileWidth: 256, tileHeight: 256, pyramid: true })
    .toBuffer();
  levels = await readBack(memoryReader(bytes));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  places = [];
  for (let at = view.getUint32(4, true); at !== 0; at = view.getUint32(endOf(view, at), true)) places.push(at);
});

/** Where a directory names the next one. */
function endOf(view: DataView, place: number): number {
  return place + 2 + 12 * view.getUint16(place, true);
}

describe('a pyramid that libvips wrote', () => {
  test('is read back: sizes, tiles, encoding', () => {
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
      'a magic number that is none',
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
        view.setUint32(endOf(view, places[0] ?? 0), 0x7fff_fff0, true);
      },
    ],
    [
      'a chain that comes back to the first',
      (view) => {
        view.setUint32(endOf(view, places[2] ?? 0), places[0] ?? 0, true);
      },
    ],
    [
      'a directory that is its own next',
      (view) => {
        view.setUint32(endOf(view, places[1] ?? 0), places[1] ?? 0, true);
      },
    ],
    [
      'a directory without fields',
      (view) => {
        view.setUint16(places[1] ?? 0, 0, true);
      },
    ],
    [
      'a directory of more fields than the file holds',
      (view) => {
        view.setUint16(places[1] ?? 0, 60_000, true);
      },
    ],
    [
      'a width of four billion values',
      (view) => {
        view.setUint32((places[0] ?? 0) + 2 + 4, 0xffff_fff0, true);
      },
    ],
  ])('is malformed with %s', async (_, change) => {
    const changed = Uint8Array.from(bytes);
    change(new DataView(changed.buffer));
    await expect(readBack(memoryReader(changed))).rejects.toThrow(MalformedTiffError);
  });

  test('is malformed when it is cut anywhere in its tables', async () => {
    for (const place of places) {
      await expect(readBack(memoryReader(bytes.subarray(0, place + 30)))).rejects.toThrow(MalformedTiffError);
    }
  });

  test('is not blamed for what the store fails to do', async () => {
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

describe('tables that break the pyramid', () => {
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
    ['a level missing', /Expected 3 levels but received 2/u, () => levels.slice(0, 2)],
    [
      'a level too many',
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
      'an offset missing',
      /Expected 6 tiles for level 0/u,
      () => withLevel(0, ({ offsets }) => ({ offsets: Array.from(offsets).slice(1) })),
    ],
    [
      'a byte count missing',
      /Expected 6 tiles for level 0/u,
      () => withLevel(0, ({ byteCounts }) => ({ byteCounts: Array.from(byteCounts).slice(1) })),
    ],
    [
      'an offset too many',
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
      'a tile whose last byte is past the end',
      /tile 0 of level 2/u,
      () => withLevel(2, ({ offsets }) => ({ byteCounts: [bytes.length - (offsets[0] ?? 0) + 1] })),
    ],
    [
      'two tiles at one place',
      /one lies over another/u,
      () => withLevel(0, ({ offsets }) => ({ offsets: replaced(offsets, 3, offsets[4] ?? 0) })),
    ],
    [
      'a tile of one level over one of another',
      /one lies over another/u,
      () => withLevel(2, () => ({ offsets: [levels[0]?.offsets[2] ?? 0] })),
    ],
  ])('are refused: %s', (_, says, change) => {
    expect(check(levels)).not.toThrow();
    expect(check(change())).toThrow(MalformedTiffError);
    expect(check(change())).toThrow(says);
  });

  test('tiles that touch are apart; of which one is a byte longer, they are not', () => {
    const pair = (first: number): ReadBackLevel[] =>
      levels.slice(1, 2).map((level) => ({ ...level, offsets: [8, 108], byteCounts: [first, 20] }));
    const checkPair = (first: number) => () => {
      checkTables(pair(first), [{ width: 300, height: 250 }], 256, 128);
    };
    expect(checkPair(100)).not.toThrow();
    expect(checkPair(101)).toThrow(/one lies over another at 0x6c/u);
  });
});
