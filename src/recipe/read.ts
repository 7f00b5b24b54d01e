import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import { encodingProperties } from './encodings.ts';
import { Recipe } from './recipe.ts';

/**
 * All recipes of a directory (its `*.yml` files), by name. Throws UsageError with the file, the
 * field and the reason.
 */
export async function readRecipes(directory: string): Promise<Map<string, Recipe>> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.yml'));
  const names = files.map((file) => path.basename(file, '.yml')).sort();
  const recipes = await Promise.all(names.map((name) => readRecipeFile(path.join(directory, `${name}.yml`))));
  return new Map(recipes.map((recipe) => [recipe.name, recipe]));
}

/** The recipe of each file and its text: several steps of every image read the same recipe. */
const lastRead = new Map<string, { readonly text: string; readonly recipe: Recipe }>();

/** The file is read every time, and parsed when its text has changed. */
async function readRecipeFile(file: string): Promise<Recipe> {
  const text = await readFile(file, 'utf8');
  const known = lastRead.get(file);
  if (known?.text === text) return known.recipe;
  const recipe = parseRecipe(file, text);
  lastRead.set(file, { text, recipe });
  return recipe;
}

function parseRecipe(file: string, text: string): Recipe {
  const parsed = Recipe.safeParse(parse(text));
  if (!parsed.success) throw new UsageError(`Expected a recipe in ${file}:\n${z.prettifyError(parsed.error)}`);
  const expected = path.basename(file, '.yml');
  if (parsed.data.name !== expected) {
    throw new UsageError(`Expected the name ${expected} for the recipe in ${file} but received ${parsed.data.name}`);
  }
  return parsed.data;
}

/**
 * Reads one recipe. Throws UsageError with the names that exist: the deployment is wrong, not the
 * image.
 */
export async function readRecipe(directory: string, name: string): Promise<Recipe> {
  const files = await readdir(directory);
  const file = `${name}.yml`;
  if (files.includes(file)) return readRecipeFile(path.join(directory, file));
  const names = [...(await readRecipes(directory)).keys()].join(', ');
  throw new UsageError(`Expected one of the recipes ${names} but received ${name}`);
}

/** Warnings about values that are allowed but probably not intended. */
export function remarksOn({ encoding }: Pick<Recipe, 'encoding'>): string[] {
  const { unsubsampledFrom = Infinity } = encodingProperties(encoding);
  if (!('quality' in encoding) || encoding.quality < unsubsampledFrom) return [];
  return [`from quality ${unsubsampledFrom} on libvips writes RGB without subsampling: three times the bytes`];
}

/**
 * Reads a file that a recipe names, from the folder of the recipes. Throws UsageError if there is
 * none: the deployment is wrong, not the image.
 */
export async function readRecipeFolderFile(directory: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(path.join(directory, name));
  } catch (cause) {
    throw new UsageError(`Expected the file ${name} in the folder of the recipes, ${directory}`, { cause });
  }
}
