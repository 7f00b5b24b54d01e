import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../src/config.ts';
import { memoryLimits } from '../src/limits.ts';

const least = { WORK_BUCKET: 'work', PUBLISHED_BUCKET: 'public', LEDGER_TABLE: 'ledger' };

describe('the environment', () => {
  test('needs two buckets and a table, and has defaults for the rest', () => {
    expect(readConfig({ ...least, PATH: '/bin', HOME: undefined })).toEqual({
      store: { kind: 's3' },
      workBucket: 'work',
      publishedBucket: 'public',
      ledgerTable: 'ledger',
      stateMachineArn: undefined,
      defaultRecipe: 'default',
      recipeRules: [],
      recipesDirectory: 'recipes',
      concurrency: 40,
      memory: memoryLimits.standard,
      eventBusName: undefined,
      logLevel: 'info',
    });
  });

  test('can set every field', () => {
    expect(
      readConfig({
        ...least,
        OBJECT_STORE: 'files:/tmp/with: colon',
        STATE_MACHINE_ARN: 'arn:x',
        DEFAULT_RECIPE: 'iiif',
        RECIPES_BY_PREFIX: 'maps/=large-tiles\n\n  a=b/ = iiif  ',
        RECIPES_DIRECTORY: '/r',
        FUNCTION_MEMORY: 'small',
        CONCURRENCY: '2',
        EVENT_BUS_NAME: 'bus',
        LOG_LEVEL: 'silent',
      }),
    ).toMatchObject({
      store: { kind: 'files', workspace: '/tmp/with: colon' },
      stateMachineArn: 'arn:x',
      defaultRecipe: 'iiif',
      recipeRules: [
        { prefix: 'maps/', recipe: 'large-tiles' },
        { prefix: 'a=b/', recipe: 'iiif' },
      ],
      recipesDirectory: '/r',
      concurrency: 2,
      memory: memoryLimits.small,
      eventBusName: 'bus',
      logLevel: 'silent',
    });
  });

  test('is refused with the names of all missing variables', () => {
    for (const name of Object.keys(least)) expect(() => readConfig({})).toThrow(name);
  });

  test.each([
    ['OBJECT_STORE', 'files:'],
    ['OBJECT_STORE', 'S3'],
    ['WORK_BUCKET', ''],
    ['LOG_LEVEL', 'debug'],
    ['FUNCTION_MEMORY', 'large'],
    ['CONCURRENCY', '0'],
    ['CONCURRENCY', 'many'],
    ['RECIPES_BY_PREFIX', 'maps'],
    ['RECIPES_BY_PREFIX', '=default'],
    ['RECIPES_BY_PREFIX', 'maps/='],
    ['RECIPES_BY_PREFIX', 'maps/=default\nmaps/=iiif'],
    ['EVENT_BUS_NAME', ''],
  ])('is refused with the name of the variable when %s is %j', (name, value) => {
    expect(() => readConfig({ ...least, [name]: value })).toThrow(name);
  });
});
