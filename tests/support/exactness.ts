/** Shared by the exactness tests: cuts, the options of sharp for recipes, and the comparison. */
import { expect } from '@jest/globals';
import { edges } from '../../src/pyramid/blocks.ts';
import type { Cut } from '../../src/pyramid/plan.ts';
import type { Pipeline } from './pipeline.ts';
import { decodeLevels, type Level } from './pixels.ts';

export function cutInto(width: number, height: number, splitLevel: number, columnStep: number, rowStep: number): Cut {
  return { splitLevel, blocks: { columns: edges(width, columnStep), rows: edges(height, rowStep) } };
}

/** Asserts the same sizes and the same pixels, level by level. */
export function expectSameLevels(actual: readonly Level[], expected: readonly Level[]): void {
  expect(actual.map(({ width, height, channels }) => [width, height, channels])).toEqual(
    expected.map(({ width, height, channels }) => [width, height, channels]),
  );
  for (const [index, level] of actual.entries()) {
    expect({ index, same: level.pixels.equals(expected[index]?.pixels ?? Buffer.alloc(0)) }).toEqual({
      index,
      same: true,
    });
  }
}

/** Options of sharp for the recipe `iiif`. */
export const jpeg = { tileSize: 256, compression: 'jpeg', quality: 80 } as const;
/** Options of sharp for the recipe `archival`. */
export const deflate = { tileSize: 512, compression: 'deflate' } as const;

/** Runs every step on a master and decodes what was published. */
export async function publishedLevels(
  pipeline: Pipeline,
  key: string,
  master: Uint8Array,
  options: { recipe: string; cut?: Cut },
): Promise<Level[]> {
  const published = await pipeline.run(key, master, options);
  return decodeLevels(Buffer.from(await pipeline.store.read(published)));
}
