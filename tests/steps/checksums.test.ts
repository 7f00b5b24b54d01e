import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { ExecutionInput } from '../../src/work/execution-input.ts';
import { makeChecksumSource } from '../../src/steps/checksum-source.ts';
import type { PlannedState } from '../../src/work/execution-state.ts';
import { quietCall } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const digest = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');

/**
 * Masters whose digests come from the block that reads all of it, from a pass of their own, and
 * from converting it.
 */
const masters: readonly (readonly [string, () => Promise<Buffer>, 'within' | 'beside'])[] = [
  ['photo.jpg', () => pictureOf(300, 200).jpeg().toBuffer(), 'within'],
  ['scan.tif', () => pictureOf(300, 200).tiff({ compression: 'lzw' }).toBuffer(), 'beside'],
  ['sheet.gif', () => pictureOf(300, 200).gif().toBuffer(), 'within'],
];

/** An upload with digests in its user metadata. */
async function uploadWith(key: string, master: Uint8Array, metadata: Record<string, string>): Promise<ExecutionInput> {
  const input = await steps.upload(key, master);
  const { etag } = await steps.store.write({ bucket: steps.sourceBucket, key }, master, { metadata });
  return { ...input, source: { ...input.source, etag } };
}

/** Runs all steps that read the master. */
async function readMaster(input: ExecutionInput): Promise<void> {
  const planned = await steps.plan(await steps.validate(input));
  if (planned.plan.digests !== 'within') await steps.checksum(planned);
  await steps.render(planned);
}

describe.each(masters)('the digests of %s', (key, make, digests) => {
  test('are recorded in the ledger and the sidecar', async () => {
    const master = await make();
    const state = await steps.assembled(key, master);
    expect(state.plan.digests).toBe(digests);
    const publication = await steps.publish(state);
    const expected = { sha256: digest('sha256', master) };
    const sidecar = await steps.publishSidecar(state, publication);
    expect(sidecar).toEqual({ key: `${publication.key}.json`, ...expected });
    expect((await steps.ledger.get(state.source.imageId))?.sidecar).toEqual(sidecar);
    const { source } = await steps.sidecarOf(publication.key);
    expect(source).toMatchObject(expected);
    expect(source).not.toHaveProperty('md5');
  });

  test('are compared with those that the uploader sent', async () => {
    const master = await make();
    await readMaster(await uploadWith(key, master, { sha256: digest('sha256', master), md5: digest('md5', master) }));
    for (const algorithm of ['sha256', 'md5']) {
      const other = await uploadWith(key, master, { [algorithm]: digest(algorithm, Buffer.from('another')) });
      await expect(readMaster(other)).rejects.toMatchObject({
        name: 'RejectedImageError',
        code: 'CHECKSUM_MISMATCH',
        message: expect.stringContaining(digest(algorithm, master)),
      });
    }
  });
});

test('a truncated master with a digest is rejected as CHECKSUM_MISMATCH, not as CORRUPT_PIXELS', async () => {
  const master = await pictureOf(300, 200).jpeg().toBuffer();
  const input = await uploadWith('photo.jpg', master.subarray(0, -500), { sha256: digest('sha256', master) });
  await expect(readMaster(input)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
});

test('a complete block is not rendered again, and the recorded digests are kept', async () => {
  const planned = await steps.rendered('photo.jpg', await pictureOf(300, 200).jpeg().toBuffer());
  const reads: string[] = [];
  steps.hooks.before = (method, { bucket }) => {
    if (bucket === steps.sourceBucket) reads.push(method);
  };
  await steps.renderBlock(planned, 0);
  expect(reads).toEqual([]);
  const assembled = await steps.assemble(planned);
  expect(await steps.publishSidecar(assembled, await steps.publish(assembled))).toHaveProperty('sha256');
});

describe('the SHA-256 that the store verified on upload', () => {
  /** Plans a TIFF in a store whose `head` returns this SHA-256, as that of S3 does. */
  async function planWith(sha256: string, metadata: Record<string, string> = {}): Promise<PlannedState> {
    const { store } = steps.ports;
    const checksumSha256 = Buffer.from(sha256, 'hex').toString('base64');
    const head: typeof store.head = async (ref, options) => ({ ...(await store.head(ref, options)), checksumSha256 });
    Object.assign(steps.ports, { store: { ...store, head } });
    const master = await pictureOf(300, 200).tiff().toBuffer();
    return steps.plan(await steps.validate(await uploadWith('scan.tif', master, metadata)));
  }
  const sha256 = digest('sha256', Buffer.from('as the store has it'));

  test('is recorded without reading the master', async () => {
    const planned = await planWith(sha256);
    expect(planned.plan.digests).toBe('beside');
    const reads: string[] = [];
    steps.hooks.before = (method, { bucket }) => {
      if (bucket === steps.sourceBucket) reads.push(method);
    };
    await steps.checksum(planned);
    expect(reads).toEqual(['head']);
    for (const block of planned.plan.blocks) await steps.renderBlock(planned, block);
    const assembled = await steps.assemble(planned);
    expect(await steps.publishSidecar(assembled, await steps.publish(assembled))).toMatchObject({ sha256 });
  });

  test('is compared with the SHA-256 that the uploader sent', async () => {
    await expect(steps.checksum(await planWith(sha256, { sha256 }))).resolves.toBeUndefined();
    const other = await planWith(sha256, { sha256: digest('sha256', Buffer.from('another')) });
    await expect(steps.checksum(other)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });
});

describe('a recipe without digests', () => {
  let recipes: string;
  beforeEach(async () => {
    recipes = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
    const recipe = `name: iiif\nversion: 1\ndescription: test\ntileSize: 256\nencoding: { compression: deflate }
colour: keep\ndepth: keep\nbackground: '#ffffff'\ndigests: []\n`;
    await writeFile(path.join(recipes, 'iiif.yml'), recipe);
    Object.assign(steps.ports, { config: { ...steps.ports.config, recipesDirectory: recipes } });
  });
  afterEach(() => rm(recipes, { recursive: true }));

  test('computes none and does not read the master', async () => {
    const planned = await steps.planned('scan.tif', await pictureOf(300, 200).tiff().toBuffer());
    const reads: string[] = [];
    steps.hooks.before = (method, { bucket }) => {
      if (bucket === steps.sourceBucket) reads.push(method);
    };
    await steps.checksum(planned);
    expect(reads).toEqual(['head']);
  });

  test('computes those that the uploader sent and compares them', async () => {
    const master = await pictureOf(300, 200).tiff().toBuffer();
    const input = await uploadWith('scan.tif', master, { md5: digest('md5', Buffer.from('another')) });
    await expect(readMaster(input)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' });
  });
});

describe('a master whose digests cannot be computed', () => {
  const short = { ...quietCall, remainingMs: () => 15_000 };
  const scan = (): Promise<Buffer> => pictureOf(300, 200).tiff().toBuffer();

  async function warningsOf(state: PlannedState): Promise<readonly string[]> {
    const assembled = await steps.assemble(state);
    const publication = await steps.publish(assembled);
    expect(await steps.publishSidecar(assembled, publication)).toEqual({ key: 'scan.tif.json' });
    return (await steps.sidecarOf(publication.key)).metadata.warnings;
  }

  test('because reading takes longer than a function may run is published with a warning', async () => {
    const planned = await steps.rendered('scan.tif', await scan());
    await makeChecksumSource(steps.ports)(planned, short);
    expect(await warningsOf(planned)).toEqual([
      `checksums: left out, reading ${planned.source.size} bytes takes longer than a function may run`,
    ]);
  });

  test('because it was removed or overwritten after rendering is published with a warning', async () => {
    const planned = await steps.rendered('scan.tif', await scan());
    await steps.store.write({ bucket: steps.sourceBucket, key: 'scan.tif' }, Buffer.from('another'));
    await steps.checksum(planned);
    await steps.store.remove({ bucket: steps.sourceBucket, key: 'scan.tif' });
    await steps.checksum(planned);
    expect(await warningsOf(planned)).toEqual([
      'checksums: left out, the master was removed or overwritten before it was read',
    ]);
  });

  test('is rejected if the uploader sent one', async () => {
    const master = await scan();
    const input = await uploadWith('scan.tif', master, { md5: digest('md5', master) });
    const planned = await steps.plan(await steps.validate(input));
    expect(planned.plan.digests).toBe('before');
    await expect(makeChecksumSource(steps.ports)(planned, short)).rejects.toMatchObject({ code: 'OVER_BUDGET' });
    await steps.store.remove({ bucket: steps.sourceBucket, key: 'scan.tif' });
    await expect(steps.checksum(planned)).rejects.toMatchObject({ code: 'SOURCE_GONE' });
  });
});
