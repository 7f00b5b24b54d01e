import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cutInto } from '../support/exactness.ts';
import { differingTiles, publishedObjects, sharpTiles, writeRecipe } from '../support/outputs.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
let pipeline: Pipeline;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-outputs-'));
  await writeRecipe(folder, 'both', {
    outputs: ['tiff', 'iiif', 'deepzoom'],
    iiif: { tileSize: 128, largestImage: 256 },
    deepzoom: { tileSize: 126, overlap: 1 },
  });
  await writeRecipe(folder, 'lossless', {
    outputs: ['tiff', 'deepzoom'],
    encoding: { compression: 'deflate' },
    deepzoom: { tileSize: 100, overlap: 3, format: 'png' },
  });
  await writeRecipe(folder, 'fine', {
    outputs: ['tiff', 'iiif', 'deepzoom'],
    encoding: { compression: 'jpeg', quality: 92 },
    iiif: { tileSize: 64, largestImage: 256, versions: [2, 3] },
    deepzoom: { tileSize: 64, overlap: 0, quality: 92 },
  });
  pipeline = await startPipeline((store) => store, { recipesDirectory: folder });
});
afterAll(async () => {
  await pipeline.stop();
  await rm(folder, { recursive: true, force: true });
});

const grids = {
  both: { iiif: { size: 128, quality: 80 }, deepzoom: { size: 126, overlap: 1, format: 'jpeg', quality: 80 } },
  lossless: { iiif: undefined, deepzoom: { size: 100, overlap: 3, format: 'png', quality: 80 } },
  fine: { iiif: { size: 64, quality: 92 }, deepzoom: { size: 64, overlap: 0, format: 'jpeg', quality: 92 } },
} as const;

describe('every tile decodes to the same samples as that of sharp', () => {
  const cases: readonly {
    name: string;
    recipe: keyof typeof grids;
    size: [number, number];
    channels: 1 | 3;
    cut?: { splitLevel: number; step: [number, number] };
  }[] = [
    { name: 'one block', recipe: 'both', size: [413, 301], channels: 3 },
    { name: 'one block, grey', recipe: 'both', size: [255, 507], channels: 1 },
    { name: 'one tile', recipe: 'both', size: [97, 51], channels: 3 },
    { name: 'one column of pixels', recipe: 'both', size: [1, 300], channels: 3 },
    { name: 'a row of tiles of one pixel', recipe: 'both', size: [300, 253], channels: 3 },
    { name: 'bands', recipe: 'both', size: [389, 601], channels: 3, cut: { splitLevel: 0, step: [4096, 128] } },
    { name: 'squares', recipe: 'both', size: [601, 523], channels: 3, cut: { splitLevel: 1, step: [256, 256] } },
    { name: 'squares, grey', recipe: 'both', size: [513, 257], channels: 1, cut: { splitLevel: 1, step: [256, 256] } },
    {
      name: 'a block smaller than a margin',
      recipe: 'both',
      size: [600, 387],
      channels: 3,
      cut: { splitLevel: 0, step: [128, 128] },
    },
    { name: 'PNG, one block', recipe: 'lossless', size: [313, 205], channels: 3 },
    {
      name: 'PNG, squares',
      recipe: 'lossless',
      size: [401, 301],
      channels: 1,
      cut: { splitLevel: 0, step: [128, 256] },
    },
    { name: 'a fine quality', recipe: 'fine', size: [301, 203], channels: 3, cut: { splitLevel: 0, step: [128, 128] } },
  ];
  test.each(cases)('$name: $size of $channels bands', async ({ name, recipe, size, channels, cut }) => {
    const picture = pictureOf(size[0], size[1], channels);
    const master = await picture.clone().tiff({ compression: 'lzw' }).toBuffer();
    const key = `${name.replaceAll(' ', '-')}.tif`;
    const base = key.replace('.tif', '');
    await pipeline.run(key, master, {
      recipe,
      ...(cut ? { cut: cutInto(size[0], size[1], cut.splitLevel, cut.step[0], cut.step[1]) } : {}),
    });
    const { iiif, deepzoom } = grids[recipe];
    const out = await mkdtemp(path.join(folder, 'sharp-'));
    const zoomed = await publishedObjects(pipeline, `${base}_files/`);
    const expected = await sharpTiles(picture.clone(), out, { layout: 'dz', ...deepzoom });
    expect(await differingTiles(expected, zoomed)).toEqual([]);
    expect([...zoomed.keys()].sort()).toEqual([...expected.keys()].sort());
    if (!iiif) return;
    const served = await publishedObjects(pipeline, `${base}/iiif3/`);
    const tiles = await sharpTiles(picture.clone(), out, { layout: 'iiif3', format: 'jpeg', ...iiif });
    expect(tiles.size).toBeGreaterThan(0);
    expect(await differingTiles(tiles, served)).toEqual([]);
  });
});
