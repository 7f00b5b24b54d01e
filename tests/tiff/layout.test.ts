import { describe, expect, test } from '@jest/globals';
import { Tiff, TiffTag } from '@cogeotiff/core';
import fc from 'fast-check';
import sharp from 'sharp';
import { headBytes, layoutTiff, type TileBundle, type TiffLayout, wholeHead } from '../../src/tiff/layout.ts';
import type { TileRun } from '../../src/tiff/tile-table.ts';
import type { Field, LevelTable } from '../../src/tiff/written-directory.ts';
import { readNumbers, readTiff } from '../../src/tiff/read.ts';
import { picture } from '../support/pixels.ts';

const LONG = 4;
const SHORT = 3;

/** The least a grey 8-bit uncompressed level says. */
const grey: Field[] = [
  { tag: 277, type: SHORT, values: [1] },
  { tag: 262, type: SHORT, values: [1] },
  { tag: 258, type: SHORT, values: [8] },
  { tag: 259, type: SHORT, values: [1] },
];

function levelOf(width: number, height: number, tileSize: number, fields: readonly Field[] = grey): LevelTable {
  return {
    width,
    height,
    tilesAcross: Math.ceil(width / tileSize),
    tilesDown: Math.ceil(height / tileSize),
    fields,
  };
}

function runOf(level: number, place: [column: number, row: number], shape: [number, number], bytes: number[]): TileRun {
  return { level, column: place[0], row: place[1], across: shape[0], down: shape[1], byteCounts: bytes };
}

/** A file of which only the head is there. */
function headReader(head: Uint8Array, size: number) {
  return { size, read: (offset: number, length: number) => Promise.resolve(head.subarray(offset, offset + length)) };
}

function openStrangers(head: Uint8Array, size: number): Promise<Tiff> {
  return Tiff.create({
    url: new URL('test:head'),
    metadata: { size },
    fetch: (offset, length = size - offset) =>
      Promise.resolve(Uint8Array.from(head.subarray(offset, offset + length)).buffer),
  });
}

/** Of a head that is too large to be put together: its pieces are made as they are read. */
function headRange({ headPieces }: TiffLayout, offset: number, length: number): ArrayBuffer {
  const range = new Uint8Array(length);
  let start = 0;
  for (const piece of headPieces) {
    const from = Math.max(offset, start);
    const to = Math.min(offset + length, start + piece.length);
    if (from < to) range.set(piece.make().subarray(from - start, to - start), from - offset);
    start += piece.length;
  }
  return range.buffer;
}

function hexDump(bytes: Uint8Array): string[] {
  return Array.from({ length: Math.ceil(bytes.length / 12) }, (_, line) =>
    Buffer.from(bytes.subarray(line * 12, line * 12 + 12)).toString('hex'),
  );
}

describe('a small file', () => {
  const layout = layoutTiff({
    tileSize: 16,
    levels: [levelOf(20, 16, 16), levelOf(10, 8, 16, [{ tag: 254, type: LONG, values: [1] }, ...grey])],
    bundles: [{ runs: [runOf(1, [0, 0], [1, 1], [256]), runOf(0, [0, 0], [2, 1], [256, 255])] }],
  });

  test('is these bytes', () => {
    const head = wholeHead(layout);
    // Lines of twelve bytes, broken where an IFD begins: tag, type, count, value.
    expect([
      Buffer.from(head.subarray(0, 8)).toString('hex'),
      Buffer.from(head.subarray(8, 10)).toString('hex'),
      ...hexDump(head.subarray(10, 130)),
      Buffer.from(head.subarray(130, 134)).toString('hex'),
      Buffer.from(head.subarray(134, 150)).toString('hex'),
      Buffer.from(head.subarray(150, 152)).toString('hex'),
      ...hexDump(head.subarray(152, 284)),
      Buffer.from(head.subarray(284)).toString('hex'),
    ]).toEqual([
      '49492a0008000000', // II, 42, the first IFD at 8
      '0a00', // ten fields
      '000104000100000014000000', // ImageWidth 20
      '010104000100000010000000', // ImageLength 16
      '020103000100000008000000', // BitsPerSample 8
      '030103000100000001000000', // Compression none
      '060103000100000001000000', // Photometric black is zero
      '150103000100000001000000', // SamplesPerPixel 1
      '420104000100000010000000', // TileWidth 16
      '430104000100000010000000', // TileLength 16
      '440104000200000086000000', // TileOffsets, two at 0x86
      '45010400020000008e000000', // TileByteCounts, two at 0x8e
      '96000000', // the next IFD at 0x96
      '20020000200300000001' + '0000ff000000', // tiles at 0x220 and 0x320, of 256 and 255 bytes
      '0b00', // eleven fields
      'fe0004000100000001000000', // NewSubfileType reduced
      '00010400010000000a000000', // ImageWidth 10
      '010104000100000008000000', // ImageLength 8
      '020103000100000008000000',
      '030103000100000001000000',
      '060103000100000001000000',
      '150103000100000001000000',
      '420104000100000010000000',
      '430104000100000010000000',
      '440104000100000020010000', // TileOffsets: one, at 0x120
      '450104000100000000010000', // TileByteCounts: one, 256
      '00000000', // no next IFD
    ]);
    expect(layout.size).toBe(0x120 + 256 + 256 + 255);
    expect(layout.bigTiff).toBe(false);
    expect(layout.bundleOffsets).toEqual([0x120]);
  });
});

describe('4 GiB', () => {
  const twoTiles = (second: number) =>
    layoutTiff({
      tileSize: 16,
      levels: [levelOf(32, 16, 16)],
      bundles: [{ runs: [runOf(0, [0, 0], [2, 1], [2 ** 31, second])] }],
    });
  // The head of such a classic file: 8 of header, 2 + 10 × 12 + 4 of IFD, 2 × 4 of offsets, 2 × 4 of byte counts.
  const head = 150;

  test('a file that ends one byte below is a classic TIFF', async () => {
    const layout = twoTiles(2 ** 31 - head - 1);
    expect(layout).toMatchObject({ bigTiff: false, size: 4_294_967_295, bundleOffsets: [150] });
    const file = await readTiff(headReader(wholeHead(layout), layout.size));
    expect(file.bigTiff).toBe(false);
    const [directory] = file.directories;
    expect(directory && (await readNumbers(file, directory, 324))).toEqual([150, 2_147_483_798]);
  });

  test('a file that would end there is a BigTIFF', async () => {
    const layout = twoTiles(2 ** 31 - head);
    // 16 of header, 8 + 10 × 20 + 8 of IFD, 2 × 8 of offsets; two byte counts fit in their entry.
    expect(layout).toMatchObject({ bigTiff: true, size: 4_294_967_296 + 248 - 150, bundleOffsets: [248] });
    const file = await readTiff(headReader(wholeHead(layout), layout.size));
    expect(file.bigTiff).toBe(true);
    const [directory] = file.directories;
    expect(directory && (await readNumbers(file, directory, 324))).toEqual([248, 2_147_483_896]);
    expect(directory && (await readNumbers(file, directory, 325))).toEqual([2_147_483_648, 2_147_483_498]);
  });

  test('offsets far beyond are written in full, and strangers read them', async () => {
    const tiles = Array.from({ length: 2000 }, () => 4_000_000_001);
    const layout = layoutTiff({
      tileSize: 16,
      levels: [levelOf(16 * 2000, 16, 16)],
      bundles: [{ runs: [runOf(0, [0, 0], [2000, 1], tiles)] }],
    });
    const tiff = await openStrangers(wholeHead(layout), layout.size);
    const offsets = await tiff.images[0]?.fetch(TiffTag.TileOffsets);
    expect(layout.size).toBe(layout.headBytes + 8_000_000_002_000);
    expect(Number(offsets?.[1999])).toBe(layout.headBytes + 7_996_000_001_999);
    expect(await tiff.images[0]?.getTileSize(1999)).toEqual({
      offset: layout.headBytes + 7_996_000_001_999,
      imageSize: 4_000_000_001,
    });
  });
});

describe('a form that is asked for', () => {
  const level = levelOf(32, 16, 16);
  const layOut = (bigTiff: boolean, bytes: number) =>
    layoutTiff({
      tileSize: 16,
      levels: [level],
      bundles: [{ runs: [runOf(0, [0, 0], [2, 1], [bytes, 1])] }],
      bigTiff,
    });

  test('has a head of the same length whatever the tiles', () => {
    const request = { tileSize: 16, levels: [level] };
    expect([headBytes(request, false), headBytes(request, true)]).toEqual([150, 248]);
    expect(layOut(false, 9)).toMatchObject({ bigTiff: false, headBytes: 150, size: 160 });
    expect(layOut(true, 9)).toMatchObject({ bigTiff: true, headBytes: 248, size: 258 });
  });

  test('is refused when it is classic and the file is not', () => {
    expect(layOut(false, 2 ** 32 - 152).size).toBe(4_294_967_295);
    expect(() => layOut(false, 2 ** 32 - 151)).toThrow(RangeError);
  });
});

describe('a table that is not whole', () => {
  const level = levelOf(40, 40, 16);
  const all = runOf(0, [0, 0], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const layOut = (...runs: TileRun[]) => layoutTiff({ tileSize: 16, levels: [level], bundles: [{ runs }] });

  test('is refused; the whole one is not', () => {
    expect(layOut(all).size).toBeGreaterThan(45);
  });

  test('is not one whose runs turn around a tile, in whatever order', () => {
    const around = [
      runOf(0, [1, 1], [1, 1], [1]),
      runOf(0, [1, 2], [2, 1], [1, 1]),
      runOf(0, [0, 1], [1, 2], [1, 1]),
      runOf(0, [2, 0], [1, 2], [1, 1]),
      runOf(0, [0, 0], [2, 1], [1, 1]),
    ];
    const layout = layOut(...around);
    expect(layout.size).toBe(layout.headBytes + 9);
    expect(() => layOut(...around.slice(1))).toThrow(RangeError);
  });

  test('is not one with a run of no tiles', () => {
    const layout = layOut(runOf(0, [3, 0], [0, 3], []), all);
    expect(layout.size).toBe(layout.headBytes + 45);
  });

  test.each<[string, TileRun[]]>([
    ['a tile without a run', [runOf(0, [0, 0], [3, 2], [1, 1, 1, 1, 1, 1]), runOf(0, [0, 2], [2, 1], [1, 1])]],
    ['no runs', []],
    ['a tile in two runs', [all, runOf(0, [2, 2], [1, 1], [1])]],
    ['a run past the last column', [runOf(0, [1, 0], [3, 1], [1, 1, 1])]],
    ['a run past the last row', [runOf(0, [0, 3], [1, 1], [1])]],
    ['a tile of no bytes', [runOf(0, [0, 0], [3, 3], [1, 2, 3, 4, 0, 6, 7, 8, 9])]],
    ['too few byte counts', [runOf(0, [0, 0], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8])]],
    ['too many byte counts', [runOf(0, [0, 0], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])]],
    ['a level that is not there', [all, runOf(1, [0, 0], [1, 1], [1])]],
    ['a level below zero', [all, runOf(-1, [0, 0], [1, 1], [1])]],
    [
      'a column below zero, which would be the last of the row before',
      [
        runOf(0, [0, 0], [2, 1], [1, 1]),
        runOf(0, [-1, 1], [3, 1], [1, 1, 1]),
        runOf(0, [2, 1], [1, 1], [1]),
        runOf(0, [0, 2], [3, 1], [1, 1, 1]),
      ],
    ],
    [
      'a run before the one above it ends',
      [runOf(0, [0, 0], [3, 2], [1, 1, 1, 1, 1, 1]), runOf(0, [0, 1], [3, 2], [1, 1, 1, 1, 1, 1])],
    ],
    ['a row without a run', [runOf(0, [0, 0], [3, 1], [1, 1, 1]), runOf(0, [0, 2], [3, 1], [1, 1, 1])]],
    [
      'as many tiles, one twice and one not',
      [runOf(0, [0, 0], [3, 2], [1, 1, 1, 1, 1, 1]), runOf(0, [0, 2], [2, 1], [1, 1]), runOf(0, [1, 2], [1, 1], [1])],
    ],
    ['a column that is none', [runOf(0, [0.5, 0], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])]],
    ['a row below zero', [runOf(0, [0, -1], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])]],
  ])('is refused: %s', (_, runs) => {
    expect(() => layOut(...runs)).toThrow(RangeError);
  });
});

describe('a large head', () => {
  /** A run whose tiles have 1, 2, 3, … bytes: its tile n starts n · (n + 1) / 2 bytes into it. */
  const rising = (tiles: number): number[] => Array.from({ length: tiles }, (_, tile) => tile + 1);
  const triangular = (tile: number): number => (tile * (tile + 1)) / 2;

  function checkPieces({ headPieces, headBytes: bytes }: TiffLayout): void {
    expect(headPieces.length).toBeGreaterThan(2);
    expect(headPieces.reduce((sum, { length }) => sum + length, 0)).toBe(bytes);
    for (const piece of headPieces) {
      expect(piece.length).toBeLessThanOrEqual(2 ** 20);
      expect(piece.make()).toHaveLength(piece.length);
    }
  }

  test('is made in pieces of a mebibyte at most, in any order and again', () => {
    const level = levelOf(16 * 1_000, 16 * 300, 16);
    const layout = layoutTiff({
      tileSize: 16,
      levels: [level],
      bundles: [{ runs: [runOf(0, [0, 0], [1_000, 300], rising(300_000))] }],
    });
    checkPieces(layout);
    const head = wholeHead(layout);
    const backwards = [...layout.headPieces].reverse().map((piece) => piece.make());
    expect(Buffer.compare(Buffer.concat(backwards.reverse()), head)).toBe(0);
  });

  test.each([
    ['many rows', 700, 500],
    ['rows longer than a piece', 300_000, 2],
    ['one column', 1, 300_000],
  ])('of %s says where every tile is, to strangers too', async (_, across, down) => {
    const left = Math.floor(across / 3);
    const [leftTiles, rightTiles] = [left * down, (across - left) * down];
    const layout = layoutTiff({
      tileSize: 16,
      levels: [levelOf(16 * across, 16 * down, 16)],
      bundles: [
        { runs: [runOf(0, [left, 0], [across - left, down], rising(rightTiles))] },
        { runs: [runOf(0, [0, 0], [left, down], rising(leftTiles))] },
      ],
    });
    checkPieces(layout);
    expect(layout.size).toBe(layout.headBytes + triangular(leftTiles) + triangular(rightTiles));
    const tiff = await openStrangers(wholeHead(layout), layout.size);
    const offsets = Array.from((await tiff.images[0]?.fetch(TiffTag.TileOffsets)) ?? [], Number);
    const counts = Array.from((await tiff.images[0]?.fetch(TiffTag.TileByteCounts)) ?? [], Number);
    expect([offsets.length, counts.length]).toEqual([across * down, across * down]);
    const wrong = offsets.findIndex((offset, tile) => {
      const [row, column] = [Math.floor(tile / across), tile % across];
      const inRun = column < left ? row * left + column : row * (across - left) + column - left;
      const start = layout.headBytes + (column < left ? triangular(rightTiles) : 0);
      return offset !== start + triangular(inRun) || counts[tile] !== inRun + 1;
    });
    expect(wrong).toBe(-1);
  });

  test('of forty million tiles in two thousand blocks takes no memory for tiles', async () => {
    const [columns, rows] = [50, 40];
    const levels = Array.from({ length: 8 }, (_, level) =>
      levelOf(16 * 6_400 * 2 ** -level, 16 * 5_120 * 2 ** -level, 16),
    );
    const bundles = Array.from({ length: columns * rows }, (): { runs: TileRun[] } => ({ runs: [] }));
    for (let level = 7; level >= 0; level--) {
      const [across, down] = [128 * 2 ** -level, 128 * 2 ** -level];
      const byteCounts = new Uint32Array(across * down).fill(50_000);
      bundles.forEach(({ runs }, block) => {
        runs.push({
          level,
          column: (block % columns) * across,
          row: Math.floor(block / columns) * down,
          across,
          down,
          byteCounts,
        });
      });
    }
    const before = process.memoryUsage().arrayBuffers;
    const layout = layoutTiff({ tileSize: 16, levels, bundles });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
    const tiles = 2_000 * (16_384 + 4_096 + 1_024 + 256 + 64 + 16 + 4 + 1);
    expect(layout.size).toBe(layout.headBytes + tiles * 50_000);
    const tiff = await Tiff.create({
      url: new URL('test:head'),
      metadata: { size: layout.size },
      fetch: (offset, length = 0) => Promise.resolve(headRange(layout, offset, length)),
    });
    expect(tiff.images).toHaveLength(8);
    // Block 51 is the second of the second row; before it are 51 blocks, and of its own all smaller levels.
    const first = layout.headBytes + (51 * 21_845 + 5_461) * 50_000;
    const corner = 128 * 6_400 + 128;
    expect(await tiff.images[0]?.getTileSize(corner)).toEqual({ offset: first, imageSize: 50_000 });
    expect(await tiff.images[0]?.getTileSize(corner + 3 * 6_400 + 5)).toEqual({
      offset: first + (3 * 128 + 5) * 50_000,
      imageSize: 50_000,
    });
  });
});

describe('every head', () => {
  const rational: Field = { tag: 282, type: 5, values: [300, 1] };
  const odd: Field = { tag: 34_675, type: 7, values: Uint8Array.from([1, 2, 3, 4, 5, 6, 7]) };

  /** Levels of a small pyramid, each cut into two runs in two bundles. */
  const pyramid = fc
    .record({
      width: fc.integer({ min: 1, max: 300 }),
      height: fc.integer({ min: 1, max: 300 }),
      extra: fc.subarray([rational, odd]),
      big: fc.boolean(),
      seed: fc.integer({ min: 1, max: 1000 }),
    })
    .map(({ width, height, extra, big, seed }) => {
      const levels: LevelTable[] = [];
      for (let w = width, h = height; ; w = w >> 1 || 1, h = h >> 1 || 1) {
        levels.push(levelOf(w, h, 16, [...extra, ...grey]));
        if (w <= 16 && h <= 16) break;
      }
      const bytesOf = (tiles: number): number[] =>
        Array.from({ length: tiles }, (_, tile) => 1 + ((seed * 7919 + tile * 104_729) % (big ? 2 ** 32 - 1 : 5000)));
      const smallestFirst = levels.map((level, index) => ({ level, index })).reverse();
      const bundleOf = (firstRow: (down: number) => number, lastRow: (down: number) => number): TileBundle => ({
        runs: smallestFirst.flatMap(({ level, index }) => {
          const [row, end] = [firstRow(level.tilesDown), lastRow(level.tilesDown)];
          const tiles = level.tilesAcross * (end - row);
          return tiles === 0 ? [] : [runOf(index, [0, row], [level.tilesAcross, end - row], bytesOf(tiles))];
        }),
      });
      const half = (down: number): number => down >> 1;
      const bundles = [bundleOf(() => 0, half), bundleOf(half, (down) => down)];
      return { tileSize: 16, levels, bundles };
    });

  /** A level cut in two, then one of the parts in two, and so on. */
  const partition = fc
    .record({
      across: fc.integer({ min: 1, max: 12 }),
      down: fc.integer({ min: 1, max: 12 }),
      cuts: fc.array(fc.record({ part: fc.nat(), place: fc.nat(), vertical: fc.boolean() }), { maxLength: 12 }),
      order: fc.array(fc.nat(), { minLength: 13, maxLength: 13 }),
      seed: fc.integer({ min: 1, max: 1000 }),
    })
    .map(({ across, down, cuts, order, seed }) => {
      const parts = [{ column: 0, row: 0, across, down }];
      for (const { part: chosen, place, vertical } of cuts) {
        const index = chosen % parts.length;
        const part = parts[index];
        const side = (vertical ? part?.across : part?.down) ?? 1;
        if (!part || side === 1) continue;
        const first = 1 + (place % (side - 1));
        const [one, other] = vertical
          ? [
              { ...part, across: first },
              { ...part, column: part.column + first, across: side - first },
            ]
          : [
              { ...part, down: first },
              { ...part, row: part.row + first, down: side - first },
            ];
        parts.splice(index, 1, one, other);
      }
      const runs = parts.map((part, index) => ({
        at: order[index] ?? 0,
        run: runOf(
          0,
          [part.column, part.row],
          [part.across, part.down],
          Array.from(
            { length: part.across * part.down },
            (_, tile) => 1 + ((seed * 7919 + tile * 104_729 + index) % 5000),
          ),
        ),
      }));
      return { across, down, runs: runs.sort((a, b) => a.at - b.at).map(({ run }) => run) };
    });

  test('has sorted tags, even offsets, ascending IFDs near the start, and tiles that fill the rest of the file', async () => {
    await fc.assert(
      fc.asyncProperty(pyramid, async (request) => {
        const layout = layoutTiff(request);
        const view = new DataView(Uint8Array.from(wholeHead(layout)).buffer);
        const number = (at: number): number =>
          layout.bigTiff ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
        const shape = layout.bigTiff
          ? { first: 8, count: 8, entry: 20, pointer: 8 }
          : { first: 4, count: 2, entry: 12, pointer: 4 };
        const places: number[] = [];
        for (let at = number(shape.first); at !== 0;) {
          places.push(at);
          const fields = view.getUint16(at, true);
          const tags = Array.from({ length: fields }, (_, index) =>
            view.getUint16(at + shape.count + index * shape.entry, true),
          );
          expect(tags).toEqual([...tags].sort((a, b) => a - b));
          expect(new Set(tags).size).toBe(tags.length);
          at = number(at + shape.count + fields * shape.entry);
        }
        expect(places).toHaveLength(request.levels.length);
        expect(places).toEqual([...places].sort((a, b) => a - b));
        expect(places[0]).toBeLessThan(300);
        const file = await readTiff(headReader(wholeHead(layout), layout.size));
        const tiles: [number, number][] = [];
        const firstTiles: number[] = [];
        for (const [index, directory] of file.directories.entries()) {
          expect((places[index] ?? 1) % 2).toBe(0);
          const offsets = (await readNumbers(file, directory, 324)) ?? [];
          const counts = (await readNumbers(file, directory, 325)) ?? [];
          offsets.forEach((offset, tile) => tiles.push([offset, offset + (counts[tile] ?? 0)]));
          firstTiles.push(Math.min(...offsets));
          for (const entry of directory.values()) if (entry.bytes > shape.pointer) expect(entry.offset % 2).toBe(0);
        }
        tiles.sort((a, b) => a[0] - b[0]);
        // Without a gap and without an overlap, from the end of the head to the end of the file.
        expect(tiles[0]?.[0]).toBe(layout.headBytes);
        tiles.forEach(([, end], tile) => {
          expect(tiles[tile + 1]?.[0] ?? layout.size).toBe(end);
        });
        expect(layout.bundleOffsets[0]).toBe(layout.headBytes);
        if (request.bundles[0]?.runs.length) return;
        expect(layout.bundleOffsets[1]).toBe(layout.headBytes);
      }),
      { numRuns: 60 },
    );
  });

  test('says the same to strangers', async () => {
    await fc.assert(
      fc.asyncProperty(pyramid, async (request) => {
        const layout = layoutTiff(request);
        const file = await readTiff(headReader(wholeHead(layout), layout.size));
        const tiff = await openStrangers(wholeHead(layout), layout.size);
        expect(tiff.images.map(({ size }) => [size.width, size.height])).toEqual(
          request.levels.map(({ width, height }) => [width, height]),
        );
        for (const [index, image] of tiff.images.entries()) {
          const directory = file.directories[index] ?? new Map<never, never>();
          expect(image.tileSize).toEqual({ width: 16, height: 16 });
          expect(Array.from((await image.fetch(TiffTag.TileOffsets)) ?? [], Number)).toEqual(
            await readNumbers(file, directory, 324),
          );
          expect(Array.from((await image.fetch(TiffTag.TileByteCounts)) ?? [], Number)).toEqual(
            await readNumbers(file, directory, 325),
          );
        }
      }),
      { numRuns: 40 },
    );
  });

  test('of runs that part a level in any way, in any order, says where each tile was put', async () => {
    await fc.assert(
      fc.asyncProperty(partition, async ({ across, down, runs }) => {
        const request = { tileSize: 16, levels: [levelOf(16 * across, 16 * down, 16)], bundles: [{ runs }] };
        const layout = layoutTiff(request);
        const file = await readTiff(headReader(wholeHead(layout), layout.size));
        const directory = file.directories[0] ?? new Map<never, never>();
        const offsets = await readNumbers(file, directory, 324);
        const counts = await readNumbers(file, directory, 325);
        let end = layout.headBytes;
        for (const run of runs) {
          run.byteCounts.forEach((bytes: number, index: number) => {
            const tile = (run.row + Math.floor(index / run.across)) * across + run.column + (index % run.across);
            expect([offsets?.[tile], counts?.[tile]]).toEqual([end, bytes]);
            end += bytes;
          });
        }
        expect(layout.size).toBe(end);
        for (const [index, run] of runs.entries()) {
          const without = [{ runs: runs.toSpliced(index, 1) }];
          expect(() => layoutTiff({ ...request, bundles: without })).toThrow(RangeError);
          expect(() => layoutTiff({ ...request, bundles: [{ runs: [...runs, run] }] })).toThrow(RangeError);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('puts the first tile of a smaller level before that of the next larger', async () => {
    const layout = layoutTiff({
      tileSize: 16,
      levels: [levelOf(64, 64, 16), levelOf(32, 32, 16), levelOf(16, 16, 16)],
      bundles: [
        { runs: [runOf(2, [0, 0], [1, 1], [10])] },
        { runs: [runOf(1, [0, 0], [2, 1], [20, 21]), runOf(0, [0, 0], [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])] },
        { runs: [runOf(1, [0, 1], [2, 1], [22, 23]), runOf(0, [0, 2], [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])] },
      ],
    });
    const file = await readTiff(headReader(wholeHead(layout), layout.size));
    const start = layout.headBytes;
    expect(layout.bundleOffsets).toEqual([start, start + 10, start + 10 + 41 + 36]);
    const tables = await Promise.all(file.directories.map((directory) => readNumbers(file, directory, 324)));
    expect(tables[2]).toEqual([start]);
    expect(tables[1]).toEqual([start + 10, start + 30, start + 87, start + 109]);
    expect(tables[0]?.slice(0, 3)).toEqual([start + 51, start + 52, start + 54]);
    expect(tables[0]?.slice(8, 10)).toEqual([start + 132, start + 133]);
  });
});

test('libtiff decodes a file of raw tiles to the pixels that were put in', async () => {
  const [width, height, tile] = [40, 23, 16];
  const pixels = picture(width, height, 1);
  const tiles: Uint8Array[] = [];
  for (let top = 0; top < height; top += tile) {
    for (let left = 0; left < width; left += tile) {
      const bytes = new Uint8Array(tile * tile);
      for (let y = top; y < Math.min(height, top + tile); y++) {
        bytes.set(pixels.subarray(y * width + left, y * width + Math.min(width, left + tile)), (y - top) * tile);
      }
      tiles.push(bytes);
    }
  }
  const small = new Uint8Array(tile * tile).fill(77);
  const layout = layoutTiff({
    tileSize: tile,
    levels: [levelOf(width, height, tile), levelOf(16, 11, tile)],
    bundles: [
      { runs: [runOf(1, [0, 0], [1, 1], [256])] },
      {
        runs: [
          runOf(
            0,
            [0, 0],
            [3, 2],
            tiles.map((bytes) => bytes.length),
          ),
        ],
      },
    ],
  });
  const file = Buffer.concat([wholeHead(layout), small, ...tiles]);
  expect(file.length).toBe(layout.size);
  const first = await sharp(file).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  expect(first.info).toMatchObject({ width: 40, height: 23, channels: 1 });
  expect(first.data.equals(pixels)).toBe(true);
  const second = await sharp(file, { page: 1 }).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  expect(second.info).toMatchObject({ width: 16, height: 11 });
  expect(second.data.every((sample) => sample === 77)).toBe(true);
});

test('a field type that cannot be written is refused, not written wrong', () => {
  const level = levelOf(16, 16, 16, [{ tag: 700, type: 99, values: [1] }]);
  const bundles = [{ runs: [runOf(0, [0, 0], [1, 1], [1])] }];
  expect(() => layoutTiff({ tileSize: 16, levels: [level], bundles })).toThrow(/field type/u);
});
