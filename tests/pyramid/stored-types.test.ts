import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { makePlan, parsePlan } from '../../src/pyramid/plan.ts';
import { SourceImage } from '../../src/pyramid/source-image.ts';
import { Recipe } from '../../src/recipe/recipe.ts';
import { Description, TileEncoding } from '../../src/tiff/pyramid-fields.ts';

const image: SourceImage = {
  format: 'tiff',
  width: 1000,
  height: 800,
  model: 'rgb',
  profile: 'none',
  bands: 3,
  alpha: false,
  bitDepth: 8,
  orientation: 1,
  progressive: false,
  uncompressed: false,
  chunks: { kind: 'tiles', width: 256, height: 256 },
  fileSize: 1000,
  converted: { from: 'jp2', key: 'k', etag: 'e' },
};
const recipe = Recipe.parse({
  name: 'test',
  version: 1,
  description: 'text',
  tileSize: 256,
  encoding: { compression: 'deflate', level: 9 },
  colour: 'keep',
  depth: 'keep',
  background: '#ffffff',
  sizeCap: { width: 900, height: 900, copyrighted: { width: 500, height: 500 } },
});
const description: Description = { resolution: { x: [300, 1], y: [300, 1], unit: 2 }, iccProfile: 'AAEC' };
const encoding: TileEncoding = {
  compression: 7,
  photometric: 6,
  bitsPerSample: [8, 8, 8],
  sampleFormat: [1, 1, 1],
  extraSamples: [],
  predictor: 2,
  subsampling: [2, 2],
  referenceBlackWhite: [0, 255, 128, 255, 128, 255],
  jpegTables: 'AAEC',
};
const plan = makePlan(image, recipe, description, { copyrighted: true });
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Stored documents with a value in every field, and their readers. */
const documents: readonly (readonly [string, object, (stored: unknown) => unknown])[] = [
  ['a plan', plan, (stored) => parsePlan(JSON.stringify(stored))],
  ['the image of a plan', image, (stored) => SourceImage.parse(stored)],
  ['a recipe', recipe, (stored) => Recipe.parse(stored)],
  ['a description', description, (stored) => Description.parse(stored)],
  ['an encoding of tiles', encoding, (stored) => TileEncoding.parse(stored)],
];

describe('a field that a stored document carries is never dropped', () => {
  test.each(documents)('%s is read as it was written', (_, written, read) => {
    expect(read(json(written))).toEqual(written);
  });

  test.each(documents)('%s with a field that its schema does not have is refused', (_, written, read) => {
    expect(() => read({ ...written, added: 1 })).toThrow(z.ZodError);
  });

  test('a field within a plan that its schema does not have is refused', () => {
    for (const field of ['image', 'recipe', 'description', 'blocks'] as const) {
      expect(() => parsePlan(JSON.stringify({ ...plan, [field]: { ...plan[field], added: 1 } }))).toThrow(z.ZodError);
    }
  });
});
