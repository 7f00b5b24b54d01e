import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDelivery } from '../../src/delivery/delivery.ts';
import { RequestSlots } from '../../src/delivery/request-slots.ts';
import { ServiceUnavailableError } from '../../src/errors.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';
import { startServer } from './server.ts';

let pipeline: PublishedPipeline;
beforeAll(async () => {
  pipeline = await startPublishedPipeline();
  await pipeline.run('a.png', await pictureOf(331, 205).png().toBuffer());
});
afterAll(() => pipeline.stop());

/** The store with reads of tiles that wait until `open` is called, or until they are aborted. */
function pausedStore(): { store: ObjectStore; waiting: () => number; open: () => void; aborted: () => number } {
  let waiting = 0;
  let aborted = 0;
  let isOpen = false;
  const gates = new Set<() => void>();
  const read: ObjectStore['read'] = async (ref, options) => {
    waiting += 1;
    await new Promise<void>((resolve, reject) => {
      if (isOpen) resolve();
      gates.add(resolve);
      options?.signal?.addEventListener('abort', () => {
        aborted += 1;
        reject(options.signal?.reason as Error);
      });
    });
    return pipeline.store.read(ref, options);
  };
  const store = new Proxy(pipeline.store, {
    get: (target, name: keyof ObjectStore) => (name === 'read' ? read : target[name].bind(target)),
  });
  const open = (): void => {
    isOpen = true;
    for (const gate of gates) gate();
  };
  return { store, waiting: () => waiting, open, aborted: () => aborted };
}

/** Waits until a condition holds, however long the machine takes. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

const derivative = '/iiif/3/a/full/100,/0/default.jpg';

test('a request beyond the queue is answered with 503 and Retry-After, and the others are answered', async () => {
  const { store, waiting, open } = pausedStore();
  const server = startServer({ ...pipeline, store }, { settings: { concurrency: 1, queue: 1 } });
  const first = server.ask(derivative);
  await until(() => waiting() === 1);
  const others = Array.from({ length: 4 }, () => server.ask(derivative));
  const refused: Response[] = [];
  for (const other of others) void other.then((answer) => refused.push(answer));
  await until(() => refused.length === 3);
  for (const answer of refused.slice(0, 3)) {
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await answer.text()).toBe('The server is busy: 1 requests are waiting; try again.\n');
  }
  open();
  const statuses = await Promise.all([first, ...others].map(async (answer) => (await answer).status));
  expect(statuses.sort()).toEqual([200, 200, 503, 503, 503]);
});

test('a client that goes away ends the reads of its request', async () => {
  const { store, waiting, aborted } = pausedStore();
  const app = createDelivery({ store, publishedBucket: 'stepwell-published' });
  const client = new AbortController();
  const answer = app.request(`http://images.test${derivative}`, { signal: client.signal });
  await until(() => waiting() > 0);
  client.abort();
  expect((await answer).status).toBe(503);
  expect(aborted()).toBe(waiting());
});

test('a request that takes too long is ended with 503 and a sentence', async () => {
  const { store } = pausedStore();
  const server = startServer({ ...pipeline, store }, { settings: { timeoutSeconds: 0.05 } });
  const answer = await server.ask(derivative);
  expect([answer.status, await answer.text()]).toEqual([
    503,
    'The image was not ready within 0.05 seconds. Ask for a smaller region or size.\n',
  ]);
});

test('a store that does not answer is 503', async () => {
  const read = (): Promise<never> => Promise.reject(new ServiceUnavailableError('SlowDown'));
  const store = new Proxy(pipeline.store, {
    get: (target, name: keyof ObjectStore) => (name === 'read' ? read : target[name].bind(target)),
  });
  const answer = await startServer({ ...pipeline, store }).ask(derivative);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
});

test('a request of too many tiles is refused before any is read', async () => {
  const server = startServer(pipeline, { settings: { maxTiles: 5 } });
  expect((await server.ask('/iiif/3/a/0,0,64,64/max/0/default.png')).status).toBe(200);
  pipeline.takeReads();
  const answer = await server.ask('/iiif/3/a/full/max/0/default.png');
  expect([answer.status, await answer.text()]).toEqual([
    400,
    'The request needs 24 tiles of the image, more than 5; ask for a smaller region, or a size in its proportions.\n',
  ]);
  expect(pipeline.takeReads()).toEqual([]);
});

test('a picture longer than the server can send is refused with a sentence', async () => {
  const server = startServer(pipeline, { settings: { maxBytes: 1_000 } });
  const answer = await server.ask('/iiif/3/a/full/max/0/default.png');
  expect(answer.status).toBe(413);
  expect(await answer.text()).toMatch(
    /^The image has \d+ bytes, more than the 1000 that the server can send; ask .*\.\n$/u,
  );
});

describe('the slots of requests', () => {
  const never = new AbortController().signal;

  test('run as many tasks as the limit allows, in the order of their arrival', async () => {
    const slots = new RequestSlots(2, 10);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        slots.run(async () => {
          order.push(index);
          most = Math.max(most, (running += 1));
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
        }, never),
      ),
    );
    expect([order, most]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7], 2]);
  });

  test('a waiting request that is aborted leaves the queue, and a failed task its slot', async () => {
    const slots = new RequestSlots(1, 1);
    let end = (): void => undefined;
    const first = slots.run(() => new Promise<void>((resolve) => (end = resolve)), never);
    const client = new AbortController();
    const second = slots.run(() => Promise.resolve('never'), client.signal);
    client.abort(new Error('gone'));
    await expect(second).rejects.toThrow('gone');
    const third = slots.run(() => Promise.reject(new Error('failed')), never);
    end();
    await first;
    await expect(third).rejects.toThrow('failed');
    expect(await slots.run(() => Promise.resolve('free'), never)).toBe('free');
  });
});
