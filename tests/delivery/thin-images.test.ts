import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';
import { type Server, startServer } from './server.ts';

let pipeline: PublishedPipeline;
let server: Server;
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  server = startServer(pipeline);
});
afterAll(() => pipeline.stop());

async function sizeOf(path: string): Promise<[string, number, number]> {
  const { width, height } = await server.picture(path);
  return [path, width, height];
}

describe.each([
  [1, 1],
  [1, 300],
  [300, 1],
  [2, 130],
  [65, 64],
])('an image of %i × %i', (width, height) => {
  const id = `${width}x${height}`;
  beforeAll(async () => {
    const recipe = width % 2 === 1 ? 'jpeg' : 'deflate';
    await pipeline.run(`${id}.png`, await pictureOf(width, height).png().toBuffer(), { recipe });
  });

  test.each([3, 2])('has every tile of Image API %i', async (version) => {
    const answer = await server.ask(`/iiif/${version}/${id}/info.json`);
    const info = (await answer.json()) as { tiles: { width: number; scaleFactors: number[] }[] };
    for (const { width: tile, scaleFactors } of info.tiles) {
      for (const factor of scaleFactors) {
        const side = tile * factor;
        for (let top = 0; top < height; top += side) {
          for (let left = 0; left < width; left += side) {
            const [wide, high] = [Math.min(side, width - left), Math.min(side, height - top)];
            const [w, h] = [Math.ceil(wide / factor), Math.ceil(high / factor)];
            const size = version === 3 ? `${w},${h}` : `${w},`;
            const path = `/iiif/${version}/${id}/${left},${top},${wide},${high}/${size}/0/default.jpg`;
            // By its width alone, a tile of one column is the same request at every factor.
            expect(await sizeOf(path)).toEqual([path, w, version === 2 && w === wide ? high : h]);
          }
        }
      }
    }
  });

  test('has every tile of Deep Zoom', async () => {
    const largest = Math.ceil(Math.log2(Math.max(width, height)));
    for (let level = 0; level <= largest; level++) {
      const factor = 2 ** (largest - level);
      const [wide, high] = [Math.ceil(width / factor), Math.ceil(height / factor)];
      for (let row = 0; row * 254 < high; row++) {
        for (let column = 0; column * 254 < wide; column++) {
          const path = `/deepzoom/${id}_files/${level}/${column}_${row}.jpg`;
          const across = Math.min(wide, (column + 1) * 254 + 1) - Math.max(0, column * 254 - 1);
          const down = Math.min(high, (row + 1) * 254 + 1) - Math.max(0, row * 254 - 1);
          expect(await sizeOf(path)).toEqual([path, across, down]);
        }
      }
    }
  });
});
