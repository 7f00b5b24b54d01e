import { afterAll, describe, expect, test } from '@jest/globals';
import { FunctionTable } from '../../src/local/functions.ts';
import { hostOf, namedError, removeFolders, serve } from './project.ts';

afterAll(removeFolders);

const keys = [
  'validateObject',
  'convertSource',
  'measureSamples',
  'startPages',
  'recordMetadata',
  'planPyramid',
  'renderBlock',
  'renderImage',
  'checksumSource',
  'renderTopLevels',
  'assembleTiff',
  'verifyTiff',
  'publishTiff',
  'publishBlockTiles',
  'publishOutputs',
  'publishSidecar',
  'recordRejection',
];
const bound = keys.map((key) => ({ key, module: '', exportName: 'handler', timeoutMs: 900_000, memory: 2 ** 30 }));
const functions = new FunctionTable(bound);
const input = { schemaVersion: 1, source: { key: 'a.tif' }, recipe: 'default' };

function untilAborted(signal: AbortSignal): Promise<false> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(false);
    });
  });
}

async function run(behaviours: Parameters<typeof hostOf>[0]) {
  const host = hostOf(behaviours);
  const waits: number[] = [];
  const fixture = await serve({
    definitionFile: 'state-machines/pyramid.asl.yml',
    host,
    functions,
    random: () => 1,
    sleep: (milliseconds, signal) => {
      if (milliseconds === 86_400_000) return untilAborted(signal); // the time limit of the execution
      waits.push(milliseconds / 1000);
      return Promise.resolve(true);
    },
  });
  const { executionArn } = fixture.engine.start({ input: JSON.stringify(input) });
  await fixture.engine.idle();
  const { status, error, output } = fixture.engine.describe(executionArn);
  await fixture.stop();
  return { status, error, output: JSON.parse(output ?? 'null') as unknown, calls: host.calls, waits };
}

const healthy = {
  validateObject: () => ({ width: 10 }),
  planPyramid: () => ({ ref: { key: 'plan.json' }, blocks: [{ x: 0 }, { x: 1 }], oneBlock: false, digests: 'within' }),
  assembleTiff: () => ({ etag: 'e' }),
  publishTiff: () => ({ key: 'a.tif' }),
  publishSidecar: () => ({ key: 'a.tif.json' }),
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
    'renderTopLevels',
    'assembleTiff',
    'verifyTiff',
    'publishTiff',
    'publishSidecar',
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

test('an image of one block is rendered by RenderImage only', async () => {
  const { status, output, calls } = await run({
    ...healthy,
    planPyramid: () => ({ ref: { key: 'plan.json' }, blocks: [0], oneBlock: true, digests: 'within' }),
    renderImage: () => ({ etag: 'whole' }),
  });
  expect(status).toBe('SUCCEEDED');
  expect(calls.map(([key]) => key)).toEqual([
    'validateObject',
    'recordMetadata',
    'planPyramid',
    'renderImage',
    'verifyTiff',
    'publishTiff',
    'publishSidecar',
  ]);
  expect(output).toMatchObject({ assembled: { etag: 'whole' }, published: { key: 'a.tif' } });
});

test('tiles of every block and then the other outputs are published before the sidecar', async () => {
  const { status, output, calls } = await run({
    ...healthy,
    publishTiff: () => ({ key: 'a.tif', outputs: 'tiles' }),
    publishOutputs: () => ({ objects: 21, removed: 0 }),
  });
  expect(status).toBe('SUCCEEDED');
  expect(calls.slice(8).map(([key]) => key)).toEqual([
    'publishTiff',
    'publishBlockTiles',
    'publishBlockTiles',
    'publishOutputs',
    'publishSidecar',
  ]);
  expect(calls[10]?.[1]).toEqual({
    schemaVersion: 1,
    source: { key: 'a.tif' },
    plan: { key: 'plan.json' },
    block: { x: 1 },
  });
  expect(output).toMatchObject({ outputs: { objects: 21, removed: 0 }, published: { key: 'a.tif' } });
});

test('outputs that the recipe no longer lists are removed without publishing tiles', async () => {
  const { calls } = await run({ ...healthy, publishTiff: () => ({ key: 'a.tif', outputs: 'files' }) });
  expect(calls.slice(8).map(([key]) => key)).toEqual(['publishTiff', 'publishOutputs', 'publishSidecar']);
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

test('a master whose samples have no stated range is measured before it is recorded', async () => {
  const { status, output, calls } = await run({
    ...healthy,
    validateObject: () => ({ width: 10, unmeasured: true }),
    measureSamples: () => ({ width: 10, mappedRange: { min: 0, max: 1 } }),
  });
  expect(status).toBe('SUCCEEDED');
  expect(calls.slice(0, 3).map(([key]) => key)).toEqual(['validateObject', 'measureSamples', 'recordMetadata']);
  expect(calls[1]?.[1]).toEqual({ ...input, image: { width: 10, unmeasured: true } });
  expect(output).toMatchObject({ image: { mappedRange: { min: 0, max: 1 } }, published: { key: 'a.tif' } });
});

test.each([
  ['a TIFF', { validateObject: () => ({ pages: { count: 3, directories: [8, 200, 400] } }) }],
  ['a PDF', { validateObject: () => ({ convertFrom: 'pdf' }), convertSource: () => ({ pages: { count: 3 } }) }],
])('the pages of %s are started and the execution of the document ends', async (_, document) => {
  const { status, calls } = await run({ ...healthy, ...document });
  expect(status).toBe('SUCCEEDED');
  expect(calls.map(([key]) => key)).toEqual([...Object.keys(document), 'startPages']);
  expect(calls.at(-1)?.[1]).toMatchObject({ ...input, image: { pages: { count: 3 } } });
});

test('digests of a master that is read by slices are computed while it is rendered and published', async () => {
  const plan = { ref: { key: 'plan.json' }, blocks: [0, 1, 2], oneBlock: false, digests: 'beside' };
  let published = false;
  const { promise: afterwards, resolve } = Promise.withResolvers<undefined>();
  const { status, output, calls } = await run({
    ...healthy,
    planPyramid: () => plan,
    // Takes longer than all other steps.
    checksumSource: () => afterwards,
    publishTiff: () => {
      published = true;
      resolve(undefined);
      return { key: 'a.tif' };
    },
  });
  expect([status, published]).toEqual(['SUCCEEDED', true]);
  expect(calls.filter(([key]) => key === 'checksumSource')).toEqual([
    ['checksumSource', { ...input, image: { width: 10 }, plan }],
  ]);
  expect(calls.at(-1)?.[0]).toBe('publishSidecar');
  expect(output).toMatchObject({ ...input, plan, published: { key: 'a.tif' }, sidecar: { key: 'a.tif.json' } });
});

test('a master whose digest was sent is compared before it is rendered', async () => {
  const planPyramid = () => ({ ref: { key: 'plan.json' }, blocks: [0, 1], oneBlock: false, digests: 'before' });
  const sound = await run({ ...healthy, planPyramid });
  expect(sound.calls.slice(2, 5).map(([key]) => key)).toEqual(['planPyramid', 'checksumSource', 'renderBlock']);
  expect(sound.calls.filter(([key]) => key === 'checksumSource')).toHaveLength(1);
  const { status, calls } = await run({
    ...healthy,
    planPyramid,
    checksumSource: () => {
      throw namedError('RejectedImageError', 'CHECKSUM_MISMATCH: changed');
    },
  });
  expect(status).toBe('SUCCEEDED');
  expect(calls.slice(-2).map(([key]) => key)).toEqual(['checksumSource', 'recordRejection']);
});

test('the pyramid state machine records a rejection, also by a block, and succeeds', async () => {
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

describe('a function that Lambda throttles', () => {
  const throttled = (times: number, error = 'Lambda.TooManyRequestsException') => {
    let left = times;
    return () => {
      if (left-- > 0) throw namedError(error);
      return { etag: 'e' };
    };
  };

  test.each(['Lambda.TooManyRequestsException', 'Lambda.ClientExecutionTimeoutException'])(
    'is called again for up to two hours after %s',
    async (error) => {
      const { status, waits } = await run({ ...healthy, assembleTiff: throttled(30, error) });
      expect(status).toBe('SUCCEEDED');
      expect(waits).toEqual([2, 4, 8, 16, 32, 64, 128, 256, ...Array.from({ length: 22 }, () => 300)]);
    },
  );

  test('fails the execution after that', async () => {
    const { status, error } = await run({ ...healthy, assembleTiff: throttled(31) });
    expect([status, error]).toEqual(['FAILED', 'Lambda.TooManyRequestsException']);
  });

  test('does not use up the attempts that other errors have', async () => {
    let calls = 0;
    const { status, waits } = await run({
      ...healthy,
      verifyTiff: () => {
        calls += 1;
        if (calls <= 12) throw namedError('Lambda.TooManyRequestsException');
        if (calls <= 18) throw namedError('ServiceUnavailableError');
      },
    });
    expect([status, calls]).toEqual(['SUCCEEDED', 19]);
    expect(waits.slice(12)).toEqual([2, 4, 8, 16, 32, 60]);
  });
});
