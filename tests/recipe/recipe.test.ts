import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { conversionOf } from '../../src/pyramid/conversion.ts';
import { outputBitDepth } from '../../src/pyramid/output-samples.ts';
import { Recipe } from '../../src/recipe/recipe.ts';
import type { SourceImage } from '../../src/pyramid/source-image.ts';

const good = {
  name: 'web-viewers',
  version: 3,
  description: 'JPEG for viewers',
  tileSize: 256,
  encoding: { compression: 'jpeg', quality: 80 },
  colour: 'srgb',
  depth: 8,
  background: '#FFfaF0',
};

/** Values of the fields that `good` does not state. */
const defaults = {
  dpi: 300,
  unspecifiedSamples: 'ignore',
  metadata: { gps: 'strip', serialNumbers: 'strip' },
  digests: ['sha256'],
  outputs: ['tiff'],
};

const complaint = (recipe: unknown): string => {
  const parsed = Recipe.safeParse(recipe);
  return parsed.success ? '' : z.prettifyError(parsed.error);
};

describe('a recipe', () => {
  test.each([
    ['with JPEG', good],
    ['with WebP', { ...good, encoding: { compression: 'webp', quality: 1 } }],
    ['with deflate', { ...good, encoding: { compression: 'deflate', level: 6 } }],
    ['with LZW', { ...good, encoding: { compression: 'lzw' } }],
    ['with the colours and the depth of the master', { ...good, colour: 'keep', depth: 'keep' }],
    ['with the smallest tiles', { ...good, tileSize: 64 }],
    ['with the largest tiles', { ...good, tileSize: 4096 }],
    [
      'with a value in every field that has a default',
      { ...good, dpi: 36, unspecifiedSamples: 'alpha', metadata: { gps: 'keep', serialNumbers: 'keep' }, digests: [] },
    ],
  ])('%s is read as it is written, with defaults in the fields that it leaves out', (_, recipe) => {
    expect(Recipe.parse(recipe)).toEqual({ ...defaults, ...recipe });
  });

  test('gets the default of a field inside an object that states others', () => {
    expect(Recipe.parse({ ...good, metadata: { gps: 'keep' } }).metadata).toEqual({
      gps: 'keep',
      serialNumbers: 'strip',
    });
    expect(Recipe.parse({ ...good, encoding: { compression: 'deflate' } }).encoding).toEqual({
      compression: 'deflate',
      level: 6,
    });
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
    ['colour', { ...good, colour: 'p3' }],
    ['colour', { ...good, colour: undefined }],
    ['depth', { ...good, depth: 16 }],
    ['depth', { ...good, depth: '8' }],
    ['background', { ...good, background: 'white' }],
    ['background', { ...good, background: '#fff' }],
    ['background', { ...good, background: '#ffffff00' }],
    ['"tilesize"', { ...good, tilesize: 256 }],
    ['"__proto"', { ...good, __proto: 1 }],
  ])('with an invalid value is rejected; the message has the field %s', (field, recipe) => {
    expect(complaint(recipe)).toContain(field);
  });

  test.each(['name', 'version', 'description', 'tileSize', 'encoding', 'background'])(
    'without %s is rejected; the message has the field',
    (field) => {
      expect(complaint(Object.fromEntries(Object.entries(good).filter(([name]) => name !== field)))).toContain(
        `at ${field}`,
      );
    },
  );

  test.each([[null], ['a text'], [[good]], [42]])('cannot be %j', (value) => {
    expect(complaint(value)).not.toBe('');
  });
});

describe('bits a sample in the published file', () => {
  const image = (bitDepth: 8 | 16) => ({ format: 'tiff', width: 100, height: 100, bands: 3, bitDepth }) as SourceImage;
  const recipe = (encoding: Recipe['encoding'], depth: Recipe['depth']): Recipe => ({
    ...Recipe.parse(good),
    encoding,
    depth,
  });

  test.each([
    ['jpeg of a 16-bit master', { compression: 'jpeg', quality: 80 }, 'keep', 16, 8],
    ['webp of a 16-bit master', { compression: 'webp', quality: 80 }, 'keep', 16, 8],
    ['deflate of a 16-bit master', { compression: 'deflate', level: 6 }, 'keep', 16, 16],
    ['deflate of a 16-bit master, for viewers', { compression: 'deflate', level: 6 }, 8, 16, 8],
    ['lzw of a 16-bit master', { compression: 'lzw' }, 'keep', 16, 16],
    ['deflate of an 8-bit master', { compression: 'deflate', level: 6 }, 'keep', 8, 8],
    ['jpeg of an 8-bit master', { compression: 'jpeg', quality: 80 }, 8, 8, 8],
  ] as const)('of %s', (_, encoding, depth, of, bits) => {
    expect(outputBitDepth({ image: image(of), recipe: recipe(encoding, depth) })).toBe(bits);
  });
});

describe('colours are converted', () => {
  const deflate = { compression: 'deflate', level: 6 } as const;
  const webp = { compression: 'webp', quality: 80 } as const;

  test.each([
    [
      'by the profile, where sRGB is asked for',
      { model: 'rgb', bands: 3, profile: 'other' },
      'srgb',
      deflate,
      'profile',
    ],
    ['not at all, where colours are kept', { model: 'rgb', bands: 3, profile: 'other' }, 'keep', deflate, 'none'],
    ['not at all, where they are sRGB', { model: 'rgb', bands: 3, profile: 'srgb' }, 'srgb', deflate, 'none'],
    [
      'not at all, where nothing is known of them',
      { model: 'grey', bands: 1, profile: 'none' },
      'srgb',
      deflate,
      'none',
    ],
    ['where grey is to be three bands', { model: 'grey', bands: 1, profile: 'other' }, 'keep', webp, 'profile'],
    ['of CMYK always', { model: 'cmyk', bands: 3, profile: 'none' }, 'keep', deflate, 'cmyk'],
    ['of L*a*b* always', { model: 'icc-lab', bands: 3, profile: 'none' }, 'keep', deflate, 'lab'],
  ] as const)('%s', (_, image, colour, encoding, conversion) => {
    expect(conversionOf({ image: image as SourceImage, recipe: { colour, encoding } })).toBe(conversion);
  });
});
