import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sfnExecutions } from '../../src/executions/sfn.ts';
import { makeRecordOutcome, PyramidStatusChange } from '../../src/handlers/record-outcome.ts';
import type { Claim, LedgerEntry, Publication } from '../../src/ledger/ledger.ts';
import { jsonLog } from '../../src/log.ts';
import { startEngine, type FakeEngine, type FakeExecution } from '../support/engine.ts';
import { startLedger, type TestLedger } from '../support/ledger.ts';

let table: TestLedger;
let engine: FakeEngine;
let lines: string[];
let upload: Claim;
let name: string;
let arn: string;
let uploads = 0;

beforeAll(async () => {
  table = await startLedger();
});
beforeEach(async () => {
  engine = await startEngine();
  lines = [];
  const imageId = (++uploads).toString(16).padStart(32, '0');
  const sequence = '0055AED6DCD90281E500000000000000';
  upload = { imageId, sequence, bucket: 'masters', key: `${imageId}.tif`, recipe: 'default' };
  name = `${imageId}-${sequence}`;
  arn = `arn:aws:states:us-east-1:123456789012:execution:pyramid:${name}`;
  await table.ledger.claim(upload);
});
afterEach(() => {
  engine.stop();
});
afterAll(() => table.stop());

const publication: Publication = {
  ...{ bucket: 'published', key: 'a.tif', etag: 'p1', size: 1_000 },
  ...{ width: 512, height: 512, levels: 1, tileSize: 512 },
};

/** The event as EventBridge sends it, without the fields that are undefined. */
function statusChange(status: string, detail: Record<string, unknown> = {}): unknown {
  return JSON.parse(
    JSON.stringify({
      version: '0',
      id: '315c1398-40ff-a850-213b-158f73e60175',
      'detail-type': 'Step Functions Execution Status Change',
      source: 'aws.states',
      detail: {
        executionArn: arn,
        stateMachineArn: 'arn:aws:states:us-east-1:123456789012:stateMachine:pyramid',
        name,
        status,
        startDate: 1_793_491_200_000,
        stopDate: null,
        input: '{"schemaVersion":1}',
        inputDetails: { included: true },
        output: null,
        ...detail,
      },
    }),
  );
}

function record(event: unknown): Promise<void> {
  const log = jsonLog((line) => lines.push(line));
  const executions = sfnExecutions(engine.client, undefined);
  return makeRecordOutcome({ ledger: table.ledger, executions })(PyramidStatusChange.parse(event), { log });
}

const entry = (): Promise<LedgerEntry | undefined> => table.ledger.get(upload.imageId);
const events = (): string[] => lines.map((line) => (JSON.parse(line) as { event: string }).event);
function executionIs(status: FakeExecution['status'], outcome: { error?: string; cause?: string } = {}): void {
  engine.executions.set(name, { name, input: '{}', status, ...outcome });
}

describe('the status change of an unsuccessful execution', () => {
  test.each(['FAILED', 'ABORTED', 'TIMED_OUT'] as const)('records %s with error and cause', async (status) => {
    await table.ledger.started(upload, arn);
    await record(statusChange(status, { error: 'InconsistentWorkError', cause: 'block 7 is gone' }));
    expect(await entry()).toMatchObject({
      status,
      failure: { error: 'InconsistentWorkError', cause: 'block 7 is gone' },
    });
    expect(engine.calls).toEqual([]);
  });

  test('is recorded although the event has no input', async () => {
    await record(
      statusChange('FAILED', { input: undefined, inputDetails: { included: false }, error: 'E', cause: 'C' }),
    );
    expect(await entry()).toMatchObject({ status: 'FAILED' });
  });

  test.each([
    ['both', {}],
    ['the cause', { error: 'States.Timeout' }],
    ['the error', { cause: 'after 86,400 s', error: null }],
  ])('reads from DescribeExecution what the event lacks: %s', async (_what, detail) => {
    executionIs('TIMED_OUT', { error: 'States.Timeout', cause: 'after 86,400 s' });
    await record(statusChange('TIMED_OUT', detail));
    expect(await entry()).toMatchObject({ failure: { error: 'States.Timeout', cause: 'after 86,400 s' } });
  });

  test('records an abort without error and cause with a placeholder', async () => {
    executionIs('ABORTED');
    await record(statusChange('ABORTED'));
    expect(await entry()).toMatchObject({
      status: 'ABORTED',
      failure: { error: 'ABORTED', cause: 'No cause was given' },
    });
  });

  test.each([
    [{ status: 400, type: 'ThrottlingException' }, 'ServiceUnavailableError'],
    ['lost', 'ServiceUnavailableError'],
    [{ status: 400, type: 'ExecutionDoesNotExist' }, 'ExecutionDoesNotExist'],
  ] as const)(
    'throws when the engine answers %j, so that the event is delivered again',
    async (serviceError, errorName) => {
      executionIs('FAILED', { error: 'E', cause: 'C' });
      engine.serviceErrors.push(serviceError);
      await expect(record(statusChange('FAILED'))).rejects.toMatchObject({ name: errorName });
      expect(await entry()).toMatchObject({ status: 'CLAIMED' });
      await record(statusChange('FAILED'));
      expect(await entry()).toMatchObject({ status: 'FAILED', failure: { error: 'E', cause: 'C' } });
    },
  );

  test('does not replace a final status', async () => {
    await table.ledger.published(upload, publication);
    await record(statusChange('FAILED', { error: 'E', cause: 'the notification failed' }));
    expect(await entry()).toMatchObject({ status: 'PUBLISHED' });
  });

  test('does not change the entry of a newer upload', async () => {
    await table.ledger.claim({ ...upload, sequence: 'F'.repeat(32) });
    await record(statusChange('ABORTED', { error: 'E', cause: 'C' }));
    expect(await entry()).toMatchObject({ status: 'CLAIMED', sequence: 'F'.repeat(32) });
  });
});

describe('a status change to RUNNING', () => {
  test('records a start whose response was lost', async () => {
    executionIs('RUNNING');
    await record(statusChange('RUNNING'));
    expect(await entry()).toMatchObject({ status: 'PROCESSING', executionArn: arn });
    expect(engine.calls).toEqual([]);
  });

  test.each(['FAILED', 'ABORTED', 'TIMED_OUT'] as const)('records a redrive after %s', async (status) => {
    await table.ledger.ended(upload, status, { error: 'E', cause: 'C' });
    executionIs('RUNNING');
    await record(statusChange('RUNNING'));
    const found = await entry();
    expect(found).toMatchObject({ status: 'PROCESSING' });
    expect(found).not.toHaveProperty('failure');
  });

  test('does not replace a failure that was recorded before it', async () => {
    await table.ledger.ended(upload, 'FAILED', { error: 'E', cause: 'C' });
    executionIs('FAILED', { error: 'E', cause: 'C' });
    await record(statusChange('RUNNING'));
    expect(await entry()).toMatchObject({ status: 'FAILED', failure: { error: 'E', cause: 'C' } });
  });

  test('does not replace a final status', async () => {
    await table.ledger.rejected(upload, { code: 'EMPTY_OBJECT', detail: 'no bytes' });
    await record(statusChange('RUNNING'));
    expect(await entry()).toMatchObject({ status: 'REJECTED' });
  });
});

describe('a status change to SUCCEEDED', () => {
  test('logs nothing when the steps recorded the outcome', async () => {
    await table.ledger.published(upload, publication);
    await record(statusChange('SUCCEEDED'));
    expect(lines).toEqual([]);
  });

  test.each(['CLAIMED', 'PROCESSING'])('logs a warning when the entry is still %s', async (status) => {
    if (status === 'PROCESSING') await table.ledger.started(upload, arn);
    await record(statusChange('SUCCEEDED'));
    expect(events()).toEqual(['outcome.missing']);
    expect(await entry()).toMatchObject({ status });
  });

  test('logs nothing when a newer upload owns the entry', async () => {
    await table.ledger.claim({ ...upload, sequence: 'F'.repeat(32) });
    await record(statusChange('SUCCEEDED'));
    expect(lines).toEqual([]);
  });
});

describe('an unrelated event', () => {
  test.each(['by-hand', `${'0'.repeat(32)}-later`])('is ignored when its execution is named %s', async (other) => {
    await record(statusChange('FAILED', { name: other }));
    expect(events()).toEqual(['outcome.ignored']);
  });

  test('is ignored when its status is unknown', async () => {
    await record(statusChange('PENDING_REDRIVE'));
    expect(events()).toEqual(['outcome.ignored']);
    expect(await entry()).toMatchObject({ status: 'CLAIMED' });
  });

  test('is refused when it is of another type', () => {
    expect(() => PyramidStatusChange.parse({ 'detail-type': 'Object Created', detail: {} })).toThrow();
  });
});
