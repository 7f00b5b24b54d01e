import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeLevels, type Level, pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';
import { partOf, startServer } from './server.ts';

let pipeline: PublishedPipeline;
let levels: Level[];
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  const master = await pictureOf(331, 205).png().toBuffer();
  levels = await decodeLevels(await pipeline.store.read(await pipeline.run('a.png', master, { recipe: 'deflate' })));
});
afterAll(() => pipeline.stop());

test('the description has the size of the image and the grid of the server', async () => {
  const server = startServer(pipeline);
  const answer = await server.ask('/deepzoom/a.dzi');
  expect(answer.headers.get('content-type')).toMatch(/^application\/xml/u);
  const text = await answer.text();
  expect(text).toContain(
    '<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="jpg" Overlap="1" TileSize="254">',
  );
  expect(text).toContain('<Size Width="331" Height="205"/>');
});

describe.each([
  [254, 1],
  [64, 0],
  [50, 3],
])('tiles of %i with an overlap of %i', (tileSize, overlap) => {
  test('every one has the pixels of its level', async () => {
    const server = startServer(pipeline, { settings: { deepZoomTileSize: tileSize, deepZoomOverlap: overlap } });
    for (const [level, factor, index] of [
      [9, 1, 0],
      [8, 2, 1],
      [7, 4, 2],
      [6, 8, 3],
    ] as const) {
      const [width, height] = [Math.ceil(331 / factor), Math.ceil(205 / factor)];
      for (let row = 0; row * tileSize < height; row++) {
        for (let column = 0; column * tileSize < width; column++) {
          const [left, top] = [Math.max(0, column * tileSize - overlap), Math.max(0, row * tileSize - overlap)];
          const right = Math.min(width, (column + 1) * tileSize + overlap);
          const bottom = Math.min(height, (row + 1) * tileSize + overlap);
          const served = await server.picture(`/deepzoom/a_files/${level}/${column}_${row}.png`);
          const expected = partOf(levels[index] as Level, left, top, right - left, bottom - top);
          expect([level, column, row, served.width, served.height]).toEqual([
            level,
            column,
            row,
            right - left,
            bottom - top,
          ]);
          expect([level, column, row, served.pixels.equals(expected.pixels)]).toEqual([level, column, row, true]);
        }
      }
    }
  });
});

test('levels smaller than the smallest of the file are made of it, down to one pixel', async () => {
  const server = startServer(pipeline);
  const sizes = await Promise.all(
    [0, 1, 2, 3, 4, 5].map(async (level) => {
      const { width, height } = await server.picture(`/deepzoom/a_files/${level}/0_0.jpg`);
      return [width, height];
    }),
  );
  expect(sizes).toEqual([
    [1, 1],
    [2, 1],
    [3, 2],
    [6, 4],
    [11, 7],
    [21, 13],
  ]);
});
