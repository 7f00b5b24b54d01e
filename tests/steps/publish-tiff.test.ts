import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InconsistentWorkError, ServiceUnavailableError, SourceChangedError } from '../../src/errors.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { AssembledState } from '../../src/work/execution-state.ts';
import { hostileKeys } from '../support/hostile-keys.ts';
import { decodeLevels, pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
let older: Buffer;
let newer: Buffer;
beforeAll(async () => {
  [older, newer] = await Promise.all([
    pictureOf(300, 200).png().toBuffer(),
    pictureOf(310, 200, 3, 2).png().toBuffer(),
  ]);
});
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const bucket = 'stepwell-published';

async function widthOf(key: string): Promise<number | undefined> {
  return (await decodeLevels(Buffer.from(await steps.store.read({ bucket, key }))))[0]?.width;
}

/** The ledger with some methods replaced. */
function ledgerWith(changes: Partial<Ledger>): Ledger {
  const { ledger } = steps;
  const methods = ['assertCurrent', 'published'] as const;
  const bound = Object.fromEntries(methods.map((name) => [name, ledger[name].bind(ledger)]));
  return { ...ledger, ...bound, ...changes };
}

describe('a published TIFF', () => {
  test('has the user metadata for IIIF servers and for the comparison of uploads', async () => {
    const state = await steps.assembled('a b+c.png', older, { recipe: 'iiif' });
    const publication = await steps.publish(state);
    const { size, etag, contentType, metadata } = await steps.store.head({ bucket, key: 'a b+c.tif' });
    expect(contentType).toBe('image/tiff');
    expect(metadata).toEqual({
      width: '300',
      height: '200',
      pages: '2',
      tilesize: '256',
      'iiif-width': '300',
      'iiif-height': '200',
      'iiif-pages': '2',
      'iiif-tilesize': '256',
      'stepwell-image': state.source.imageId,
      'stepwell-sequence': '00000001000000000000000000000000',
      'stepwell-plan': state.plan.ref.hash,
    });
    expect(publication).toEqual({
      bucket,
      key: 'a b+c.tif',
      etag,
      size,
      width: 300,
      height: 200,
      levels: 2,
      tileSize: 256,
    });
    expect(size).toBe(state.assembled.size);
  });

  test('is recorded in the ledger and notified once', async () => {
    const state = await steps.assembled('scans/photo.png', older);
    const publication = await steps.publish(state);
    expect(await steps.ledger.get(state.source.imageId)).toMatchObject({ status: 'PUBLISHED', published: publication });
    expect(steps.notified).toEqual([
      {
        ...publication,
        imageId: state.source.imageId,
        sequence: state.source.sequence,
        source: { bucket: 'stepwell-source', key: 'scans/photo.png' },
      },
    ]);
  });

  test('has the bytes that were verified', async () => {
    const state = await steps.assembled('photo.png', older);
    await steps.publish(state);
    const verified = await steps.store.read({ bucket: 'stepwell-work', key: state.assembled.key });
    expect(Buffer.from(verified).equals(Buffer.from(await steps.store.read({ bucket, key: 'photo.tif' })))).toBe(true);
  });
});

describe('two uploads of one key', () => {
  let first: AssembledState;
  let second: AssembledState;
  beforeEach(async () => {
    first = await steps.assembled('photo.png', older);
    second = await steps.assembled('photo.png', newer);
  });

  test('the newer one replaces the public object of the older one', async () => {
    // Simulates that the older upload was published before the newer one was claimed.
    await steps.publish(first, {
      ledger: ledgerWith({ assertCurrent: () => Promise.resolve(), published: () => Promise.resolve() }),
    });
    expect(await widthOf('photo.tif')).toBe(300);
    await steps.publish(second);
    expect(await widthOf('photo.tif')).toBe(310);
  });

  test('the ledger refuses the older one before and after the newer one is published', async () => {
    await expect(steps.publish(first)).rejects.toThrow(SourceChangedError);
    expect((await steps.objects(bucket)).size).toBe(0);
    await steps.publish(second);
    await expect(steps.publish(first)).rejects.toThrow(SourceChangedError);
    expect(await widthOf('photo.tif')).toBe(310);
    expect(steps.notified).toHaveLength(1);
  });

  test('the public object refuses the older one if the newer one publishes after the check of the ledger', async () => {
    const late = ledgerWith({
      assertCurrent: async () => {
        await steps.publish(second);
      },
    });
    await expect(steps.publish(first, { ledger: late })).rejects.toThrow(SourceChangedError);
    expect(await widthOf('photo.tif')).toBe(310);
    expect(await steps.ledger.get(first.source.imageId)).toMatchObject({
      status: 'PUBLISHED',
      published: { width: 310 },
    });
  });

  test('the conditional copy refuses the older one if the newer one publishes after the check of the public object', async () => {
    let times = 0;
    steps.hooks.before = async (method, ref) => {
      if (method !== 'copy' || ref.bucket !== bucket || times++ > 0) return;
      await steps.publish(second);
    };
    const unaware = ledgerWith({ assertCurrent: () => Promise.resolve() });
    await expect(steps.publish(first, { ledger: unaware })).rejects.toThrow(ServiceUnavailableError);
    await expect(steps.publish(first, { ledger: unaware })).rejects.toThrow(SourceChangedError);
    expect(await widthOf('photo.tif')).toBe(310);
    expect(await steps.ledger.get(first.source.imageId)).toMatchObject({
      status: 'PUBLISHED',
      published: { width: 310 },
    });
  });
});

describe('an interrupted publication', () => {
  /** The calls that changed a public object. */
  const countCopies = (): string[] => {
    const copies: string[] = [];
    steps.hooks.after = (method, ref) => {
      if (ref.bucket === bucket && method !== 'head' && method !== 'read') copies.push(method);
    };
    return copies;
  };

  test('is completed by a retry without a second copy if the ledger was not updated', async () => {
    const state = await steps.assembled('photo.png', older);
    const copies = countCopies();
    const failing = ledgerWith({ published: () => Promise.reject(new ServiceUnavailableError('throttled')) });
    await expect(steps.publish(state, { ledger: failing })).rejects.toThrow(ServiceUnavailableError);
    const between = await steps.store.head({ bucket, key: 'photo.tif' });
    expect(await steps.ledger.get(state.source.imageId)).toMatchObject({ status: 'PROCESSING' });
    expect(steps.notified).toEqual([]);

    const publication = await steps.publish(state);
    expect(copies).toEqual(['copy']);
    expect(publication.etag).toBe(between.etag);
    expect(await steps.ledger.get(state.source.imageId)).toMatchObject({ status: 'PUBLISHED', published: publication });
    expect(steps.notified).toHaveLength(1);
  });

  test('is completed by a retry without a second copy if the response of the copy was lost', async () => {
    const state = await steps.assembled('photo.png', older);
    const copies: string[] = [];
    steps.hooks.after = (method, ref) => {
      if (method !== 'copy' || ref.bucket !== bucket) return;
      copies.push(method);
      throw new ServiceUnavailableError('connection reset');
    };
    await expect(steps.publish(state)).rejects.toThrow(ServiceUnavailableError);
    expect(await steps.publish(state)).toMatchObject({ width: 300 });
    expect(copies).toHaveLength(1);
  });

  test('is notified by a retry if the notification failed', async () => {
    const state = await steps.assembled('photo.png', older);
    const unavailable = { published: () => Promise.reject(new ServiceUnavailableError('throttled')) };
    await expect(steps.publish(state, { notifier: unavailable })).rejects.toThrow(ServiceUnavailableError);
    const publication = await steps.publish(state);
    expect(steps.notified).toMatchObject([publication]);
  });

  test('publishes nothing if the assembled file is missing or has changed', async () => {
    const state = await steps.assembled('photo.png', older);
    const file = { bucket: 'stepwell-work', key: state.assembled.key };
    await steps.store.write(file, new Uint8Array(state.assembled.size));
    await expect(steps.publish(state)).rejects.toThrow(/changed|verified/u);
    await steps.store.remove(file);
    await expect(steps.publish(state)).rejects.toThrow(InconsistentWorkError);
    expect((await steps.objects(bucket)).size).toBe(0);
    expect(steps.notified).toEqual([]);
  });
});

test('every hostile key is published under a distinct public key or rejected as KEY_TOO_LONG', async () => {
  const pixel = await pictureOf(2, 2).png().toBuffer();
  const outcomes = new Map<string, string>();
  for (const key of hostileKeys) {
    try {
      const { key: published } = await steps.publish(await steps.assembled(key, pixel));
      outcomes.set(published, key);
    } catch (error) {
      expect(`${key.slice(0, 40)}: ${(error as Error).message}`).toMatch(/: KEY_TOO_LONG: /u);
      expect(Buffer.byteLength(key)).toBeGreaterThan(1015);
    }
  }
  expect(outcomes.size).toBeGreaterThanOrEqual(50);
  expect([...(await steps.objects(bucket)).keys()].sort()).toEqual([...outcomes.keys()].sort());
  expect(steps.notified.map(({ source }) => source.key)).toEqual([...outcomes.values()]);
});
