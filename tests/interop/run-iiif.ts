/**
 * Validates the image server with the validator of the IIIF community (iiif-validator, from PyPI):
 * its reference picture is made from the table in the package, published with every recipe below,
 * and served; every test of levels 0 to 2 of both versions of the Image API is run.
 *
 *     node tests/interop/run-iiif.ts VENV
 *
 * VENV: a virtual environment of Python with .ci/iiif-validator.txt. The last line is
 * `N passed, N failed`; the exit code is 1 when any failed.
 */
import type { AddressInfo } from 'node:net';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { serve, type ServerType } from '@hono/node-server';
import { createDelivery } from '../../src/delivery/delivery.ts';
import { fileStore, registerBucket } from '../../src/storage/files/files.ts';
import { print, publish } from './command-line.ts';
import { outputOf, run } from './programs.ts';

/** Name of the reference picture, which the validator's documentation states. */
const IDENTIFIER = '67352ccc-d1b0-11e1-89ae-279075081939';
const LEVEL = 2;
/** The validator calls 2.1 by the name of 2.0. */
const versions = [
  { name: '2.0', path: 'iiif/2' },
  { name: '3.0', path: 'iiif/3' },
] as const;
const recipes = ['default', 'iiif', 'archival'] as const;
/** Fewer tests mean that the validator did not run to its end. */
const LEAST_TESTS = 30;

/** 10 × 10 squares of 100 × 100 pixels: column x and row y have the colour [x][y] of the table. */
const drawPicture = `
import sys
from PIL import Image, ImageDraw
from iiif_validator.validator import ValidationInfo
picture = Image.new('RGB', (1000, 1000))
draw = ImageDraw.Draw(picture)
for x, column in enumerate(ValidationInfo().colorInfo):
    for y, colour in enumerate(column):
        draw.rectangle((100 * x, 100 * y, 100 * x + 99, 100 * y + 99), fill=colour)
picture.save(sys.argv[1])
`;

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

async function main(venv: string): Promise<Counts> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-iiif-'));
  try {
    const masters = path.join(folder, 'masters');
    await mkdir(masters);
    await outputOf(path.join(venv, 'bin', 'python'), ['-c', drawPicture, path.join(masters, `${IDENTIFIER}.png`)]);
    const counts: Counts[] = [];
    for (const recipe of recipes) counts.push(...(await validateRecipe(venv, recipe, masters, folder)));
    return sumOf(counts);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function validateRecipe(venv: string, recipe: string, masters: string, folder: string): Promise<Counts[]> {
  const out = path.join(folder, recipe);
  const workspace = path.join(folder, 'workspace', recipe);
  if (!(await publish(masters, out, ['--recipe', recipe, '--workspace', workspace]))) return [{ passed: 0, failed: 1 }];
  const served = path.join(folder, 'served', recipe);
  await registerBucket(served, 'published', out);
  const app = createDelivery({ store: fileStore(served), publishedBucket: 'published' });
  const { server, port } = await listen(app.fetch);
  try {
    const counts: Counts[] = [];
    for (const version of versions) counts.push(await validate(venv, port, version, recipe));
    return counts;
  } finally {
    server.close();
  }
}

function listen(fetch: Parameters<typeof serve>[0]['fetch']): Promise<{ server: ServerType; port: number }> {
  return new Promise((resolve) => {
    const server = serve({ fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => {
      resolve({ server, port });
    });
  });
}

async function validate(
  venv: string,
  port: number,
  version: (typeof versions)[number],
  recipe: string,
): Promise<Counts> {
  const program = path.join(venv, 'bin', 'iiif-validate.py');
  const address = ['--server', `127.0.0.1:${port}`, '--prefix', version.path, '--identifier', IDENTIFIER];
  const { stdout, stderr } = await run(program, [...address, '--version', version.name, '--level', String(LEVEL)]);
  const output = `${stdout}${stderr}`;
  const passed = output.match(/^\[\d+\] test \S+ PASS$/gmu)?.length ?? 0;
  const failed = output.match(/^\[\d+\] test \S+ FAIL$/gmu)?.length ?? 0;
  const isWhole = passed + failed >= LEAST_TESTS;
  print(`${recipe}, Image API ${version.name}: ${passed} passed, ${failed} failed`);
  if (failed > 0 || !isWhole) print(output);
  return { passed, failed: isWhole ? failed : failed + 1 };
}

function sumOf(counts: readonly Counts[]): Counts {
  return counts.reduce((sum, { passed, failed }) => ({ passed: sum.passed + passed, failed: sum.failed + failed }), {
    passed: 0,
    failed: 0,
  });
}

const [venv] = process.argv.slice(2);
if (venv === undefined) throw new Error('Expected the path of a virtual environment with iiif-validator');
const { passed, failed } = await main(path.resolve(venv));
print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
