import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { recipeJsonSchema } from '../../scripts/build-recipe-schema.ts';
import { Recipe } from '../../src/recipe/recipe.ts';

const SCHEMA_FILE = 'recipes/recipe.schema.json';
const JsonSchema = z.record(z.string(), z.unknown());
const readSchema = async (): Promise<Record<string, unknown>> =>
  JsonSchema.parse(JSON.parse(await readFile(SCHEMA_FILE, 'utf8')));
const validator = async () => new Ajv({ allErrors: true }).compile(await readSchema());

const good = {
  name: 'web',
  version: 1,
  description: 'text',
  tileSize: 256,
  encoding: { compression: 'deflate' },
  colour: 'srgb',
  depth: 8,
  background: '#FFfaF0',
};

test('recipes/recipe.schema.json is what npm run build:recipe-schema writes', async () => {
  expect(await readFile(SCHEMA_FILE, 'utf8')).toBe(recipeJsonSchema());
});

describe('every recipe file of the project', () => {
  test('names the schema for editors and validates against it', async () => {
    const validate = await validator();
    const files = (await readdir('recipes')).filter((file) => file.endsWith('.yml'));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const text = await readFile(path.join('recipes', file), 'utf8');
      expect(text).toContain('# yaml-language-server: $schema=recipe.schema.json\n');
      expect([file, validate(parse(text)), validate.errors]).toEqual([file, true, null]);
    }
  });
});

describe('the JSON Schema and the reader of recipes agree', () => {
  test.each<[string, unknown, boolean]>([
    ['fields with defaults may be missing', good, true],
    ['fields with defaults may be given', { ...good, dpi: 36, digests: ['md5'], metadata: { gps: 'keep' } }, true],
    ['a size cap', { ...good, sizeCap: { width: 1, height: 1, copyrighted: { width: 1, height: 1 } } }, true],
    ['the fastest deflate', { ...good, encoding: { compression: 'deflate', level: 1 } }, true],
    ['the smallest deflate', { ...good, encoding: { compression: 'deflate', level: 9 } }, true],
    ['no deflate level 0', { ...good, encoding: { compression: 'deflate', level: 0 } }, false],
    ['no deflate level 10', { ...good, encoding: { compression: 'deflate', level: 10 } }, false],
    ['no level of LZW', { ...good, encoding: { compression: 'lzw', level: 6 } }, false],
    ['no level of JPEG', { ...good, encoding: { compression: 'jpeg', quality: 80, level: 6 } }, false],
    ['no JPEG without quality', { ...good, encoding: { compression: 'jpeg' } }, false],
    ['no other digest', { ...good, digests: ['sha1'] }, false],
    ['no unknown field', { ...good, checksums: ['md5'] }, false],
    ['no tiles that are no multiple of 16', { ...good, tileSize: 250 }, false],
    ['no colour by name', { ...good, background: 'white' }, false],
  ])('%s', async (_, recipe, isValid) => {
    expect((await validator())(recipe)).toBe(isValid);
    expect(Recipe.safeParse(recipe).success).toBe(isValid);
  });
});

test('every field has a title and a description', async () => {
  const named = z.looseObject({ title: z.string().min(1), description: z.string().min(1) });
  const Node = z.looseObject({
    properties: z.record(z.string(), z.unknown()).optional(),
    oneOf: z.array(z.unknown()).optional(),
  });
  const visit = (schema: unknown): void => {
    const { properties = {}, oneOf = [] } = Node.parse(schema);
    for (const [name, field] of Object.entries(properties)) {
      if (name !== 'compression') expect([name, named.safeParse(field).success]).toEqual([name, true]);
      visit(field);
    }
    oneOf.forEach(visit);
  };
  visit(await readSchema());
});
