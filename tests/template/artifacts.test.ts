import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { readConfig } from '../../src/config.ts';
import { lambdaFunctions, text, type LambdaFunction } from '../support/cloudformation.ts';
import { packaged, projectRoot, type Package } from '../support/packaged-template.ts';

const handlers = {
  startPyramid: 'src/handlers/start-pyramid',
  validateObject: 'src/steps/validate-object',
  recordMetadata: 'src/steps/record-metadata',
  planPyramid: 'src/steps/plan-pyramid',
  renderBlock: 'src/steps/render-block',
  renderApex: 'src/steps/render-apex',
  assembleTiff: 'src/steps/assemble-tiff',
  verifyTiff: 'src/steps/verify-tiff',
  publishTiff: 'src/steps/publish-tiff',
  recordRejection: 'src/steps/record-rejection',
  recordOutcome: 'src/handlers/record-outcome',
};
const withSharp = ['planPyramid', 'renderApex', 'renderBlock', 'validateObject', 'verifyTiff'];

const Manifest = z.object({ dependencies: z.object({ sharp: z.string() }) });
const sharpVersion = Manifest.parse(JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8'))).dependencies
  .sharp;
const recipes = readdirSync(join(projectRoot, 'recipes')).filter((name) => name.endsWith('.yml'));

let made: Package;
let functions: LambdaFunction[];
let work: string;

beforeAll(async () => {
  made = await packaged();
  functions = lambdaFunctions(made.template);
  work = mkdtempSync(join(tmpdir(), 'stepwell-functions-'));
}, 180_000);

afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

function functionOf(key: string): LambdaFunction {
  const found = functions.find((each) => each.key === key);
  if (!found) throw new Error(`Expected a function ${key}`);
  return found;
}

test('these are all the functions there are, on arm64, traced, with their handlers', () => {
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
  test('is one CommonJS bundle with its source map and the recipes, and nothing else', () => {
    const files = made.zip(key);
    expect([...files.keys()].sort()).toEqual(
      [...recipes.map((name) => `recipes/${name}`), `${path}.cjs`, `${path}.cjs.map`].sort(),
    );
  });

  test('has the sharp layer if, and only if, it asks for sharp', () => {
    const bundle = made.zip(key).get(`${path}.cjs`)?.toString('utf8') ?? '';
    const layers = functionOf(key).properties.Layers.map((layer) => text(layer));
    expect(bundle.length).toBeGreaterThan(1_000);
    expect(bundle.includes('require("sharp")')).toBe(withSharp.includes(key));
    expect(layers).toEqual(withSharp.includes(key) ? ['<LibvipsLambdaLayer>'] : []);
  });

  test('loads as Lambda loads it, and a stack trace names the TypeScript line', async () => {
    const task = unpack(key);
    const report = await runAsLambda(key, task);
    expect(report).toEqual({
      type: 'function',
      message: expect.stringContaining('WORK_BUCKET'),
      stack: expect.any(String),
    });
    expect(report.stack).toMatch(/src\/config\.ts:\d+/u);
  });

  test('is told everything it needs by its environment', () => {
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
    expect(config.stateMachineArn === undefined).toBe(key !== 'startPyramid');
  });
});

test('recipes are packaged byte by byte, the default one among them', () => {
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

  test('holds sharp at the version of package.json, past the tiffload overflow of 0.34', () => {
    expect(version('sharp')).toBe(sharpVersion);
    expect(version('@img/sharp-linux-arm64')).toBe(sharpVersion);
    const [major = 0, minor = 0] = sharpVersion.split('.').map(Number);
    expect(major * 1_000 + minor).toBeGreaterThanOrEqual(35);
  });

  test('holds the binaries of linux-arm64 and of nothing else', () => {
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

  test('holds every module that sharp asks for, and fits Lambda', () => {
    const files = made.zip('libvips');
    const { dependencies } = z
      .object({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(files.get(`${modules}sharp/package.json`)?.toString('utf8') ?? '{}'));
    expect(Object.keys(dependencies).length).toBeGreaterThan(0);
    for (const name of Object.keys(dependencies)) expect(files.has(`${modules}${name}/package.json`)).toBe(true);
    const unpacked = [...files.values()].reduce((sum, bytes) => sum + bytes.length, 0);
    expect(unpacked).toBeGreaterThan(10 * 2 ** 20);
    expect(unpacked).toBeLessThan(100 * 2 ** 20);
  });
});

test('no key, password or settings file is packaged', () => {
  const secret =
    /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\bnpm_[0-9A-Za-z]{36}\b|\bgh[pousr]_[0-9A-Za-z]{36}\b/u;
  expect(secret.test('AKIAIOSFODNN7EXAMPLE')).toBe(true);
  expect(JSON.stringify(made.template)).not.toMatch(secret);
  let searched = 0;
  for (const zip of [...Object.keys(handlers), 'libvips']) {
    for (const [name, bytes] of made.zip(zip)) {
      expect(name).not.toMatch(/(^|\/)\.(env|npmrc|aws)/u);
      if (secret.test(bytes.toString('latin1'))) throw new Error(`Expected no secret in ${zip}/${name}`);
      searched++;
    }
  }
  expect(searched).toBeGreaterThan(100);
});

/** Unpacks a function where no package.json or node_modules lies above it, as in /var/task. */
function unpack(key: string): string {
  const task = join(work, key, 'task');
  for (const [name, bytes] of made.zip(key)) {
    mkdirSync(dirname(join(task, name)), { recursive: true });
    writeFileSync(join(task, name), bytes);
  }
  return task;
}

/** What /opt/nodejs/node_modules is to a function: this machine's sharp for those with the layer, nothing for the rest. */
function layerOf(key: string): string {
  const modules = join(work, key, 'opt', 'nodejs', 'node_modules');
  mkdirSync(modules, { recursive: true });
  if (functionOf(key).properties.Layers.length > 0) {
    symlinkSync(join(projectRoot, 'node_modules', 'sharp'), join(modules, 'sharp'));
  }
  return modules;
}

const Report = z.object({ type: z.string(), message: z.string(), stack: z.string() });

/** Requires the handler in a plain Node and invokes it without its environment, which it must complain of. */
async function runAsLambda(key: string, task: string): Promise<z.infer<typeof Report>> {
  const [file, name] = functionOf(key).properties.Handler.split('.');
  const script = `
    const { ${name ?? ''}: handler } = require(${JSON.stringify(join(task, `${file ?? ''}.cjs`))});
    const report = ({ message, stack }) => console.log(JSON.stringify({ type: typeof handler, message, stack }));
    Promise.resolve(handler({}, { getRemainingTimeInMillis: () => 1000 })).then(() => report(new Error('no complaint')), report);
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=commonjs', '--eval', script], {
    cwd: task,
    env: {
      NODE_PATH: layerOf(key),
      NODE_OPTIONS: text(functionOf(key).properties.Environment.Variables['NODE_OPTIONS']),
    },
  });
  return Report.parse(JSON.parse(stdout));
}
