import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Executions } from '../../src/executions/executions.ts';
import { imageId } from '../../src/ledger/identity.ts';
import { makeStartPages } from '../../src/steps/start-pages.ts';
import { ExecutionInput } from '../../src/work/execution-input.ts';
import type { DocumentState } from '../../src/work/execution-state.ts';
import { quietCall } from '../support/pipeline.ts';
import { startSteps, type Steps } from '../support/steps.ts';
import { tiffOfPages } from '../support/tiff-pages.ts';

const book = tiffOfPages([1, 2, 3].map((seed) => ({ width: 300, height: 200 + seed, seed })));
const sha256 = createHash('sha256').update(book).digest('hex');

let steps: Steps;
/** Inputs of the started executions by name. */
let started: Map<string, string>;
/** Throws in place of the start of an execution. */
let refuse: (input: ExecutionInput) => void;
let inFlight: number;
let mostInFlight: number;

beforeEach(async () => {
  steps = await startSteps();
  started = new Map();
  refuse = () => undefined;
  inFlight = 0;
  mostInFlight = 0;
});
afterEach(() => steps.stop());

const executions: Executions = {
  arnOf: (name) => `arn:${name}`,
  async start(name, input) {
    mostInFlight = Math.max(mostInFlight, ++inFlight);
    await sleep(20);
    inFlight--;
    refuse(ExecutionInput.parse(JSON.parse(input)));
    expect(started.get(name) ?? input).toBe(input);
    started.set(name, input);
    return `arn:${name}`;
  },
  describe: () => Promise.reject(new Error('Expected no call')),
  redrive: () => Promise.reject(new Error('Expected no call')),
};

const startPages = (state: DocumentState, call = quietCall): Promise<void> =>
  makeStartPages({ ...steps.ports, executions })(state, call);

async function upload(count: number, metadata: Record<string, string> = {}): Promise<DocumentState> {
  const input = await steps.upload('book.tif', book);
  const { etag } = await steps.store.write({ bucket: steps.sourceBucket, key: 'book.tif' }, book, { metadata });
  const directories = Array.from({ length: count }, (_, index) => 1_000 + index);
  return { ...input, source: { ...input.source, etag }, image: { pages: { count, directories } } };
}

const pageId = (number: number): string => imageId(steps.sourceBucket, 'book.tif', number);
const statusOf = async (id: string): Promise<string | undefined> => (await steps.ledger.get(id))?.status;

describe('the pages of a document', () => {
  test('are started with their number, their directory and the digest of the document', async () => {
    const { image, ...state } = await upload(3);
    await startPages({ ...state, image });
    expect([...started.values()].map((input) => JSON.parse(input) as unknown)).toEqual(
      [1, 2, 3].map((number) => ({
        ...state,
        source: {
          ...state.source,
          imageId: pageId(number),
          page: { number, count: 3, directory: 999 + number },
        },
        checksums: { sha256 },
      })),
    );
    expect([...started.keys()]).toEqual([1, 2, 3].map((number) => `${pageId(number)}-${state.source.sequence}`));
    expect(await steps.ledger.get(state.source.imageId)).toMatchObject({ status: 'DIVIDED', pages: 3 });
    expect(await steps.ledger.get(pageId(2))).toMatchObject({
      status: 'PROCESSING',
      key: 'book.tif',
      page: { number: 2, count: 3 },
      executionArn: `arn:${pageId(2)}-${state.source.sequence}`,
    });
  });

  test('are all started once when a first attempt ends at one of them', async () => {
    const state = await upload(40);
    refuse = ({ source }) => {
      if (source.page?.number === 17) throw Object.assign(new Error('throttled'), { name: 'ServiceUnavailableError' });
    };
    await expect(startPages(state)).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
    expect(await statusOf(state.source.imageId)).toBe('CLAIMED');
    expect(await statusOf(pageId(17))).toBe('CLAIMED');
    refuse = () => undefined;
    await startPages(state);
    expect(started.size).toBe(40);
    expect(await statusOf(pageId(17))).toBe('PROCESSING');
    expect(await statusOf(state.source.imageId)).toBe('DIVIDED');
    await startPages(state);
    expect(started.size).toBe(40);
  });

  test('are started a few at a time', async () => {
    await startPages(await upload(100));
    expect(started.size).toBe(100);
    expect(mostInFlight).toBeGreaterThan(1);
    expect(mostInFlight).toBeLessThanOrEqual(10);
  });

  test('are not started for a document that a newer upload owns', async () => {
    const older = await upload(3);
    await upload(2);
    await expect(startPages(older)).rejects.toMatchObject({ name: 'SourceChangedError' });
    expect(started.size).toBe(0);
  });

  test('are not started for a document with another digest than its uploader sent', async () => {
    const state = await upload(3, { sha256: '0'.repeat(64) });
    await expect(startPages(state)).rejects.toThrow(/^CHECKSUM_MISMATCH: /u);
    expect(started.size).toBe(0);
  });

  test('are started with a warning when the document takes too long to read', async () => {
    await startPages(await upload(2), { ...quietCall, remainingMs: () => 60_000 });
    const reason = `checksums: left out, reading ${book.length} bytes takes longer than a function may run`;
    const [input = ''] = started.values();
    expect(ExecutionInput.parse(JSON.parse(input)).checksums).toEqual({ leftOut: reason });
  });
});

describe('a page of a document that was overwritten', () => {
  test('is not published when the newer document has fewer pages', async () => {
    const older = await upload(3);
    await startPages(older);
    const input = ExecutionInput.parse(JSON.parse(started.get(`${pageId(3)}-${older.source.sequence}`) ?? ''));
    const page = { ...input, source: { ...input.source, page: { number: 3, count: 3, directory: directoryOf(3) } } };
    const assembled = await steps.render(await steps.plan(await steps.validate(page)));
    await steps.upload('book.tif', book);
    await expect(steps.publish(assembled)).rejects.toMatchObject({ name: 'SourceChangedError' });
    expect(await steps.objects('stepwell-published')).toEqual(new Map());
  });
});

/** Offset of the directory of a page of the book: the pixels precede all directories. */
function directoryOf(number: number): number {
  const view = new DataView(book.buffer, book.byteOffset);
  let at = view.getUint32(4, true);
  for (let page = 1; page < number; page++) at = view.getUint32(at + 2 + 12 * view.getUint16(at, true), true);
  return at;
}
