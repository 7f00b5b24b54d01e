import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readConfig } from '../../src/config.ts';
import { lambdaFunctions, text, type LambdaFunction } from '../support/cloudformation.ts';
import { imageRequest, invokeTask, unpackTask } from '../support/lambda-task.ts';
import { type Package, packaged, PACKAGING_MS, projectRoot } from '../support/packaged-template.ts';

const handlers = {
  startPyramid: 'src/handlers/start-pyramid',
  validateObject: 'src/steps/validate-object',
  convertSource: 'src/steps/convert-source',
  measureSamples: 'src/steps/measure-samples',
  startPages: 'src/steps/start-pages',
  recordMetadata: 'src/steps/record-metadata',
  planPyramid: 'src/steps/plan-pyramid',
  renderBlock: 'src/steps/render-block',
  renderImage: 'src/steps/render-image',
  checksumSource: 'src/steps/checksum-source',
  renderTopLevels: 'src/steps/render-top-levels',
  assembleTiff: 'src/steps/assemble-tiff',
  verifyTiff: 'src/steps/verify-tiff',
  publishTiff: 'src/steps/publish-tiff',
  publishBlockTiles: 'src/steps/publish-block-tiles',
  publishOutputs: 'src/steps/publish-outputs',
  publishSidecar: 'src/steps/publish-sidecar',
  recordRejection: 'src/steps/record-rejection',
  recordOutcome: 'src/handlers/record-outcome',
  deliverImage: 'src/handlers/deliver-image',
  deliverThumbnail: 'src/handlers/deliver-thumbnail',
};
const withSharp = [
  'convertSource',
  'deliverImage',
  'deliverThumbnail',
  'planPyramid',
  'publishOutputs',
  'publishBlockTiles',
  'renderBlock',
  'renderImage',
  'renderTopLevels',
  'validateObject',
  'verifyTiff',
];
const withDecoders = ['convertSource'];
/** A variable name in every Emscripten module; all decoders are such modules. */
const emscripten = './this.program';

const Manifest = z.object({ dependencies: z.record(z.string(), z.string()) });
const { dependencies } = Manifest.parse(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')));
const sharpVersion = dependencies['sharp'] ?? 'none';
const recipes = readdirSync(join(projectRoot, 'recipes')).filter((name) => name.endsWith('.yml'));

let made: Package;
let functions: LambdaFunction[];
let work: string;

beforeAll(async () => {
  made = await packaged();
  functions = lambdaFunctions(made.template);
  work = mkdtempSync(join(tmpdir(), 'stepwell-functions-'));
}, PACKAGING_MS);

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function functionOf(key: string): LambdaFunction {
  const found = functions.find((each) => each.key === key);
  if (!found) throw new Error(`Expected a function ${key}`);
  return found;
}

test('the stack has exactly these functions, on arm64, traced, with their handlers', () => {
  expect(Object.fromEntries(functions.map(({ key, properties }) => [key, properties.Handler]))).toEqual(
    Object.fromEntries(Object.entries(handlers).map(([key, path]) => [key, `${path}.handler`])),
  );
  for (const { properties } of functions) {
    expect(properties).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      TracingConfig: { Mode: 'Active' },
    });
  }
});

describe.each(Object.entries(handlers))('%s', (key, path) => {
  test('the zip contains one CommonJS bundle, its source map and the recipes, and nothing else', () => {
    const files = made.zip(key);
    expect([...files.keys()].sort()).toEqual(
      [...recipes.map((name) => `recipes/${name}`), `${path}.cjs`, `${path}.cjs.map`].sort(),
    );
  });

  test('the function has exactly the layers of the packages that it imports', () => {
    const bundle = made.zip(key).get(`${path}.cjs`)?.toString('utf8') ?? '';
    expect(bundle.length).toBeGreaterThan(1_000);
    expect(bundle.includes('require("sharp")')).toBe(withSharp.includes(key));
    for (const name of ['@cornerstonejs/codec-openjpeg/', '@hyzyla/pdfium/', 'libheif-js/']) {
      expect([name, bundle.includes(`"${name}`)]).toEqual([name, withDecoders.includes(key)]);
    }
    expect(functionOf(key).properties.Layers.map((layer) => text(layer))).toEqual([
      ...(withSharp.includes(key) ? ['<LibvipsLambdaLayer>'] : []),
      ...(withDecoders.includes(key) ? ['<DecodersLambdaLayer>'] : []),
    ]);
  });

  test('the bundle contains no decoder', () => {
    expect(made.zip(key).get(`${path}.cjs`)?.includes(emscripten)).toBe(false);
  });

  test('the handler loads as on Lambda, and a stack trace names the TypeScript line', async () => {
    const { type, error } = await invokeTask(unpackTask(made, key, join(work, key)), imageRequest('/'));
    expect({ type, error }).toEqual({
      type: 'function',
      // The environment is empty.
      error: { name: 'Error', message: expect.stringContaining('WORK_BUCKET'), stack: expect.any(String) },
    });
    expect(error?.stack).toMatch(/src\/config\.ts:\d+/u);
  });

  test('the environment provides every variable that the function reads', () => {
    const variables = Object.entries(functionOf(key).properties.Environment.Variables);
    const config = readConfig(Object.fromEntries(variables.map(([name, value]) => [name, text(value)])));
    expect(config).toMatchObject({
      store: { kind: 's3' },
      workBucket: '<WorkBucket>',
      publishedBucket: '<PublishedBucket>',
      ledgerTable: '<LedgerTable>',
      defaultRecipe: 'default',
      recipeRules: [],
      recipesDirectory: '/var/task/recipes',
      eventBusName: key === 'publishTiff' ? 'default' : undefined,
    });
    expect(config.stateMachineArn === undefined).toBe(key !== 'startPyramid' && key !== 'startPages');
  });
});

test('the packaged recipes equal the files in recipes/, and include the default one', () => {
  const files = made.zip('planPyramid');
  expect(recipes).toContain('default.yml');
  for (const name of recipes) {
    expect(files.get(`recipes/${name}`)).toEqual(readFileSync(join(projectRoot, 'recipes', name)));
  }
});

describe('the libvips layer', () => {
  const modules = 'nodejs/node_modules/';
  const version = (name: string): string => {
    const manifest = made.zip('libvips').get(`${modules}${name}/package.json`);
    return z.object({ version: z.string() }).parse(JSON.parse(manifest?.toString('utf8') ?? '{}')).version;
  };

  test('contains sharp at the version of package.json, later than 0.34 with its tiffload overflow', () => {
    expect(version('sharp')).toBe(sharpVersion);
    expect(version('@img/sharp-linux-arm64')).toBe(sharpVersion);
    const [major = 0, minor = 0] = sharpVersion.split('.').map(Number);
    expect(major * 1_000 + minor).toBeGreaterThanOrEqual(35);
  });

  test('contains the binaries of linux-arm64 and of no other platform', () => {
    const files = made.zip('libvips');
    const packages = new Set(
      [...files.keys()].map((name) => /@img\/([^/]+)/u.exec(name)?.[1]).filter((name) => name !== undefined),
    );
    expect([...packages].sort()).toEqual(['colour', 'sharp-libvips-linux-arm64', 'sharp-linux-arm64']);
    const binaries = [...files].filter(([name]) => /\.node$|\.so(\.|$)/u.test(name));
    expect(binaries.map(([name]) => name.replace(/.*\//u, '')).sort()).toEqual([
      expect.stringMatching(/^libvips-cpp\.so\./u),
      expect.stringMatching(/^sharp-linux-arm64/u),
    ]);
    for (const [, bytes] of binaries) {
      // ELF header: the magic, and e_machine 183, EM_AARCH64.
      expect(bytes.toString('latin1', 0, 4)).toBe('\x7fELF');
      expect(bytes.readUInt16LE(18)).toBe(183);
    }
  });

  test('contains every module that sharp requires, and fits the size limit of Lambda', () => {
    const files = made.zip('libvips');
    const needs = Manifest.parse(JSON.parse(files.get(`${modules}sharp/package.json`)?.toString('utf8') ?? '{}'));
    expect(Object.keys(needs.dependencies).length).toBeGreaterThan(0);
    for (const name of Object.keys(needs.dependencies)) expect(files.has(`${modules}${name}/package.json`)).toBe(true);
    const unpacked = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(unpacked).toBeGreaterThan(10 * 2 ** 20);
    expect(unpacked).toBeLessThan(100 * 2 ** 20);
  });
});

describe('the decoders layer', () => {
  const modules = 'nodejs/node_modules/';
  const contents = {
    '@cornerstonejs/codec-openjpeg': ['dist/openjpegwasm_decode.js', 'dist/openjpegwasm_decode.wasm', 'package.json'],
    '@hyzyla/pdfium': ['LICENSE.md', 'dist/index.cjs', 'dist/pdfium.wasm', 'package.json'],
    'libheif-js': [
      'LICENSE',
      'libheif-wasm/LICENSE',
      'libheif-wasm/libheif.js',
      'libheif-wasm/libheif.wasm',
      'package.json',
    ],
  };

  test('contains the loaded files of each decoder and its licence, if it has one, and nothing else', () => {
    const expected = Object.entries(contents).flatMap(([name, files]) =>
      files.map((file) => `${modules}${name}/${file}`),
    );
    expect([...made.zip('decoders').keys()].sort()).toEqual(expected.sort());
  });

  test.each(Object.entries(contents))('contains the same %s as the tests use', (name, files) => {
    const zip = made.zip('decoders');
    const manifest = z.object({ version: z.string() });
    const text = zip.get(`${modules}${name}/package.json`)?.toString('utf8');
    expect(manifest.parse(JSON.parse(text ?? '{}')).version).toBe(dependencies[name]);
    for (const file of files) {
      const installed = readFileSync(join(projectRoot, 'node_modules', name, file));
      expect([file, zip.get(`${modules}${name}/${file}`)?.equals(installed)]).toEqual([file, true]);
    }
  });

  test('contains Emscripten modules, unlike every bundle', () => {
    const programs = [...made.zip('decoders')].filter(([, bytes]) => bytes.includes(emscripten));
    expect(programs.map(([name]) => name.replace(/.*\//u, '')).sort()).toEqual([
      'index.cjs',
      'libheif.js',
      'openjpegwasm_decode.js',
    ]);
  });
});

test('every function with its layers fits the Lambda limit of 250 MB unpacked', () => {
  const bytes = (name: string): number => [...made.zip(name).values()].reduce((sum, { length }) => sum + length, 0);
  const all = bytes('convertSource') + bytes('libvips') + bytes('decoders');
  expect(all).toBeGreaterThan(15 * 2 ** 20);
  expect(all).toBeLessThan(250 * 2 ** 20);
});

test('no key, password or settings file is packaged', () => {
  const secret =
    /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bnpm_[0-9A-Za-z]{36}\b|\bgh[pousr]_[0-9A-Za-z]{36}\b/u;
  expect(secret.test('AKIAIOSFODNN7EXAMPLE')).toBe(true);
  expect(JSON.stringify(made.template)).not.toMatch(secret);
  let searched = 0;
  for (const zip of [...Object.keys(handlers), 'libvips', 'decoders']) {
    for (const [name, bytes] of made.zip(zip)) {
      expect(name).not.toMatch(/(^|\/)\.(env|npmrc|aws)/u);
      if (secret.test(bytes.toString('latin1'))) throw new Error(`Expected no secret in ${zip}/${name}`);
      searched++;
    }
  }
  expect(searched).toBeGreaterThan(100);
});
