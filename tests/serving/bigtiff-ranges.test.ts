import { mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fromUrl } from 'geotiff';
import { layoutTiff, type TiffLayout, joinHeader } from '../../src/tiff/layout.ts';
import type { LevelTable } from '../../src/tiff/written-directory.ts';
import { picture } from '../support/pixels.ts';
import { type RangedServer, startRangedServer } from '../support/ranged-server.ts';

const SIDE = 256;
const TILE_BYTES = SIDE * SIDE;
const SHORT = 3;
const LONG = 4;

/** In a constant, because the types of geotiff omit `blockSize`. */
const inBlocks = { allowFullFile: false, blockSize: 65_536 };

/** Grey, 8 bits, uncompressed: the bytes of a tile are its samples. */
function level(tilesAcross: number, subfileType: 0 | 1): LevelTable {
  const fields = [
    { tag: 254, type: LONG, values: [subfileType] },
    { tag: 258, type: SHORT, values: [8] },
    { tag: 259, type: SHORT, values: [1] },
    { tag: 262, type: SHORT, values: [1] },
    { tag: 277, type: SHORT, values: [1] },
  ];
  return { width: tilesAcross * SIDE, height: SIDE, tilesAcross, tilesDown: 1, fields };
}

const tiles = [1, 2, 3].map((seed) => picture(SIDE, SIDE, 1, seed)) as [Buffer, Buffer, Buffer];

let folder: string;
let layout: TiffLayout;
let server: RangedServer;
beforeAll(async () => {
  const run = { column: 0, row: 0, down: 1 };
  layout = layoutTiff({
    tileSize: SIDE,
    levels: [level(3, 0), level(1, 1)],
    bundles: [
      {
        runs: [
          { ...run, level: 1, across: 1, byteCounts: [TILE_BYTES] },
          // The tile in the middle has a byte count of 4 GiB and is never read: the file is sparse
          // there.
          { ...run, level: 0, across: 3, byteCounts: [TILE_BYTES, 2 ** 32, TILE_BYTES] },
        ],
      },
    ],
  });
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-bigtiff-'));
  const [start = 0] = layout.bundleOffsets;
  const handle = await open(path.join(folder, 'big.tif'), 'wx');
  await handle.write(joinHeader(layout), 0, layout.headerBytes, 0);
  await handle.write(tiles[0], 0, TILE_BYTES, start);
  await handle.write(tiles[1], 0, TILE_BYTES, start + TILE_BYTES);
  await handle.write(tiles[2], 0, TILE_BYTES, start + 2 * TILE_BYTES + 2 ** 32);
  await handle.close();
  server = await startRangedServer(folder);
});
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

test('tiles of a BigTIFF below and above 4 GiB are read over HTTP in one request each', async () => {
  expect(layout).toMatchObject({ bigTiff: true });
  const tiff = await fromUrl(`${server.url}/big.tif`, inBlocks);
  expect([tiff.bigTiff, await tiff.getImageCount()]).toEqual([true, 2]);
  expect(server.take()).toHaveLength(1);
  const [full, overview] = [await tiff.getImage(0), await tiff.getImage(1)];
  expect([full.getWidth(), full.getHeight(), overview.getWidth()]).toEqual([768, 256, 256]);
  const read = async (image: typeof full, left: number): Promise<Buffer> =>
    Buffer.from((await image.readRasters({ window: [left, 0, left + 256, 256], interleave: true })) as Uint8Array);
  expect((await read(overview, 0)).equals(tiles[0])).toBe(true);
  expect((await read(full, 0)).equals(tiles[1])).toBe(true);
  server.take();
  expect((await read(full, 512)).equals(tiles[2])).toBe(true);
  const requests = server.take();
  expect(requests).toHaveLength(1);
  expect(requests[0]?.range).toMatch(/^bytes=4295\d{6}-/u);
});
