/**
 * Shared by the exactness tests: recipes and cuts, the options of sharp for recipes, and the
 * comparison.
 */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect } from '@jest/globals';
import { edges } from '../../src/pyramid/blocks.ts';
import type { Cut } from '../../src/pyramid/plan.ts';
import type { Pipeline } from './pipeline.ts';
import { decodeLevels, type Level } from './pixels.ts';

/** Side of the smallest tiles: small pictures have as many of them as larger ones of larger tiles. */
export const TILE = 64;

/** A recipe without a size cap; by default of such tiles, in sRGB, with 8 bits. */
export interface TestRecipe {
  readonly encoding: string;
  readonly tileSize?: number;
  readonly colour?: 'srgb' | 'keep';
  readonly depth?: '8' | 'keep';
  /** Further fields in YAML. */
  readonly more?: string;
}

/** A temporary folder with the shipped recipes and the given ones. */
export async function recipesFolder(
  recipes: Readonly<Record<string, TestRecipe>>,
): Promise<{ readonly folder: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
  await cp('recipes', folder, { recursive: true });
  for (const [name, { encoding, tileSize = TILE, colour = 'srgb', depth = '8', more = '' }] of Object.entries(
    recipes,
  )) {
    const fields = [`name: ${name}`, 'version: 1', 'description: test', `tileSize: ${tileSize}`];
    fields.push(`encoding: ${encoding}`, `colour: ${colour}`, `depth: ${depth}`, "background: '#ffffff'", more);
    await writeFile(path.join(folder, `${name}.yml`), `${fields.join('\n')}\n`);
  }
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Recipes with the encodings of `iiif` and `archival` in small tiles. */
export const smallTiles = {
  jpeg: { encoding: '{ compression: jpeg, quality: 80 }' },
  lossless: { encoding: '{ compression: deflate }', colour: 'keep', depth: 'keep' },
} as const satisfies Readonly<Record<string, TestRecipe>>;

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

/** Options of sharp for the recipe `iiif`, and for `jpeg` of `smallTiles`. */
export const iiif = { tileSize: 256, compression: 'jpeg', quality: 80 } as const;
export const jpeg = { ...iiif, tileSize: TILE } as const;
/** Options of sharp for the recipe `lossless` of `smallTiles`. */
export const deflate = { tileSize: TILE, compression: 'deflate' } as const;

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
