import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Plugin {
  readonly hooks: Readonly<Record<'before:package:initialize', () => Promise<void>>>;
}
const CheckRecipes = createRequire(import.meta.url)('../../serverless-plugins/check-recipes.cjs') as new (
  serverless: unknown,
  options: unknown,
  tools: unknown,
) => Plugin;

let serviceDir: string;
let warnings: string[];
beforeEach(() => {
  serviceDir = mkdtempSync(join(tmpdir(), 'stepwell-recipes-'));
  cpSync('recipes', join(serviceDir, 'recipes'), { recursive: true });
  warnings = [];
});
afterEach(() => {
  rmSync(serviceDir, { recursive: true, force: true });
});

function check(defaultRecipe = 'default', byPrefix = ''): Promise<void> {
  const environment = { DEFAULT_RECIPE: defaultRecipe, RECIPES_BY_PREFIX: byPrefix };
  const serverless = { serviceDir, service: { provider: { environment } }, classes: { Error } };
  const log = { warning: (text: string) => warnings.push(text) };
  return new CheckRecipes(serverless, {}, { log }).hooks['before:package:initialize']();
}

const quality = (value: number): void => {
  writeFileSync(
    join(serviceDir, 'recipes', 'own.yml'),
    `name: own\nversion: 1\ndescription: own\ntileSize: 256\nencoding: { compression: jpeg, quality: ${value} }\n` +
      `colour: srgb\ndepth: 8\nbackground: '#ffffff'\n`,
  );
};

describe('packaging', () => {
  test('succeeds when every recipe is valid and all named recipes exist', async () => {
    await check('iiif', 'maps/=large-tiles\nrare/=archival');
    expect(warnings).toEqual([]);
  });

  test('stops at an invalid recipe and names the file, the field and the reason', async () => {
    quality(101);
    await expect(check()).rejects.toThrow(/own\.yml[^]*<=100[^]*quality/u);
  });

  test('stops at an unknown recipe name, as the default and for a prefix', async () => {
    await expect(check('marbel')).rejects.toThrow(/received marbel/u);
    await expect(check('default', 'maps/=large')).rejects.toThrow(/received large/u);
  });

  test('stops at a malformed rule in recipesByPrefix', async () => {
    await expect(check('default', 'maps/')).rejects.toThrow(/recipesByPrefix: Expected prefix=recipe/u);
  });

  test('warns about the cost of a high quality and continues', async () => {
    quality(92);
    await check('own');
    expect(warnings).toEqual([expect.stringMatching(/^recipe own: from quality 90 on .* three times the bytes$/u)]);
  });
});
