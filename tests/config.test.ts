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

  describe('has the endpoint of a store', () => {
    const storeOf = (more: Record<string, string>) => readConfig({ ...least, ...more }).store;

    test('that is not Amazon S3, the one of S3 first', () => {
      const endpoint = 'http://127.0.0.1:4566';
      expect(storeOf({ AWS_ENDPOINT_URL: endpoint })).toEqual({ kind: 's3', endpoint });
      expect(storeOf({ AWS_ENDPOINT_URL_S3: endpoint, AWS_ENDPOINT_URL: 'https://other.test' })).toEqual({
        kind: 's3',
        endpoint,
      });
      const lookalike = 'https://amazonaws.com.store.test';
      expect(storeOf({ AWS_ENDPOINT_URL: lookalike })).toEqual({ kind: 's3', endpoint: lookalike });
    });

    test.each([
      ['https://s3.eu-central-1.amazonaws.com'],
      ['https://bucket.vpce-0123.s3.us-east-1.vpce.amazonaws.com'],
      ['https://s3.cn-north-1.amazonaws.com.cn'],
    ])('and none for Amazon S3 at %s', (endpoint) => {
      expect(storeOf({ AWS_ENDPOINT_URL_S3: endpoint })).toEqual({ kind: 's3' });
    });

    test('and none where the SDK ignores endpoints', () => {
      const ignored = { AWS_ENDPOINT_URL: 'http://127.0.0.1:9000', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
      expect(storeOf(ignored)).toEqual({ kind: 's3' });
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
