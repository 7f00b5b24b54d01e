import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makePublishSidecar } from '../../src/steps/publish-sidecar.ts';
import { makePublishTiff } from '../../src/steps/publish-tiff.ts';
import { makeRecordMetadata } from '../../src/steps/record-metadata.ts';
import { makeRecordRejection } from '../../src/steps/record-rejection.ts';
import type { ExecutionInput } from '../../src/work/execution-input.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { quietCall } from '../support/pipeline.ts';
import { decodeLevels, pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
let jpeg: Buffer;
let png: Buffer;
beforeAll(async () => {
  [jpeg, png] = await Promise.all([pictureOf(30, 20).jpeg().toBuffer(), pictureOf(40, 20).png().toBuffer()]);
});
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const document = Buffer.from(pdf({ pages: [{ width: 72, height: 72, content: '' }] }));
const bucket = 'stepwell-published';
const target = { bucket, key: 'a.tif' };
const taken = { code: 'TARGET_TAKEN' };

async function publish(key: string, master: Buffer): Promise<ExecutionInput> {
  const state = await steps.assembled(key, master);
  await steps.publish(state);
  return state;
}

/** Ends an upload as RecordRejection does after a failed state. */
async function reject(input: ExecutionInput, error = 'RejectedImageError', cause = 'TRUNCATED: cut'): Promise<void> {
  await makeRecordRejection(steps.ports)({ ...input, error: { Error: error, Cause: cause } }, quietCall);
}

/** Uploads a master and runs the states up to RecordMetadata. */
async function record(key: string, master: Buffer): Promise<ExecutionInput> {
  const state = await steps.validate(await steps.upload(key, master));
  await makeRecordMetadata(steps.ports)(state, quietCall);
  return state;
}

async function widthOf(ref = target): Promise<number | undefined> {
  return (await decodeLevels(Buffer.from(await steps.store.read(ref))))[0]?.width;
}

describe('the public name of a published image', () => {
  test('remains reserved when a newer upload of the image is rejected', async () => {
    await publish('a.jpg', jpeg);
    await reject(await steps.upload('a.jpg', Buffer.from('broken')));
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
    expect(await widthOf()).toBe(30);
  });

  test('remains reserved when its master is deleted before a newer upload is read', async () => {
    await publish('a.jpg', jpeg);
    await reject(await steps.upload('a.jpg', jpeg), 'RejectedImageError', 'SOURCE_GONE: removed');
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });

  test('remains reserved when its execution failed after the copy and a newer upload is rejected', async () => {
    const state = await steps.assembled('a.jpg', jpeg);
    const { ledger } = steps;
    const failing = { assertCurrent: () => Promise.resolve(), published: () => Promise.reject(new Error('defect')) };
    await expect(steps.publish(state, { ledger: { ...ledger, ...failing } })).rejects.toThrow('defect');
    await ledger.ended(state.source, 'FAILED', { error: 'Error', cause: 'defect' });
    await reject(await steps.upload('a.jpg', Buffer.from('broken')));
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });

  test('remains reserved when a state after its publication is rejected', async () => {
    await reject(await publish('a.jpg', jpeg), 'RejectedImageError', 'CHECKSUM_MISMATCH: differs');
    expect((await steps.ledger.get((await steps.upload('a.jpg', jpeg)).source.imageId))?.published).toBeDefined();
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });

  test('remains reserved when the rejection is recorded twice, and when it is superseded', async () => {
    await publish('a.jpg', jpeg);
    const broken = await steps.upload('a.jpg', Buffer.from('broken'));
    await reject(broken);
    await reject(broken);
    await reject(await steps.upload('a.jpg', jpeg), 'SourceChangedError', 'overwritten');
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });

  test('remains reserved when the published file lost its origin', async () => {
    await publish('a.jpg', jpeg);
    await steps.store.write(target, await steps.store.read(target));
    await reject(await steps.upload('a.jpg', Buffer.from('broken')));
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });

  test('is used again by a corrected upload of the image', async () => {
    await publish('a.jpg', jpeg);
    await reject(await steps.upload('a.jpg', Buffer.from('broken')));
    await publish('a.jpg', await pictureOf(50, 20).jpeg().toBuffer());
    expect(await widthOf()).toBe(50);
  });

  test.each(['published', 'rejected', 'superseded'])(
    'is taken over after its object was removed when its image is %s',
    async (status) => {
      await publish('a.jpg', jpeg);
      if (status === 'rejected') await reject(await steps.upload('a.jpg', Buffer.from('broken')));
      if (status === 'superseded') await reject(await steps.upload('a.jpg', jpeg), 'SourceChangedError', 'overwritten');
      await steps.store.remove(target);
      await publish('a.png', png);
      expect(await widthOf()).toBe(40);
      await expect(record('a.jpg', jpeg)).rejects.toMatchObject(taken);
    },
  );

  test('is not taken over while a newer upload of its image is processed', async () => {
    await publish('a.jpg', jpeg);
    await steps.store.remove(target);
    await record('a.jpg', jpeg);
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });
});

describe('the public name of a rejected image', () => {
  test('is released when nothing of the image is public', async () => {
    await reject(await record('a.jpg', jpeg));
    await publish('a.png', png);
    expect(await widthOf()).toBe(40);
  });

  test('is not released by an older upload after a newer one reserved it', async () => {
    const older = await record('a.jpg', jpeg);
    await record('a.jpg', jpeg);
    await reject(older);
    await expect(record('a.png', png)).rejects.toMatchObject(taken);
  });

  test('is not released by an image that does not own it', async () => {
    await record('a.png', png);
    const other = await steps.upload('a.jpg', jpeg);
    await reject(other, 'RejectedImageError', 'TARGET_TAKEN: a.tif is the pyramid of a.png');
    await expect(record('a.jpg', jpeg)).rejects.toMatchObject(taken);
  });
});

describe('an object of another image', () => {
  test('is not replaced by an image that holds the reservation', async () => {
    const { source } = await publish('a.jpg', jpeg);
    // An earlier version released the names of published images.
    await steps.ledger.releaseTarget(bucket, 'a.tif', source);
    const second = await steps.assembled('a.png', png);
    await expect(steps.publish(second)).rejects.toMatchObject(taken);
    await reject(second, 'RejectedImageError', 'TARGET_TAKEN: a.tif exists');
    expect(await widthOf()).toBe(30);
  });

  test('is not replaced by a sidecar', async () => {
    const state = await steps.assembled('a.jpg', jpeg);
    const published = await steps.publish(state);
    const sidecar = { bucket, key: 'a.tif.json' };
    await steps.store.write(sidecar, png, { metadata: { 'stepwell-image': '0'.repeat(32) } });
    await expect(makePublishSidecar(steps.ports)({ ...state, published }, quietCall)).rejects.toMatchObject(taken);
    expect(Buffer.from(await steps.store.read(sidecar)).equals(png)).toBe(true);
  });

  test('is not replaced by the copy of a PDF', async () => {
    await publish('b.jpg', jpeg);
    await steps.store.write({ bucket, key: 'b.tif.json' }, png, { metadata: { 'stepwell-image': '0'.repeat(32) } });
    const state = await steps.assembled('b.tif.json', document, { recipe: 'iiif' });
    await expect(steps.publish(state)).rejects.toMatchObject(taken);
  });

  test('without origin is replaced', async () => {
    await steps.store.write(target, jpeg);
    await publish('a.png', png);
    expect(await widthOf()).toBe(40);
  });
});

describe('masters and pyramids in one bucket', () => {
  /** The steps with the source bucket as the published one. */
  const ports = (): Steps['ports'] => ({
    ...steps.ports,
    config: { ...steps.ports.config, publishedBucket: steps.sourceBucket },
  });

  test('a master is not replaced by its own pyramid', async () => {
    const master = await pictureOf(30, 20).tiff().toBuffer();
    const state = await steps.validate(await steps.upload('a.tif', master));
    await expect(makeRecordMetadata(ports())(state, quietCall)).rejects.toMatchObject(taken);
  });

  test('a master is not replaced by the pyramid of another master', async () => {
    const master = await pictureOf(30, 20).tiff().toBuffer();
    await steps.upload('a.tif', master);
    const state = await steps.assembled('a.jpg', jpeg);
    await expect(makePublishTiff(ports())(state, quietCall)).rejects.toMatchObject(taken);
    const kept = await steps.store.read({ bucket: steps.sourceBucket, key: 'a.tif' });
    expect(Buffer.from(kept).equals(master)).toBe(true);
  });

  test('a PDF is neither copied over itself nor removed', async () => {
    const state = await steps.assembled('a.pdf', document);
    await makePublishTiff(ports())(state, quietCall);
    expect([...(await steps.objects(steps.sourceBucket)).keys()]).toEqual(['a.pdf', 'a.tif']);
  });
});

test('a PDF whose name ends in .tif is published as its pyramid only', async () => {
  await publish('a.tif', document);
  expect([...(await steps.objects(bucket)).keys()]).toEqual(['a.tif']);
  expect(await widthOf()).toBeGreaterThan(0);
});
