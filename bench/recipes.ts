/** Recipes by the names that the cases use: the shipped ones, and those of `bench/recipes`. */
import path from 'node:path';
import { readRecipe } from '../src/recipe/read.ts';
import type { Recipe } from '../src/recipe/recipe.ts';

const directories = {
  default: path.resolve(import.meta.dirname, '../recipes'),
  archival: path.resolve(import.meta.dirname, '../recipes'),
  deepzoom: path.resolve(import.meta.dirname, '../recipes'),
  'default-no-digests': path.join(import.meta.dirname, 'recipes'),
  'iiif-3': path.join(import.meta.dirname, 'recipes'),
} as const;

export type RecipeName = keyof typeof directories;

/** A recipe with the values that become options of the other programs. */
export interface BenchmarkRecipe extends Pick<Recipe, 'tileSize' | 'outputs' | 'deepzoom'> {
  readonly name: RecipeName;
  /** The folder that has the recipe. */
  readonly directory: string;
  readonly compression: 'jpeg' | 'deflate';
  /** Of JPEG. */
  readonly quality?: number;
}

/** zlib's default, and the only level that all programs can use. */
const DEFLATE_LEVEL = 6;

/**
 * Throws UsageError when the recipe is invalid, and Error when other programs lack its encoding.
 */
export async function readBenchmarkRecipe(name: RecipeName): Promise<BenchmarkRecipe> {
  const directory = directories[name];
  const { tileSize, encoding, outputs, deepzoom } = await readRecipe(directory, name);
  const base = { name, directory, tileSize, outputs, deepzoom };
  if (encoding.compression === 'jpeg') return { ...base, compression: 'jpeg', quality: encoding.quality };
  if (encoding.compression === 'deflate' && encoding.level === DEFLATE_LEVEL)
    return { ...base, compression: 'deflate' };
  const received = JSON.stringify(encoding);
  throw new Error(`Expected JPEG or deflate of level ${DEFLATE_LEVEL} for the recipe ${name} but received ${received}`);
}
