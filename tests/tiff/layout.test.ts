import { describe, expect, test } from '@jest/globals';
import { Tiff, TiffTag } from '@cogeotiff/core';
import fc from 'fast-check';
import sharp from 'sharp';
import { headerBytes, layoutTiff, type TileBundle, type TiffLayout, joinHeader } from '../../src/tiff/layout.ts';
import type { TileRun } from '../../src/tiff/tile-table.ts';
import type { Field, LevelTable } from '../../src/tiff/written-directory.ts';
import { readNumbers, readTiff } from '../../src/tiff/read.ts';
import { picture } from '../support/pixels.ts';

const LONG = 4;
const SHORT = 3;

/** The required fields of a grey, 8-bit, uncompressed level. */
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

function runOf(
  level: number,
  origin: [column: number, row: number],
  shape: [number, number],
  bytes: number[],
): TileRun {
  return { level, column: origin[0], row: origin[1], across: shape[0], down: shape[1], byteCounts: bytes };
}

/** A reader of a file of `size` bytes that holds only the header. */
function headerReader(header: Uint8Array, size: number) {
  return { size, read: (offset: number, length: number) => Promise.resolve(header.subarray(offset, offset + length)) };
}

function openWithCogeotiff(header: Uint8Array, size: number): Promise<Tiff> {
  return Tiff.create({
    url: new URL('test:header'),
    metadata: { size },
    fetch: (offset, length = size - offset) =>
      Promise.resolve(Uint8Array.from(header.subarray(offset, offset + length)).buffer),
  });
}

/** Bytes of a header too large to be joined: pieces are made as they are read. */
function headerRange({ headerPieces }: TiffLayout, offset: number, length: number): ArrayBuffer {
  const range = new Uint8Array(length);
  let start = 0;
  for (const piece of headerPieces) {
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

describe('layout of a small file', () => {
  const layout = layoutTiff({
    tileSize: 16,
    levels: [levelOf(20, 16, 16), levelOf(10, 8, 16, [{ tag: 254, type: LONG, values: [1] }, ...grey])],
    bundles: [{ runs: [runOf(1, [0, 0], [1, 1], [256]), runOf(0, [0, 0], [2, 1], [256, 255])] }],
  });

  test('matches the expected bytes of header and directories', () => {
    const header = joinHeader(layout);
    // Lines of twelve bytes, broken where an IFD begins: tag, type, count, value.
    expect([
      Buffer.from(header.subarray(0, 8)).toString('hex'),
      Buffer.from(header.subarray(8, 10)).toString('hex'),
      ...hexDump(header.subarray(10, 130)),
      Buffer.from(header.subarray(130, 134)).toString('hex'),
      Buffer.from(header.subarray(134, 150)).toString('hex'),
      Buffer.from(header.subarray(150, 152)).toString('hex'),
      ...hexDump(header.subarray(152, 284)),
      Buffer.from(header.subarray(284)).toString('hex'),
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

describe('choice between classic TIFF and BigTIFF', () => {
  const twoTiles = (second: number) =>
    layoutTiff({
      tileSize: 16,
      levels: [levelOf(32, 16, 16)],
      bundles: [{ runs: [runOf(0, [0, 0], [2, 1], [2 ** 31, second])] }],
    });
  // The header of such a classic file: 8 of header, 2 + 10 × 12 + 4 of IFD, 2 × 4 of offsets, 2 × 4
  // of byte counts.
  const header = 150;

  test('a file that ends one byte below 4 GiB is a classic TIFF', async () => {
    const layout = twoTiles(2 ** 31 - header - 1);
    expect(layout).toMatchObject({ bigTiff: false, size: 4_294_967_295, bundleOffsets: [150] });
    const file = await readTiff(headerReader(joinHeader(layout), layout.size));
    expect(file.bigTiff).toBe(false);
    const [directory] = file.directories;
    expect(directory && (await readNumbers(file, directory, 324))).toEqual([150, 2_147_483_798]);
  });

  test('a file that would end at 4 GiB is a BigTIFF', async () => {
    const layout = twoTiles(2 ** 31 - header);
    // 16 of header, 8 + 10 × 20 + 8 of IFD, 2 × 8 of offsets; two byte counts fit in their entry.
    expect(layout).toMatchObject({ bigTiff: true, size: 4_294_967_296 + 248 - 150, bundleOffsets: [248] });
    const file = await readTiff(headerReader(joinHeader(layout), layout.size));
    expect(file.bigTiff).toBe(true);
    const [directory] = file.directories;
    expect(directory && (await readNumbers(file, directory, 324))).toEqual([248, 2_147_483_896]);
    expect(directory && (await readNumbers(file, directory, 325))).toEqual([2_147_483_648, 2_147_483_498]);
  });

  test('offsets far above 4 GiB are written as 64 bits and read back by @cogeotiff/core', async () => {
    const tiles = Array.from({ length: 2000 }, () => 4_000_000_001);
    const layout = layoutTiff({
      tileSize: 16,
      levels: [levelOf(16 * 2000, 16, 16)],
      bundles: [{ runs: [runOf(0, [0, 0], [2000, 1], tiles)] }],
    });
    const tiff = await openWithCogeotiff(joinHeader(layout), layout.size);
    const offsets = await tiff.images[0]?.fetch(TiffTag.TileOffsets);
    expect(layout.size).toBe(layout.headerBytes + 8_000_000_002_000);
    expect(Number(offsets?.[1999])).toBe(layout.headerBytes + 7_996_000_001_999);
    expect(await tiff.images[0]?.getTileSize(1999)).toEqual({
      offset: layout.headerBytes + 7_996_000_001_999,
      imageSize: 4_000_000_001,
    });
  });
});

describe('layout with an explicit choice of classic TIFF or BigTIFF', () => {
  const level = levelOf(32, 16, 16);
  const layOut = (bigTiff: boolean, bytes: number) =>
    layoutTiff({
      tileSize: 16,
      levels: [level],
      bundles: [{ runs: [runOf(0, [0, 0], [2, 1], [bytes, 1])] }],
      bigTiff,
    });

  test('has a header length that does not depend on the tiles', () => {
    const request = { tileSize: 16, levels: [level] };
    expect([headerBytes(request, false), headerBytes(request, true)]).toEqual([150, 248]);
    expect(layOut(false, 9)).toMatchObject({ bigTiff: false, headerBytes: 150, size: 160 });
    expect(layOut(true, 9)).toMatchObject({ bigTiff: true, headerBytes: 248, size: 258 });
  });

  test('throws RangeError when a classic TIFF would not end below 4 GiB', () => {
    expect(layOut(false, 2 ** 32 - 152).size).toBe(4_294_967_295);
    expect(() => layOut(false, 2 ** 32 - 151)).toThrow(RangeError);
  });
});

describe('coverage of a level by runs of tiles', () => {
  const level = levelOf(40, 40, 16);
  const all = runOf(0, [0, 0], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const layOut = (...runs: TileRun[]) => layoutTiff({ tileSize: 16, levels: [level], bundles: [{ runs }] });

  test('accepts a run that covers the whole level', () => {
    expect(layOut(all).size).toBeGreaterThan(45);
  });

  test('accepts runs arranged around a central tile in any order', () => {
    const around = [
      runOf(0, [1, 1], [1, 1], [1]),
      runOf(0, [1, 2], [2, 1], [1, 1]),
      runOf(0, [0, 1], [1, 2], [1, 1]),
      runOf(0, [2, 0], [1, 2], [1, 1]),
      runOf(0, [0, 0], [2, 1], [1, 1]),
    ];
    const layout = layOut(...around);
    expect(layout.size).toBe(layout.headerBytes + 9);
    expect(() => layOut(...around.slice(1))).toThrow(RangeError);
  });

  test('accepts an additional run without tiles', () => {
    const layout = layOut(runOf(0, [3, 0], [0, 3], []), all);
    expect(layout.size).toBe(layout.headerBytes + 45);
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
    ['a level that does not exist', [all, runOf(1, [0, 0], [1, 1], [1])]],
    ['a negative level', [all, runOf(-1, [0, 0], [1, 1], [1])]],
    [
      'a negative column, which would wrap to the end of the row above',
      [
        runOf(0, [0, 0], [2, 1], [1, 1]),
        runOf(0, [-1, 1], [3, 1], [1, 1, 1]),
        runOf(0, [2, 1], [1, 1], [1]),
        runOf(0, [0, 2], [3, 1], [1, 1, 1]),
      ],
    ],
    [
      'a run that starts above the end of the run over it',
      [runOf(0, [0, 0], [3, 2], [1, 1, 1, 1, 1, 1]), runOf(0, [0, 1], [3, 2], [1, 1, 1, 1, 1, 1])],
    ],
    ['a row without a run', [runOf(0, [0, 0], [3, 1], [1, 1, 1]), runOf(0, [0, 2], [3, 1], [1, 1, 1])]],
    [
      'the right number of tiles with one covered twice and one not covered',
      [runOf(0, [0, 0], [3, 2], [1, 1, 1, 1, 1, 1]), runOf(0, [0, 2], [2, 1], [1, 1]), runOf(0, [1, 2], [1, 1], [1])],
    ],
    ['a fractional column', [runOf(0, [0.5, 0], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])]],
    ['a negative row', [runOf(0, [0, -1], [3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9])]],
  ])('throws RangeError for %s', (_, runs) => {
    expect(() => layOut(...runs)).toThrow(RangeError);
  });
});

describe('layout with a large header', () => {
  /** Tiles of 1, 2, 3, … bytes: tile n starts n · (n + 1) / 2 bytes after the start of the run. */
  const rising = (tiles: number): number[] => Array.from({ length: tiles }, (_, tile) => tile + 1);
  const triangular = (tile: number): number => (tile * (tile + 1)) / 2;

  function checkPieces({ headerPieces, headerBytes: bytes }: TiffLayout): void {
    expect(headerPieces.length).toBeGreaterThan(2);
    expect(headerPieces.reduce((sum, { length }) => sum + length, 0)).toBe(bytes);
    for (const piece of headerPieces) {
      expect(piece.length).toBeLessThanOrEqual(2 ** 20);
      expect(piece.make()).toHaveLength(piece.length);
    }
  }

  test('returns the same header pieces of at most 1 MiB in any order and on repetition', () => {
    const level = levelOf(16 * 1_000, 16 * 300, 16);
    const layout = layoutTiff({
      tileSize: 16,
      levels: [level],
      bundles: [{ runs: [runOf(0, [0, 0], [1_000, 300], rising(300_000))] }],
    });
    checkPieces(layout);
    const header = joinHeader(layout);
    const backwards = [...layout.headerPieces].reverse().map((piece) => piece.make());
    expect(Buffer.compare(Buffer.concat(backwards.reverse()), header)).toBe(0);
  });

  test.each([
    ['many rows', 700, 500],
    ['rows longer than a piece', 300_000, 2],
    ['one column', 1, 300_000],
  ])('@cogeotiff/core reads the offset of every tile of %s', async (_, across, down) => {
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
    expect(layout.size).toBe(layout.headerBytes + triangular(leftTiles) + triangular(rightTiles));
    const tiff = await openWithCogeotiff(joinHeader(layout), layout.size);
    const offsets = Array.from((await tiff.images[0]?.fetch(TiffTag.TileOffsets)) ?? [], Number);
    const counts = Array.from((await tiff.images[0]?.fetch(TiffTag.TileByteCounts)) ?? [], Number);
    expect([offsets.length, counts.length]).toEqual([across * down, across * down]);
    const wrong = offsets.findIndex((offset, tile) => {
      const [row, column] = [Math.floor(tile / across), tile % across];
      const inRun = column < left ? row * left + column : row * (across - left) + column - left;
      const start = layout.headerBytes + (column < left ? triangular(rightTiles) : 0);
      return offset !== start + triangular(inRun) || counts[tile] !== inRun + 1;
    });
    expect(wrong).toBe(-1);
  });

  test('forty million tiles in two thousand blocks need no memory per tile', async () => {
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
    expect(layout.size).toBe(layout.headerBytes + tiles * 50_000);
    const tiff = await Tiff.create({
      url: new URL('test:header'),
      metadata: { size: layout.size },
      fetch: (offset, length = 0) => Promise.resolve(headerRange(layout, offset, length)),
    });
    expect(tiff.images).toHaveLength(8);
    // Block 51 is the second of the second row; 51 blocks and its own smaller levels precede its
    // level 0.
    const first = layout.headerBytes + (51 * 21_845 + 5_461) * 50_000;
    const corner = 128 * 6_400 + 128;
    expect(await tiff.images[0]?.getTileSize(corner)).toEqual({ offset: first, imageSize: 50_000 });
    expect(await tiff.images[0]?.getTileSize(corner + 3 * 6_400 + 5)).toEqual({
      offset: first + (3 * 128 + 5) * 50_000,
      imageSize: 50_000,
    });
  });
});

describe('layout of generated pyramids', () => {
  const rational: Field = { tag: 282, type: 5, values: [300, 1] };
  const odd: Field = { tag: 34_675, type: 7, values: Uint8Array.from([1, 2, 3, 4, 5, 6, 7]) };

  /** A small pyramid; each level is split into two runs in two bundles. */
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

  /** A level split repeatedly: each cut divides one of the parts in two. */
  const partition = fc
    .record({
      across: fc.integer({ min: 1, max: 12 }),
      down: fc.integer({ min: 1, max: 12 }),
      cuts: fc.array(fc.record({ part: fc.nat(), position: fc.nat(), vertical: fc.boolean() }), { maxLength: 12 }),
      order: fc.array(fc.nat(), { minLength: 13, maxLength: 13 }),
      seed: fc.integer({ min: 1, max: 1000 }),
    })
    .map(({ across, down, cuts, order, seed }) => {
      const parts = [{ column: 0, row: 0, across, down }];
      for (const { part: chosen, position, vertical } of cuts) {
        const index = chosen % parts.length;
        const part = parts[index];
        const side = (vertical ? part?.across : part?.down) ?? 1;
        if (!part || side === 1) continue;
        const first = 1 + (position % (side - 1));
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

  test('has sorted tags, even offsets, ascending IFDs near the start and tiles that fill the rest of the file', async () => {
    await fc.assert(
      fc.asyncProperty(pyramid, async (request) => {
        const layout = layoutTiff(request);
        const view = new DataView(Uint8Array.from(joinHeader(layout)).buffer);
        const number = (at: number): number =>
          layout.bigTiff ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
        const shape = layout.bigTiff
          ? { first: 8, count: 8, entry: 20, pointer: 8 }
          : { first: 4, count: 2, entry: 12, pointer: 4 };
        const positions: number[] = [];
        for (let at = number(shape.first); at !== 0;) {
          positions.push(at);
          const fields = view.getUint16(at, true);
          const tags = Array.from({ length: fields }, (_, index) =>
            view.getUint16(at + shape.count + index * shape.entry, true),
          );
          expect(tags).toEqual([...tags].sort((a, b) => a - b));
          expect(new Set(tags).size).toBe(tags.length);
          at = number(at + shape.count + fields * shape.entry);
        }
        expect(positions).toHaveLength(request.levels.length);
        expect(positions).toEqual([...positions].sort((a, b) => a - b));
        expect(positions[0]).toBeLessThan(300);
        const file = await readTiff(headerReader(joinHeader(layout), layout.size));
        const tiles: [number, number][] = [];
        const firstTiles: number[] = [];
        for (const [index, directory] of file.directories.entries()) {
          expect((positions[index] ?? 1) % 2).toBe(0);
          const offsets = (await readNumbers(file, directory, 324)) ?? [];
          const counts = (await readNumbers(file, directory, 325)) ?? [];
          offsets.forEach((offset, tile) => tiles.push([offset, offset + (counts[tile] ?? 0)]));
          firstTiles.push(Math.min(...offsets));
          for (const entry of directory.values()) if (entry.bytes > shape.pointer) expect(entry.offset % 2).toBe(0);
        }
        tiles.sort((a, b) => a[0] - b[0]);
        // The tiles fill the file from the end of the header to its end without gap and overlap.
        expect(tiles[0]?.[0]).toBe(layout.headerBytes);
        tiles.forEach(([, end], tile) => {
          expect(tiles[tile + 1]?.[0] ?? layout.size).toBe(end);
        });
        expect(layout.bundleOffsets[0]).toBe(layout.headerBytes);
        if (request.bundles[0]?.runs.length) return;
        expect(layout.bundleOffsets[1]).toBe(layout.headerBytes);
      }),
      { numRuns: 60 },
    );
  });

  test('@cogeotiff/core and readTiff read the same sizes, offsets and byte counts', async () => {
    await fc.assert(
      fc.asyncProperty(pyramid, async (request) => {
        const layout = layoutTiff(request);
        const file = await readTiff(headerReader(joinHeader(layout), layout.size));
        const tiff = await openWithCogeotiff(joinHeader(layout), layout.size);
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

  test('writes the offset of every tile for any partition of a level into runs in any order', async () => {
    await fc.assert(
      fc.asyncProperty(partition, async ({ across, down, runs }) => {
        const request = { tileSize: 16, levels: [levelOf(16 * across, 16 * down, 16)], bundles: [{ runs }] };
        const layout = layoutTiff(request);
        const file = await readTiff(headerReader(joinHeader(layout), layout.size));
        const directory = file.directories[0] ?? new Map<never, never>();
        const offsets = await readNumbers(file, directory, 324);
        const counts = await readNumbers(file, directory, 325);
        let end = layout.headerBytes;
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

  test('places the first tile of each level before the first tile of the next larger level', async () => {
    const layout = layoutTiff({
      tileSize: 16,
      levels: [levelOf(64, 64, 16), levelOf(32, 32, 16), levelOf(16, 16, 16)],
      bundles: [
        { runs: [runOf(2, [0, 0], [1, 1], [10])] },
        { runs: [runOf(1, [0, 0], [2, 1], [20, 21]), runOf(0, [0, 0], [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])] },
        { runs: [runOf(1, [0, 1], [2, 1], [22, 23]), runOf(0, [0, 2], [4, 2], [1, 2, 3, 4, 5, 6, 7, 8])] },
      ],
    });
    const file = await readTiff(headerReader(joinHeader(layout), layout.size));
    const start = layout.headerBytes;
    expect(layout.bundleOffsets).toEqual([start, start + 10, start + 10 + 41 + 36]);
    const tables = await Promise.all(file.directories.map((directory) => readNumbers(file, directory, 324)));
    expect(tables[2]).toEqual([start]);
    expect(tables[1]).toEqual([start + 10, start + 30, start + 87, start + 109]);
    expect(tables[0]?.slice(0, 3)).toEqual([start + 51, start + 52, start + 54]);
    expect(tables[0]?.slice(8, 10)).toEqual([start + 132, start + 133]);
  });
});

test('libtiff decodes a file of uncompressed tiles to the original pixels', async () => {
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
  const file = Buffer.concat([joinHeader(layout), small, ...tiles]);
  expect(file.length).toBe(layout.size);
  const first = await sharp(file).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  expect(first.info).toMatchObject({ width: 40, height: 23, channels: 1 });
  expect(first.data.equals(pixels)).toBe(true);
  const second = await sharp(file, { page: 1 }).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
  expect(second.info).toMatchObject({ width: 16, height: 11 });
  expect(second.data.every((sample) => sample === 77)).toBe(true);
});

test('layoutTiff throws for a field type that it cannot write', () => {
  const level = levelOf(16, 16, 16, [{ tag: 700, type: 99, values: [1] }]);
  const bundles = [{ runs: [runOf(0, [0, 0], [1, 1], [1])] }];
  expect(() => layoutTiff({ tileSize: 16, levels: [level], bundles })).toThrow(/field type/u);
});
