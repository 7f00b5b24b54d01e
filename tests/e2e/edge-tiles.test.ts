import { readdir } from 'node:fs/promises';
import os from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { planLevels } from '../../src/pyramid/levels.ts';
import type { Cut } from '../../src/pyramid/plan.ts';
import { cutInto, expectSameLevels, jpeg, recipesFolder, TILE } from '../support/exactness.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import {
  decodeLevels,
  extendedTiff,
  pictureOf,
  pyramidOf,
  singlePass,
  tiffOf,
  type TileOptions,
} from '../support/pixels.ts';
import { tilesOfPage } from '../support/tile-bytes.ts';

let recipes: Awaited<ReturnType<typeof recipesFolder>>;
let pipeline: Pipeline;
beforeAll(async () => {
  recipes = await recipesFolder({
    jpeg: { encoding: '{ compression: jpeg, quality: 80 }', colour: 'keep' },
    webp: { encoding: '{ compression: webp, quality: 80 }', colour: 'keep' },
    lzw: { encoding: '{ compression: lzw }', colour: 'keep' },
  });
  pipeline = await startPipeline((store) => store, { recipesDirectory: recipes.folder });
});
afterAll(async () => {
  await pipeline.stop();
  await recipes.remove();
});

async function publish(key: string, master: Buffer, recipe: string, cut?: Cut): Promise<Buffer> {
  return Buffer.from(await pipeline.store.read(await pipeline.run(key, master, { recipe, ...(cut ? { cut } : {}) })));
}

/** One block with all levels, in parts of so many pixels. */
function oneBlock(width: number, height: number, partPixels: number): Cut {
  const { length } = planLevels({ width, height }, TILE);
  return { ...cutInto(width, height, length - 1, width, height), partPixels };
}

const cutsOf = (width: number, height: number): readonly [string, Cut | undefined][] => [
  ['one block', undefined],
  ['one block in parts', oneBlock(width, height, TILE * TILE)],
  ['blocks', cutInto(width, height, 0, TILE, TILE)],
  ['blocks with top levels', cutInto(width, height, 1, 2 * TILE, 2 * TILE)],
];

describe('a picture of one colour keeps it up to its edges, on every level, of', () => {
  const red = [200, 30, 30];
  const whole = { width: 129, height: 129, channels: 3 } as const;
  test.each(cutsOf(129, 129))('%s', async (name, cut) => {
    const master = await sharp({ create: { ...whole, background: { r: 200, g: 30, b: 30 } } })
      .png()
      .toBuffer();
    for (const [recipe, tolerance] of [
      ['jpeg', 0],
      ['webp', 2],
    ] as const) {
      const levels = await decodeLevels(await publish(`${recipe}-${name}.png`, master, recipe, cut));
      expect(levels.map(({ width }) => width)).toEqual([129, 64]);
      for (const { pixels } of levels) {
        const worst = pixels.reduce((most, sample, at) => Math.max(most, Math.abs(sample - (red[at % 3] ?? 0))), 0);
        expect(worst).toBeLessThanOrEqual(tolerance);
      }
    }
  });
});

describe('the bytes of tiles are those of libvips, of', () => {
  const [width, height] = [325, 201];
  const picture = (): Sharp => pictureOf(width, height);
  const recipes: readonly TileOptions[] = [
    { tileSize: TILE, compression: 'jpeg', quality: 80 },
    { tileSize: TILE, compression: 'webp', quality: 80 },
    { tileSize: TILE, compression: 'lzw' },
  ];
  const cases = cutsOf(width, height).flatMap(([name, cut]) => recipes.map((options) => ({ name, cut, options })));
  test.each(cases)('$options.compression, $name', async ({ name, cut, options }) => {
    const { compression } = options;
    const master = await picture().png().toBuffer();
    const published = await publish(`${compression}-${name}-bytes.png`, master, compression, cut);
    const { tileSize } = options;
    const onePass = await picture()
      .tiff({ ...tiffOf(options), pyramid: true })
      .toBuffer();
    const levels = await pyramidOf(picture(), { tileSize: TILE, compression: 'deflate' });
    for (const [page, level] of levels.entries()) {
      const { across, tiles } = await tilesOfPage(published, page);
      const passed = await tilesOfPage(onePass, page);
      const extended = await tilesOfPage(await extendedTiff(level, options), 0);
      expect([tiles.length, passed.tiles.length, extended.tiles.length]).toEqual(Array(3).fill(tiles.length));
      const different = tiles.flatMap((bytes, index) => {
        const right = ((index % across) + 1) * tileSize;
        const bottom = (Math.floor(index / across) + 1) * tileSize;
        const isAtEdge = right > level.width || bottom > level.height;
        const expected = isAtEdge ? extended : passed;
        return expected.tiles[index]?.equals(bytes) ? [] : [{ page, index, isAtEdge }];
      });
      expect(different).toEqual([]);
    }
  });
});

describe('a master that is decoded once, in parts,', () => {
  const [width, height] = [325, 201];
  const decodedFolders = async () =>
    (await readdir(os.tmpdir())).filter((name) => name.startsWith('stepwell-decoded-'));

  test('equals one pass in every format and orientation', async () => {
    const image = pictureOf(width, height);
    const masters = {
      'grey.jpg': await pictureOf(width, height, 1).jpeg({ quality: 90 }).toBuffer(),
      'progressive.jpg': await image.clone().jpeg({ progressive: true }).toBuffer(),
      'turned.jpg': await image.clone().jpeg().withMetadata({ orientation: 6 }).toBuffer(),
      'clear.png': await pictureOf(width, height, 4).png().toBuffer(),
      'picture.webp': await image.clone().webp({ quality: 90 }).toBuffer(),
    };
    for (const [key, master] of Object.entries(masters)) {
      const upright: [number, number] = key === 'turned.jpg' ? [height, width] : [width, height];
      const colourspace = key === 'grey.jpg' ? 'b-w' : 'srgb';
      const published = await publish(key, master, 'jpeg', oneBlock(...upright, TILE * 75));
      expectSameLevels(await decodeLevels(published), await singlePass(master, { ...jpeg, colourspace }));
    }
  });

  test('is rejected when it is truncated', async () => {
    const before = await decodedFolders();
    const whole = await pictureOf(width, height).jpeg({ quality: 90 }).toBuffer();
    for (const share of [0.02, 0.5, 0.99]) {
      const master = whole.subarray(0, Math.floor(whole.length * share));
      const cut = oneBlock(width, height, TILE * TILE);
      await expect(publish(`cut-${share}.jpg`, master, 'jpeg', cut)).rejects.toThrow(/^(TRUNCATED|CORRUPT_PIXELS): /u);
    }
    expect((await decodedFolders()).filter((name) => !before.includes(name))).toEqual([]);
  });
});
