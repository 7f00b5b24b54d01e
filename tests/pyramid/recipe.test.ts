import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { outputBitDepth } from '../../src/pyramid/plan.ts';
import { Recipe } from '../../src/pyramid/recipe.ts';
import type { SourceImage } from '../../src/pyramid/source-image.ts';

const good = {
  name: 'web-viewers',
  version: 3,
  description: 'JPEG for viewers',
  tileSize: 256,
  encoding: { compression: 'jpeg', quality: 80 },
  background: '#FFfaF0',
};

const complaint = (recipe: unknown): string => {
  const parsed = Recipe.safeParse(recipe);
  return parsed.success ? '' : z.prettifyError(parsed.error);
};

describe('a recipe', () => {
  test.each([
    ['with JPEG', good],
    ['with WebP', { ...good, encoding: { compression: 'webp', quality: 1 } }],
    ['with deflate', { ...good, encoding: { compression: 'deflate' } }],
    ['with LZW', { ...good, encoding: { compression: 'lzw' } }],
    ['with the smallest tiles', { ...good, tileSize: 64 }],
    ['with the largest tiles', { ...good, tileSize: 4096 }],
  ])('%s is read as it is written', (_, recipe) => {
    expect(Recipe.parse(recipe)).toEqual(recipe);
  });

  test.each([
    ['name', { ...good, name: 'Web Viewers' }],
    ['name', { ...good, name: '../../etc/passwd' }],
    ['name', { ...good, name: '' }],
    ['version', { ...good, version: 0 }],
    ['version', { ...good, version: 1.5 }],
    ['version', { ...good, version: '1' }],
    ['description', { ...good, description: '' }],
    ['tileSize', { ...good, tileSize: 250 }],
    ['tileSize', { ...good, tileSize: 48 }],
    ['tileSize', { ...good, tileSize: 8192 }],
    ['tileSize', { ...good, tileSize: Number.NaN }],
    ['tileSize', { ...good, tileSize: -256 }],
    ['encoding.compression', { ...good, encoding: { compression: 'zstd' } }],
    ['encoding.quality', { ...good, encoding: { compression: 'jpeg' } }],
    ['encoding.quality', { ...good, encoding: { compression: 'jpeg', quality: 0 } }],
    ['encoding.quality', { ...good, encoding: { compression: 'jpeg', quality: 101 } }],
    ['encoding.quality', { ...good, encoding: { compression: 'webp', quality: 79.5 } }],
    ['"quality"', { ...good, encoding: { compression: 'deflate', quality: 80 } }],
    ['background', { ...good, background: 'white' }],
    ['background', { ...good, background: '#fff' }],
    ['background', { ...good, background: '#ffffff00' }],
    ['"tilesize"', { ...good, tilesize: 256 }],
    ['"__proto"', { ...good, __proto: 1 }],
  ])('is refused by the name of the bad field: %s', (field, recipe) => {
    expect(complaint(recipe)).toContain(field);
  });

  test.each(['name', 'version', 'description', 'tileSize', 'encoding', 'background'])(
    'is refused without its %s, and the refusal says so',
    (field) => {
      expect(complaint(Object.fromEntries(Object.entries(good).filter(([name]) => name !== field)))).toContain(
        `at ${field}`,
      );
    },
  );

  test.each([[null], ['a text'], [[good]], [42]])('is not %j', (value) => {
    expect(complaint(value)).not.toBe('');
  });
});

describe('samples in the published file', () => {
  const image = (bitDepth: 8 | 16) => ({ format: 'tiff', width: 100, height: 100, bands: 3, bitDepth }) as SourceImage;
  const recipe = (encoding: Recipe['encoding']): Recipe => ({ ...Recipe.parse(good), encoding });

  test.each([
    ['jpeg of a 16-bit master', { compression: 'jpeg', quality: 80 }, 16, 8],
    ['webp of a 16-bit master', { compression: 'webp', quality: 80 }, 16, 8],
    ['deflate of a 16-bit master', { compression: 'deflate' }, 16, 16],
    ['lzw of a 16-bit master', { compression: 'lzw' }, 16, 16],
    ['deflate of an 8-bit master', { compression: 'deflate' }, 8, 8],
    ['jpeg of an 8-bit master', { compression: 'jpeg', quality: 80 }, 8, 8],
  ] as const)('%s', (_, encoding, of, bits) => {
    expect(outputBitDepth({ image: image(of), recipe: recipe(encoding) })).toBe(bits);
  });
});
