import { afterAll, expect, test } from '@jest/globals';
import { type FunctionTable, logicalId } from '../../src/local/functions.ts';
import { hostOf, namedError, removeFolders, serve } from './project.ts';

afterAll(removeFolders);

const keys = [
  'validateObject',
  'convertSource',
  'recordMetadata',
  'planPyramid',
  'renderBlock',
  'checksumSource',
  'renderApex',
  'assembleTiff',
  'verifyTiff',
  'publishTiff',
  'recordRejection',
];
const bound = keys.map((key) => ({ key, module: '', exportName: 'handler', timeoutMs: 900_000, memory: 2 ** 30 }));
const byKey = new Map(bound.map((each) => [each.key, each]));
const functions: FunctionTable = {
  byKey,
  byName: byKey,
  byLogicalId: new Map(bound.map((each) => [logicalId(each.key), each])),
};
const input = { schemaVersion: 1, source: { key: 'a.tif' }, recipe: 'default' };

async function run(behaviours: Parameters<typeof hostOf>[0]) {
  const host = hostOf(behaviours);
  const fixture = await serve({ definitionFile: 'state-machines/pyramid.asl.yml', host, functions });
  const { executionArn } = fixture.engine.start({ input: JSON.stringify(input) });
  await fixture.engine.idle();
  const { status, output } = fixture.engine.describe(executionArn);
  await fixture.stop();
  return { status, output: JSON.parse(output ?? 'null') as unknown, calls: host.calls };
}

const healthy = {
  validateObject: () => ({ width: 10 }),
  planPyramid: () => ({ ref: { key: 'plan.json' }, blocks: [{ x: 0 }, { x: 1 }], checksumApart: false }),
  assembleTiff: () => ({ etag: 'e' }),
  publishTiff: () => ({ key: 'a.tif' }),
};

test('the pyramid state machine calls every step once and every block once', async () => {
  const { status, output, calls } = await run(healthy);
  expect(status).toBe('SUCCEEDED');
  expect(calls.map(([key]) => key)).toEqual([
    'validateObject',
    'recordMetadata',
    'planPyramid',
    'renderBlock',
    'renderBlock',
    'renderApex',
    'assembleTiff',
    'verifyTiff',
    'publishTiff',
  ]);
  expect(calls[4]?.[1]).toEqual({
    schemaVersion: 1,
    source: { key: 'a.tif' },
    plan: { key: 'plan.json' },
    block: { x: 1 },
  });
  expect(output).toMatchObject({
    ...input,
    image: { width: 10 },
    assembled: { etag: 'e' },
    published: { key: 'a.tif' },
  });
});

test('a master of another format is converted before it is recorded', async () => {
  const { status, output, calls } = await run({
    ...healthy,
    validateObject: () => ({ convertFrom: 'pdf' }),
    convertSource: () => ({ width: 20 }),
  });
  expect(status).toBe('SUCCEEDED');
  expect(calls.slice(0, 3).map(([key]) => key)).toEqual(['validateObject', 'convertSource', 'recordMetadata']);
  expect(calls[1]?.[1]).toEqual({ ...input, image: { convertFrom: 'pdf' } });
  expect(output).toMatchObject({ image: { width: 20 }, published: { key: 'a.tif' } });
});

test('a master that is read in parts has its digests taken beside the blocks', async () => {
  const plan = { ref: { key: 'plan.json' }, blocks: [0, 1, 2], checksumApart: true };
  const { status, output, calls } = await run({ ...healthy, planPyramid: () => plan });
  expect(status).toBe('SUCCEEDED');
  const besides = calls.slice(3, 7).map(([key]) => key);
  expect(besides.sort()).toEqual(['checksumSource', 'renderBlock', 'renderBlock', 'renderBlock']);
  expect(calls[7]?.[0]).toBe('renderApex');
  expect(calls.find(([key]) => key === 'checksumSource')?.[1]).toEqual({ ...input, image: { width: 10 }, plan });
  expect(output).toMatchObject({ ...input, plan, published: { key: 'a.tif' } });
});

test('a changed master is rejected by its digests, whatever becomes of the blocks', async () => {
  const { status, calls } = await run({
    ...healthy,
    planPyramid: () => ({ ref: { key: 'plan.json' }, blocks: [0, 1], checksumApart: true }),
    checksumSource: () => {
      throw namedError('RejectedImageError', 'CHECKSUM_MISMATCH: changed');
    },
  });
  expect(status).toBe('SUCCEEDED');
  expect(calls.at(-1)?.[0]).toBe('recordRejection');
});

test('the pyramid state machine records a rejection, also of a block, and succeeds', async () => {
  const { status, calls } = await run({
    ...healthy,
    renderBlock: () => {
      throw namedError('RejectedImageError', 'TRUNCATED: cut');
    },
  });
  expect(status).toBe('SUCCEEDED');
  const [key, event] = calls.at(-1) ?? [];
  expect(key).toBe('recordRejection');
  const { error } = event as { error: { Error: string; Cause: string } };
  expect(error.Error).toBe('RejectedImageError');
  expect(JSON.parse(error.Cause)).toMatchObject({ errorMessage: 'TRUNCATED: cut' });
});
