import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { UsageError } from '../../src/errors.ts';
import { readRecipe, readRecipes, remarksOn } from '../../src/recipe/read.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const yaml = (name: string, more = 'encoding: { compression: deflate }'): string =>
  `name: ${name}\nversion: 1\ndescription: text\ntileSize: 256\n${more}\ncolour: srgb\ndepth: 8\nbackground: '#ffffff'\n`;
const put = (file: string, text: string): Promise<void> => writeFile(path.join(folder, file), text);

test('the recipes of the project have these tile sizes and encodings', async () => {
  const recipes = await readRecipes('recipes');
  expect([...recipes].map(([name, { tileSize, encoding }]) => [name, tileSize, encoding])).toEqual([
    ['archival', 512, { compression: 'deflate', level: 6 }],
    ['deepzoom', 512, { compression: 'jpeg', quality: 85 }],
    ['default', 512, { compression: 'jpeg', quality: 85 }],
    ['iiif', 256, { compression: 'jpeg', quality: 80 }],
    ['iiif-files', 512, { compression: 'jpeg', quality: 85 }],
    ['large-tiles', 1024, { compression: 'jpeg', quality: 89 }],
    ['marble', 512, { compression: 'deflate', level: 6 }],
  ]);
});

test('a JPEG quality without chroma subsampling gets a warning; no recipe of the project does', async () => {
  for (const recipe of (await readRecipes('recipes')).values()) expect(remarksOn(recipe)).toEqual([]);
  expect(remarksOn({ encoding: { compression: 'jpeg', quality: 89 } })).toEqual([]);
  expect(remarksOn({ encoding: { compression: 'jpeg', quality: 90 } })).toEqual([
    expect.stringMatching(/three times/u),
  ]);
  expect(remarksOn({ encoding: { compression: 'webp', quality: 95 } })).toEqual([]);
});

describe('a folder of recipes', () => {
  test('is read by name; files that are no recipes are ignored', async () => {
    await put('b.yml', yaml('b'));
    await put('a.yml', yaml('a', 'encoding: { compression: webp, quality: 70 }'));
    await put('notes.md', 'not a recipe');
    expect([...(await readRecipes(folder)).keys()]).toEqual(['a', 'b']);
    expect((await readRecipe(folder, 'a')).encoding).toEqual({ compression: 'webp', quality: 70 });
  });

  test('is read anew after an edit, also if the file keeps its size', async () => {
    await put('a.yml', yaml('a', 'encoding: { compression: webp, quality: 70 }'));
    expect((await readRecipe(folder, 'a')).encoding).toEqual({ compression: 'webp', quality: 70 });
    await put('a.yml', yaml('a', 'encoding: { compression: webp, quality: 80 }'));
    expect((await readRecipe(folder, 'a')).encoding).toEqual({ compression: 'webp', quality: 80 });
    await put('a.yml', 'name: a');
    await expect(readRecipe(folder, 'a')).rejects.toThrow(UsageError);
  });

  test('rejects an unknown name and lists the names that exist', async () => {
    await put('a.yml', yaml('a'));
    await put('b.yml', yaml('b'));
    await expect(readRecipe(folder, 'c')).rejects.toThrow('Expected one of the recipes a, b but received c');
    for (const name of ['constructor', '__proto__', '../a', '']) {
      await expect(readRecipe(folder, name)).rejects.toThrow(UsageError);
    }
  });

  test('with an invalid recipe is rejected; the message has the file and the field', async () => {
    await put('bad.yml', yaml('bad').replace('256', '100'));
    await expect(readRecipes(folder)).rejects.toThrow(UsageError);
    await expect(readRecipes(folder)).rejects.toThrow(/bad\.yml[^]*tileSize/u);
  });

  test('with a recipe under another name than its file is rejected', async () => {
    await put('a.yml', yaml('b'));
    await expect(readRecipes(folder)).rejects.toThrow(/Expected the name a .* but received b/u);
  });

  test('with an empty recipe file is rejected', async () => {
    await put('a.yml', '');
    await expect(readRecipes(folder)).rejects.toThrow(/a\.yml/u);
  });
});
