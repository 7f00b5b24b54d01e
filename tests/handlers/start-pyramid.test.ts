import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../src/config.ts';
import { ServiceUnavailableError } from '../../src/errors.ts';
import { ExecutionInput } from '../../src/work/execution-input.ts';
import { sfnExecutions } from '../../src/executions/sfn.ts';
import { makeStartPyramid } from '../../src/handlers/start-pyramid.ts';
import { DeliveredEvent } from '../../src/intake/start-uploads.ts';
import { imageId } from '../../src/ledger/identity.ts';
import type { Ledger, LedgerEntry } from '../../src/ledger/ledger.ts';
import { jsonLog } from '../../src/log.ts';
import { startEngine, type FakeEngine } from '../support/engine.ts';
import { hostileKeys } from '../support/hostile-keys.ts';
import { startLedger, type TestLedger } from '../support/ledger.ts';
import { bridgeEvent, queueEvent, s3Record, testEvent } from '../support/upload-events.ts';

const stateMachineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:pyramid';
const config = readConfig({
  WORK_BUCKET: 'work',
  PUBLISHED_BUCKET: 'published',
  LEDGER_TABLE: 'ledger',
  STATE_MACHINE_ARN: stateMachineArn,
});

let table: TestLedger;
let engine: FakeEngine;
let lines: string[];
beforeAll(async () => {
  table = await startLedger();
});
beforeEach(async () => {
  engine = await startEngine();
  lines = [];
});
afterEach(() => {
  engine.stop();
});
afterAll(() => table.stop());

async function start(event: unknown, ledger: Ledger = table.ledger): Promise<unknown> {
  const log = jsonLog((line) => lines.push(line));
  return makeStartPyramid({ config, ledger, executions: sfnExecutions(engine.client, stateMachineArn) })(
    DeliveredEvent.parse(event),
    { log },
  );
}

/** The log lines of one event name. */
const logged = (event: string): unknown[] =>
  lines.map((line) => JSON.parse(line) as { event: string }).filter((line) => line.event === event);
const inputs = (): ExecutionInput[] =>
  [...engine.executions.values()].map(({ input }) => ExecutionInput.parse(JSON.parse(input)));
const entry = (key: string): Promise<LedgerEntry | undefined> => table.ledger.get(imageId('masters', key));

const done = { batchItemFailures: [] };
const retry = (...messages: string[]): unknown => ({
  batchItemFailures: messages.map((itemIdentifier) => ({ itemIdentifier })),
});

let names = 0;
const newKey = (): string => `maps/${++names}.tif`;

describe('an upload', () => {
  test('starts an execution of its name, whose input is a pure function of the object', async () => {
    const key = newKey();
    const id = imageId('masters', key);
    expect(await start(queueEvent(bridgeEvent({ key, versionId: 'v1' })))).toEqual(done);

    const name = `${id}-0055AED6DCD90281E500000000000000`;
    expect([...engine.executions.keys()]).toEqual([name]);
    expect(JSON.parse(engine.executions.get(name)?.input ?? '')).toEqual({
      schemaVersion: 1,
      source: {
        imageId: id,
        sequence: '0055AED6DCD90281E500000000000000',
        bucket: 'masters',
        key,
        versionId: 'v1',
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
        size: 4_096,
      },
      recipe: 'default',
    });
    expect(await entry(key)).toMatchObject({
      status: 'PROCESSING',
      executionArn: `arn:aws:states:us-east-1:123456789012:execution:pyramid:${name}`,
    });
    expect(logged('upload.started')).toHaveLength(1);
  });

  test.each([
    ['an S3 notification', (key: string) => ({ Records: [s3Record({ key })] })],
    ['an EventBridge event', (key: string) => bridgeEvent({ key })],
  ])('is started by %s without a queue', async (_shape, event) => {
    const key = newKey();
    expect(await start(event(key))).toBeUndefined();
    expect(await entry(key)).toMatchObject({ status: 'PROCESSING' });
  });

  test('has the same input in both event formats', async () => {
    const key = newKey();
    const granting: Ledger = { ...table.ledger, claim: () => Promise.resolve({ claimed: true }) };
    const inputOf = async (event: unknown): Promise<string | undefined> => {
      engine.executions.clear();
      await start(event, granting);
      return [...engine.executions.values()][0]?.input;
    };
    const notified = await inputOf({ Records: [s3Record({ key })] });
    expect(notified).toContain(key);
    expect(await inputOf(bridgeEvent({ key }))).toBe(notified);
  });

  test('is refused with the name of the missing environment variable', async () => {
    const log = jsonLog(() => undefined);
    const ports = { config, ledger: table.ledger, executions: sfnExecutions(engine.client, undefined) };
    const event = DeliveredEvent.parse(bridgeEvent({ key: newKey() }));
    await expect(makeStartPyramid(ports)(event, { log })).rejects.toThrow(
      'Expected an ARN for STATE_MACHINE_ARN but received nothing',
    );
  });
});

describe('an event that is delivered twice', () => {
  test('starts one execution and is logged as ignored the second time', async () => {
    const event = queueEvent(bridgeEvent({ key: newKey() }));
    expect([await start(event), await start(event)]).toEqual([done, done]);
    expect(engine.calls).toEqual(['StartExecution']);
    expect(logged('upload.ignored')).toMatchObject([{ reason: 'duplicate', status: 'PROCESSING' }]);
  });

  test('starts one execution when both deliveries are handled concurrently', async () => {
    const key = newKey();
    const event = queueEvent(bridgeEvent({ key }), { Records: [s3Record({ key })] }, bridgeEvent({ key }));
    expect(await Promise.all([start(event), start(event)])).toEqual([done, done]);
    expect(engine.executions.size).toBe(1);
    expect(await entry(key)).toMatchObject({ status: 'PROCESSING' });
  });

  test('starts no second execution after the first has ended', async () => {
    const key = newKey();
    await start(bridgeEvent({ key }));
    const { sequence } = inputs()[0]?.source ?? { sequence: '' };
    await table.ledger.ended({ imageId: imageId('masters', key), sequence }, 'FAILED', { error: 'E', cause: 'C' });
    await start(bridgeEvent({ key }));
    expect(engine.calls).toEqual(['StartExecution']);
    expect(await entry(key)).toMatchObject({ status: 'FAILED' });
  });
});

test('an event of an older upload is ignored after that of a newer one', async () => {
  const key = newKey();
  await start(bridgeEvent({ key, sequencer: '0055AED6DCD90281E6' }));
  const before = await entry(key);
  expect(await start(queueEvent(bridgeEvent({ key, sequencer: '0055AED6DCD90281E5' })))).toEqual(done);
  expect(await entry(key)).toEqual(before);
  expect(engine.executions.size).toBe(1);
  expect(logged('upload.ignored')).toMatchObject([{ reason: 'older' }]);
});

test('sequencers of different length and letter case are ordered correctly', async () => {
  const key = newKey();
  const oldestFirst = ['0055aed6', '0055AED6DC', '0055aed6dcd90281e5', '0055AED6DCD90281E6', '0055aed7'];
  for (const sequencer of oldestFirst) await start(bridgeEvent({ key, sequencer }));
  expect(engine.executions.size).toBe(5);
  for (const sequencer of oldestFirst) await start(bridgeEvent({ key, sequencer }));
  expect(engine.executions.size).toBe(5);
  expect(await entry(key)).toMatchObject({ sequence: '0055AED7000000000000000000000000' });
});

describe('the redelivery of an event leaves exactly one execution', () => {
  /** The ledger with one call that fails: before its effect, or after it. */
  const failing = (method: 'claim' | 'started', done: boolean): Ledger => ({
    ...table.ledger,
    [method]: async (...args: [never, never]) => {
      if (done) await table.ledger[method](...args);
      throw new ServiceUnavailableError('lost');
    },
  });

  test.each([
    ['before the claim', () => failing('claim', false)],
    ['after the claim, before the start', () => failing('claim', true)],
    ['after the start', () => failing('started', false)],
    ['after the start was recorded', () => failing('started', true)],
  ])('after a crash %s', async (_when, ledger) => {
    const key = newKey();
    const event = queueEvent(bridgeEvent({ key }));
    expect(await start(event, ledger())).toEqual(retry('m0'));
    expect(await start(event)).toEqual(done);
    expect(await start(event)).toEqual(done);
    expect(engine.executions.size).toBe(1);
    expect(await entry(key)).toMatchObject({ status: 'PROCESSING', executionArn: expect.stringContaining('pyramid') });
  });

  test.each([
    ['is throttled', { status: 400, type: 'ThrottlingException' }],
    ['exceeds the quota of running executions', { status: 400, type: 'ExecutionLimitExceeded' }],
    ['fails with a server error', { status: 500, type: 'InternalServerError' }],
    ['succeeds but its response is lost', 'lost'],
  ] as const)('when StartExecution %s', async (_name, serviceError) => {
    const key = newKey();
    const event = queueEvent(bridgeEvent({ key }));
    engine.serviceErrors.push(serviceError);
    expect(await start(event)).toEqual(retry('m0'));
    expect(logged('upload.failed')).toMatchObject([{ messageId: 'm0', error: { name: 'ServiceUnavailableError' } }]);
    expect(await start(event)).toEqual(done);
    expect(engine.executions.size).toBe(1);
    expect(await entry(key)).toMatchObject({ status: 'PROCESSING' });
  });

  test('when the response to the start was lost and the execution has ended', async () => {
    const key = newKey();
    engine.serviceErrors.push('lost');
    await start(queueEvent(bridgeEvent({ key })));
    for (const execution of engine.executions.values()) execution.status = 'SUCCEEDED';
    expect(await start(queueEvent(bridgeEvent({ key })))).toEqual(done);
    expect(engine.executions.size).toBe(1);
    const id = imageId('masters', key);
    const name = `${id}-0055AED6DCD90281E500000000000000`;
    expect(await entry(key)).toMatchObject({
      executionArn: `arn:aws:states:us-east-1:123456789012:execution:pyramid:${name}`,
    });
  });
});

describe('an execution is started with the exact bytes of the key, in every event format', () => {
  test.each(hostileKeys.map((key) => [key]))('%j', async (key) => {
    await start(queueEvent({ Records: [s3Record({ key, sequencer: '01' })] }, testEvent));
    await start(queueEvent(bridgeEvent({ key, sequencer: '02' })));
    expect(inputs().map(({ source }) => source.key)).toEqual([key, key]);
    expect(await entry(key)).toMatchObject({ bucket: 'masters', key, status: 'PROCESSING' });
    for (const line of lines) expect(line).not.toMatch(/[\r\n]/u);
  });
});

describe('events without an image', () => {
  test('folder markers and test events start nothing and are not delivered again', async () => {
    const marker = { key: 'maps/', size: 0 };
    const batch = queueEvent({ Records: [s3Record(marker)] }, bridgeEvent(marker), testEvent, { Records: [] });
    expect(await start(batch)).toEqual(done);
    expect(await start(testEvent)).toBeUndefined();
    expect(engine.calls).toEqual([]);
  });

  test('an empty object is started, so that its rejection is recorded', async () => {
    const key = newKey();
    expect(await start(queueEvent(bridgeEvent({ key, size: 0 })))).toEqual(done);
    expect(inputs()[0]?.source.size).toBe(0);
  });

  test('a malformed message is reported for the dead-letter queue', async () => {
    expect(await start(queueEvent('no JSON', { hello: 'world' }))).toEqual(retry('m0', 'm1'));
    expect(logged('upload.failed')).toHaveLength(2);
  });

  test('a malformed event without a queue throws', async () => {
    await expect(start({ Records: [{ eventSource: 'aws:s3' }] })).rejects.toThrow('Expected an S3 event record');
    await expect(start({ hello: 'world' })).rejects.toThrow();
  });
});

describe('an event with several records of which one is invalid', () => {
  test('redelivers only the malformed message of a batch', async () => {
    const keys = [newKey(), newKey(), newKey()];
    const [a, b, c] = keys.map((key) => bridgeEvent({ key }));
    expect(await start(queueEvent(a, 'bad', b, c))).toEqual(retry('m1'));
    expect(new Set(inputs().map(({ source }) => source.key))).toEqual(new Set(keys));
  });

  test('redelivers only the message of a batch whose start failed', async () => {
    const events = Array.from({ length: 4 }, () => bridgeEvent({ key: newKey() }));
    engine.serviceErrors.push({ status: 503, type: 'ServiceUnavailable' });
    const answer = (await start(queueEvent(...events))) as { batchItemFailures: unknown[] };
    expect(answer.batchItemFailures).toHaveLength(1);
    expect(engine.executions.size).toBe(3);
    expect(await start(queueEvent(...events))).toEqual(done);
    expect(engine.executions.size).toBe(4);
  });

  test('starts the other records of a message, and starts them once when it is redelivered', async () => {
    const keys = [newKey(), newKey()];
    const [a, c] = keys.map((key) => s3Record({ key }));
    const event = queueEvent({ Records: [a, { eventSource: 'aws:s3' }, c] });
    expect([await start(event), await start(event)]).toEqual([retry('m0'), retry('m0')]);
    expect(inputs().map(({ source }) => source.key)).toEqual(keys);
  });

  test('starts the other records of a notification without a queue before the error is thrown', async () => {
    const key = newKey();
    const bad = [{ eventSource: 'aws:s3' }, null];
    await expect(start({ Records: [...bad, s3Record({ key })] })).rejects.toThrow('2 uploads failed');
    expect(inputs().map(({ source }) => source.key)).toEqual([key]);
  });
});

test('the recipe of an upload is chosen by its key prefix', async () => {
  const rules = { recipeRules: [{ prefix: 'maps/', recipe: 'large-tiles' }] };
  const keys = ['maps/north.tif', 'photos/maps.tif'];
  const executions = sfnExecutions(engine.client, stateMachineArn);
  const ports = { config: { ...config, ...rules }, ledger: table.ledger, executions };
  const startPyramid = makeStartPyramid(ports);
  for (const key of keys) {
    await startPyramid(DeliveredEvent.parse(bridgeEvent({ key })), { log: jsonLog(() => undefined) });
  }
  expect(inputs().map(({ source, recipe }) => [source.key, recipe])).toEqual([
    ['maps/north.tif', 'large-tiles'],
    ['photos/maps.tif', 'default'],
  ]);
});

test('at most five messages of a batch are handled concurrently', async () => {
  const batch = Array.from({ length: 40 }, () => bridgeEvent({ key: newKey() }));
  expect(await start(queueEvent(...batch))).toEqual(done);
  expect(engine.executions.size).toBe(40);
  expect(engine.peak()).toBeGreaterThan(1);
  expect(engine.peak()).toBeLessThanOrEqual(5);
});
