/** The contract test suite of the Ledger port. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Claim,
  ImageMetadata,
  type ImageStatus,
  type Ledger,
  LedgerEntry,
  Publication,
  PublishedOutput,
  PublishedSidecar,
  type TargetOwner,
} from '../../src/ledger/ledger.ts';
import { searchWords } from '../../src/ledger/search.ts';
import { hostileKeys } from '../support/hostile-keys.ts';
import type { TestClock } from '../support/clock.ts';

/** An empty ledger whose times come from `clock`. */
export interface ContractLedger {
  readonly ledger: Ledger;
  readonly clock: TestClock;
  stop(): Promise<void>;
}

/** Values with every field of their schemas. */
const metadata: ImageMetadata = {
  format: 'tiff',
  width: 9_000,
  height: 7_000,
  bands: 3,
  bitDepth: 8,
  fileSize: 189_000_512,
  about: { title: 'Map of the world', creator: 'Joan Blaeu' },
};
const publication: Publication = {
  bucket: 'published',
  key: 'maps/blaeu.tif',
  etag: 'p1',
  size: 21_000_000,
  width: 9_000,
  height: 7_000,
  levels: 6,
  tileSize: 512,
};
const sidecar: PublishedSidecar = { key: 'maps/blaeu.tif.json', sha256: '9921a0877f5b5dc6', md5: '81cf557ba1efb6b7' };
const output: PublishedOutput = {
  name: 'iiif',
  prefix: 'maps/blaeu/iiif3/',
  count: 361,
  descriptor: 'maps/blaeu/iiif3/info.json',
  sequence: '2'.padEnd(32, '0'),
  pictures: [{ key: 'maps/blaeu/thumbnails/auto.jpg', width: 400, height: 300 }],
};
const rejection = { code: 'TRUNCATED', detail: 'ends in strip 12' };
const failure = { error: 'Lambda.Unknown', cause: 'out of memory' };
const arn = 'arn:aws:states:us-east-1:123456789012:execution:pyramid:one';
export const samples = { metadata, publication, sidecar, output, rejection, failure, arn };

let images = 0;
/** The older and the newer upload of an image that no other test uses. */
export function twoUploads(): [Claim, Claim] {
  const id = (++images).toString(16).padStart(32, '0');
  const upload = (sequence: string, etag: string): Claim => ({
    imageId: id,
    sequence: sequence.padEnd(32, '0'),
    bucket: 'masters',
    key: `maps/${id}.tif`,
    etag,
    recipe: 'default',
  });
  return [upload('0055AED6', 'first'), upload('0055AED7', 'second')];
}

/** The owner of a reserved key as the ledger names it. */
export function ownerOf({ imageId, bucket, key }: Claim): TargetOwner {
  return { imageId, bucket, key };
}

export function ledgerContract(adapter: string, start: () => Promise<ContractLedger>): void {
  describe(`the ledger in ${adapter}`, () => {
    contract(start);
  });
}

function contract(start: () => Promise<ContractLedger>): void {
  let running: ContractLedger;
  let ledger: Ledger;

  beforeAll(async () => {
    running = await start();
    ledger = running.ledger;
  });
  afterAll(() => running.stop());

  let older: Claim;
  let newer: Claim;
  beforeEach(() => {
    [older, newer] = twoUploads();
  });

  const entry = async (claim: Claim): Promise<LedgerEntry> => {
    const found = await ledger.get(claim.imageId);
    if (!found) throw new Error('Expected an entry');
    return found;
  };
  const statusOf = async (claim: Claim): Promise<ImageStatus> => (await entry(claim)).status;

  /** Brings an upload to each status through the port. */
  const reach: Record<ImageStatus, (claim: Claim) => Promise<unknown>> = {
    CLAIMED: (claim) => ledger.claim(claim),
    PROCESSING: async (claim) => {
      await ledger.claim(claim);
      await ledger.started(claim, arn);
    },
    PUBLISHED: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.published(claim, publication);
    },
    DIVIDED: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.divided(claim, 3);
    },
    REJECTED: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.rejected(claim, rejection);
    },
    SUPERSEDED: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.superseded(claim);
    },
    FAILED: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.ended(claim, 'FAILED', failure);
    },
    ABORTED: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.ended(claim, 'ABORTED', failure);
    },
    TIMED_OUT: async (claim) => {
      await reach.PROCESSING(claim);
      await ledger.ended(claim, 'TIMED_OUT', failure);
    },
  };
  const everyStatus = Object.keys(reach) as ImageStatus[];
  const open: ImageStatus[] = ['CLAIMED', 'PROCESSING', 'FAILED', 'ABORTED', 'TIMED_OUT'];
  const ended = ['FAILED', 'ABORTED', 'TIMED_OUT'] as const;
  const final: ImageStatus[] = ['PUBLISHED', 'DIVIDED', 'REJECTED', 'SUPERSEDED'];
  const without = (...statuses: ImageStatus[]): ImageStatus[] =>
    everyStatus.filter((status) => !statuses.includes(status));

  /** Expects that `write` does not change the entry, including `updatedAt`. */
  async function expectUntouched(claim: Claim, write: () => Promise<unknown>): Promise<void> {
    const before = await entry(claim);
    running.clock.advance(1_000);
    await write();
    expect(await entry(claim)).toEqual(before);
  }

  describe('a claim', () => {
    test('grants an image that was never seen', async () => {
      expect(await ledger.claim(older)).toEqual({ claimed: true });
      expect(await entry(older)).toEqual({ ...older, status: 'CLAIMED', updatedAt: running.clock().toISOString() });
    });

    test('grants an upload without ETag', async () => {
      await ledger.claim(older);
      expect(await ledger.claim({ ...newer, etag: undefined })).toEqual({ claimed: true });
      expect(await entry(older)).not.toHaveProperty('etag');
    });

    test('grants its own claim again while the execution never started', async () => {
      await ledger.claim(older);
      expect(await ledger.claim(older)).toEqual({ claimed: true });
    });

    test.each(without('CLAIMED'))('refuses a duplicate of an upload that is %s', async (status) => {
      await reach[status](older);
      await expectUntouched(older, async () => {
        expect(await ledger.claim(older)).toMatchObject({
          claimed: false,
          entry: { status, sequence: older.sequence },
        });
      });
    });

    test.each(everyStatus)('refuses an older upload when the newer one is %s', async (status) => {
      await reach[status](newer);
      await expectUntouched(newer, async () => {
        expect(await ledger.claim(older)).toMatchObject({
          claimed: false,
          entry: { status, sequence: newer.sequence },
        });
      });
    });

    test.each(everyStatus)('grants a newer upload when the older one is %s', async (status) => {
      await reach[status](older);
      expect(await ledger.claim(newer)).toEqual({ claimed: true });
      expect(await entry(newer)).toEqual({
        ...newer,
        status: 'CLAIMED',
        updatedAt: running.clock().toISOString(),
        ...(status === 'PUBLISHED' ? { published: publication, publishedAt: running.clock().toISOString() } : {}),
      });
    });

    test('keeps the published file until a newer upload replaces it', async () => {
      await reach.PUBLISHED(older);
      await ledger.claim(newer);
      expect((await entry(newer)).published).toEqual(publication);
      await ledger.rejected(newer, rejection);
      expect(await entry(newer)).toMatchObject({ status: 'REJECTED', published: publication });
    });

    test('refuses an upload that is PROCESSING, also in concurrent claims', async () => {
      await reach.PROCESSING(older);
      const claims = await Promise.all(Array.from({ length: 8 }, () => ledger.claim(older)));
      expect(claims.every(({ claimed }) => !claimed)).toBe(true);
    });

    test('grants the newer of two uploads that are claimed concurrently', async () => {
      for (let round = 0; round < 10; round++) {
        const [first, second] = twoUploads();
        const [, granted] = await Promise.all([ledger.claim(first), ledger.claim(second)]);
        expect(granted).toEqual({ claimed: true });
        expect(await entry(first)).toMatchObject({ sequence: second.sequence, etag: 'second' });
      }
    });
  });

  describe('recording the start of an execution', () => {
    test('changes CLAIMED to PROCESSING and records the execution', async () => {
      await ledger.claim(older);
      await ledger.started(older, arn);
      expect(await entry(older)).toMatchObject({ status: 'PROCESSING', executionArn: arn });
    });

    test.each(without('CLAIMED'))('does not change an upload that is already %s', async (status) => {
      await reach[status](older);
      await expectUntouched(older, () => ledger.started(older, 'arn:another'));
    });

    test('records the execution after a step has made the upload PROCESSING', async () => {
      await ledger.claim(older);
      await ledger.recordMetadata(older, metadata);
      await ledger.started(older, arn);
      expect(await entry(older)).toMatchObject({ status: 'PROCESSING', executionArn: arn, metadata });
    });

    test.each(everyStatus)('changes nothing of a newer upload that is %s', async (status) => {
      await reach[status](newer);
      await expectUntouched(newer, () => ledger.started(older, 'arn:older'));
    });

    test('creates no entry', async () => {
      await ledger.started(older, arn);
      expect(await ledger.get(older.imageId)).toBeUndefined();
    });
  });

  describe.each([
    ['recordMetadata', 'PROCESSING', { metadata }, (claim: Claim) => ledger.recordMetadata(claim, metadata)],
    ['published', 'PUBLISHED', { published: publication }, (claim: Claim) => ledger.published(claim, publication)],
  ] as const)('%s', (_name, status, fields, write) => {
    test.each(open)('accepts an upload that is %s and removes its failure', async (before) => {
      await reach[before](older);
      running.clock.advance(1_000);
      await write(older);
      const row = await entry(older);
      expect(row).toMatchObject({ ...fields, status, updatedAt: running.clock().toISOString() });
      expect(row).not.toHaveProperty('failure');
    });

    test.each(['REJECTED', 'SUPERSEDED'] as const)('refuses an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => expect(write(older)).rejects.toMatchObject({ name: 'SourceChangedError' }));
    });

    test('changes nothing of an upload that published the same file', async () => {
      await reach.PUBLISHED(older);
      await expectUntouched(older, () => write(older));
    });

    test.each(everyStatus)('throws SourceChangedError when a newer upload is %s', async (before) => {
      await reach[before](newer);
      await expectUntouched(newer, () => expect(write(older)).rejects.toMatchObject({ name: 'SourceChangedError' }));
    });

    test('throws SourceChangedError when the upload was not claimed', async () => {
      await expect(write(older)).rejects.toMatchObject({ name: 'SourceChangedError' });
      expect(await ledger.get(older.imageId)).toBeUndefined();
    });

    test('throws SourceChangedError when only an older upload was claimed', async () => {
      await reach.PROCESSING(older);
      await expectUntouched(older, () => expect(write(newer)).rejects.toMatchObject({ name: 'SourceChangedError' }));
    });
  });

  describe('publishing', () => {
    test.each([{ etag: 'p2' }, { key: 'elsewhere.tif' }, { bucket: 'another' }])(
      'records another file of the same upload: %j',
      async (difference) => {
        await reach.PUBLISHED(older);
        await ledger.published(older, { ...publication, ...difference });
        expect((await entry(older)).published).toEqual({ ...publication, ...difference });
      },
    );
  });

  describe('the sidecar of a published file', () => {
    test('is recorded without a change of the status', async () => {
      await reach.PUBLISHED(older);
      await ledger.sidecarPublished(older, sidecar);
      await ledger.sidecarPublished(older, sidecar);
      expect(await entry(older)).toMatchObject({ status: 'PUBLISHED', published: publication, sidecar });
    });

    test.each(open)('is not recorded for an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => ledger.sidecarPublished(older, sidecar));
    });

    test('of an older upload is kept until the newer one publishes and is not recorded after that', async () => {
      await reach.PUBLISHED(older);
      await ledger.sidecarPublished(older, sidecar);
      await reach.PROCESSING(newer);
      expect(await entry(newer)).toMatchObject({ published: publication, sidecar });
      await ledger.published(newer, { ...publication, etag: 'p2' });
      expect(await entry(newer)).not.toHaveProperty('sidecar');
      await expectUntouched(newer, () => ledger.sidecarPublished(older, sidecar));
    });
  });

  describe('the outputs of a recipe', () => {
    test('are recorded without a change of the status', async () => {
      await reach.PUBLISHED(older);
      await ledger.outputsPublished(older, [output]);
      await ledger.outputsPublished(older, [output, { ...output, name: 'deepzoom' }]);
      const outputs = [output, { ...output, name: 'deepzoom' }];
      expect(await entry(older)).toMatchObject({ status: 'PUBLISHED', published: publication, outputs });
    });

    test.each(open)('are not recorded for an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => ledger.outputsPublished(older, [output]));
    });

    test('of an older upload are kept until the newer one records its own', async () => {
      await reach.PUBLISHED(older);
      await ledger.outputsPublished(older, [output]);
      await reach.PUBLISHED(newer);
      expect(await entry(newer)).toMatchObject({ outputs: [output] });
      await expectUntouched(newer, () => ledger.outputsPublished(older, []));
      await ledger.outputsPublished(newer, []);
      expect(await entry(newer)).toMatchObject({ outputs: [] });
    });
  });

  describe('a rejection', () => {
    test.each(open)('ends an upload that is %s', async (before) => {
      await reach[before](older);
      await ledger.rejected(older, rejection);
      const row = await entry(older);
      expect(row).toMatchObject({ status: 'REJECTED', rejection });
      expect(row).not.toHaveProperty('failure');
    });

    test.each(final)('changes nothing of an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => ledger.rejected(older, { code: 'EMPTY_OBJECT', detail: 'late' }));
    });
  });

  describe('a document', () => {
    test.each(open)('is divided when it is %s', async (before) => {
      await reach[before](older);
      await ledger.divided(older, 3);
      const row = await entry(older);
      expect(row).toMatchObject({ status: 'DIVIDED', pages: 3 });
      expect(row).not.toHaveProperty('failure');
      await expectUntouched(older, () => ledger.divided(older, 3));
    });

    test('has no pages after a newer upload is claimed', async () => {
      await reach.DIVIDED(older);
      await ledger.claim(newer);
      expect(await entry(newer)).not.toHaveProperty('pages');
    });

    test('is not divided by an older upload', async () => {
      await reach.PROCESSING(newer);
      await expectUntouched(newer, () =>
        expect(ledger.divided(older, 3)).rejects.toMatchObject({ name: 'SourceChangedError' }),
      );
    });

    test.each(['REJECTED', 'SUPERSEDED'] as const)('is not divided when it is %s', async (before) => {
      await reach[before](older);
      await expect(ledger.divided(older, 3)).rejects.toMatchObject({ name: 'SourceChangedError' });
    });
  });

  describe('superseding', () => {
    test.each(open)('ends an upload that is %s', async (before) => {
      await reach[before](older);
      await ledger.superseded(older);
      expect(await statusOf(older)).toBe('SUPERSEDED');
    });

    test.each(final)('changes nothing of an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => ledger.superseded(older));
    });
  });

  describe('a failed execution', () => {
    test.each(open.flatMap((before) => ended.map((after) => [before, after] as const)))(
      'changes an upload from %s to %s',
      async (before, after) => {
        await reach[before](older);
        await ledger.ended(older, after, { error: 'States.Timeout', cause: '' });
        expect(await entry(older)).toMatchObject({ status: after, failure: { error: 'States.Timeout', cause: '' } });
      },
    );

    test.each(final)('changes nothing of an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => ledger.ended(older, 'FAILED', failure));
    });
  });

  describe('resuming', () => {
    test.each(ended)('changes an upload from %s to PROCESSING', async (before) => {
      await reach[before](older);
      await ledger.resumed(older);
      const row = await entry(older);
      expect(row.status).toBe('PROCESSING');
      expect(row).not.toHaveProperty('failure');
    });

    test.each(without(...ended))('changes nothing of an upload that is %s', async (before) => {
      await reach[before](older);
      await expectUntouched(older, () => ledger.resumed(older));
    });
  });

  describe.each([
    ['rejected', (claim: Claim) => ledger.rejected(claim, rejection)],
    ['superseded', (claim: Claim) => ledger.superseded(claim)],
    ['ended', (claim: Claim) => ledger.ended(claim, 'FAILED', failure)],
    ['resumed', (claim: Claim) => ledger.resumed(claim)],
  ] as const)('%s', (_name, write) => {
    test.each(everyStatus)('changes nothing of a newer upload that is %s', async (status) => {
      await reach[status](newer);
      await expectUntouched(newer, () => write(older));
    });

    test('changes nothing of an older upload and creates no entry', async () => {
      await reach.PROCESSING(older);
      await expectUntouched(older, () => write(newer));
      const [unseen] = twoUploads();
      await write(unseen);
      expect(await ledger.get(unseen.imageId)).toBeUndefined();
    });
  });

  describe('assertCurrent', () => {
    test.each(without('REJECTED', 'SUPERSEDED'))('passes for an upload that is %s', async (status) => {
      await reach[status](older);
      await ledger.assertCurrent(older);
    });

    test.each(['REJECTED', 'SUPERSEDED'] as const)('refuses an upload that is %s', async (status) => {
      await reach[status](older);
      await expect(ledger.assertCurrent(older)).rejects.toMatchObject({ name: 'SourceChangedError' });
    });

    test('names the sequence that owns the image in its error', async () => {
      await reach.PROCESSING(newer);
      await expect(ledger.assertCurrent(older)).rejects.toThrow(
        `Expected sequence 0055AED6000000000000000000000000 to own image ${older.imageId} but received sequence 0055AED7000000000000000000000000, PROCESSING`,
      );
    });

    test('refuses an upload that was not claimed', async () => {
      await expect(ledger.assertCurrent(older)).rejects.toMatchObject({ name: 'SourceChangedError' });
    });
  });

  describe('a redrive', () => {
    test.each(ended)('completes an upload that is %s although the redrive was not recorded', async (status) => {
      await reach[status](older);
      await ledger.recordMetadata(older, metadata);
      await ledger.published(older, publication);
      const { failure: forgotten, ...row } = await entry(older);
      expect(forgotten).toBeUndefined();
      expect(row).toMatchObject({ status: 'PUBLISHED', metadata, published: publication, executionArn: arn });
    });
  });

  describe('the reservation of a public key', () => {
    let target: [bucket: string, key: string];
    let other: Claim;
    beforeEach(() => {
      target = ['published', `maps/${older.imageId}.tif`];
      [other] = twoUploads();
    });

    test('is granted to its owner repeatedly and to no other image', async () => {
      expect(await ledger.reserveTarget(...target, older)).toBeUndefined();
      expect(await ledger.reserveTarget(...target, older)).toBeUndefined();
      expect(await ledger.reserveTarget(...target, newer)).toBeUndefined();
      expect(await ledger.reserveTarget(...target, other)).toEqual(ownerOf(older));
    });

    test('is granted to exactly one of many concurrent requests', async () => {
      const owners = Array.from({ length: 6 }, () => twoUploads()[0]);
      const answers = await Promise.all(owners.map((owner) => ledger.reserveTarget(...target, owner)));
      const winner = owners[answers.indexOf(undefined)];
      expect(answers.filter((answer) => answer === undefined)).toHaveLength(1);
      for (const answer of answers) expect(answer ?? (winner && ownerOf(winner))).toEqual(winner && ownerOf(winner));
    });

    test('is released by its owner only', async () => {
      await ledger.reserveTarget(...target, older);
      await ledger.releaseTarget(...target, other);
      expect(await ledger.reserveTarget(...target, other)).toEqual(ownerOf(older));
      await ledger.releaseTarget(...target, older);
      await ledger.releaseTarget(...target, older);
      expect(await ledger.reserveTarget(...target, other)).toBeUndefined();
    });

    test('is not released by an upload that is older than the newest that reserved it', async () => {
      await ledger.reserveTarget(...target, newer);
      expect(await ledger.reserveTarget(...target, older)).toBeUndefined();
      await ledger.releaseTarget(...target, older);
      expect(await ledger.reserveTarget(...target, other)).toEqual(ownerOf(older));
      await ledger.releaseTarget(...target, newer);
      expect(await ledger.reserveTarget(...target, other)).toBeUndefined();
    });

    test('is released by a newer upload than the one that reserved it', async () => {
      await ledger.reserveTarget(...target, older);
      await ledger.releaseTarget(...target, newer);
      expect(await ledger.reserveTarget(...target, other)).toBeUndefined();
    });

    test('distinguishes keys byte by byte', async () => {
      await ledger.reserveTarget('published', `caf\u00e9-${older.imageId}.tif`, older);
      expect(await ledger.reserveTarget('published', `cafe\u0301-${older.imageId}.tif`, other)).toBeUndefined();
    });
  });

  describe('stored fields', () => {
    test('are all fields of the schemas', async () => {
      // A new field must be added to the samples below, so that its storage is tested.
      expect(Object.keys(metadata).sort()).toEqual(Object.keys(ImageMetadata.shape).sort());
      expect(Object.keys(publication).sort()).toEqual(Object.keys(Publication.shape).sort());
      expect(Object.keys(sidecar).sort()).toEqual(Object.keys(PublishedSidecar.shape).sort());
      expect(Object.keys(output).sort()).toEqual(Object.keys(PublishedOutput.shape).sort());
      const seen = new Set<string>();
      const note = async (): Promise<void> => {
        for (const name of Object.keys(await entry(older))) seen.add(name);
      };
      await reach.PUBLISHED(older);
      await ledger.sidecarPublished(older, sidecar);
      await ledger.outputsPublished(older, [output]);
      await note();
      await ledger.claim(newer);
      older = newer;
      await ledger.recordMetadata(newer, metadata);
      await ledger.ended(newer, 'FAILED', failure);
      await note();
      expect(await entry(newer)).toEqual({
        ...newer,
        status: 'FAILED',
        updatedAt: running.clock().toISOString(),
        metadata,
        published: publication,
        publishedAt: running.clock().toISOString(),
        sidecar,
        outputs: [output],
        failure,
      });
      await ledger.rejected(newer, rejection);
      await note();
      const [page, document] = twoUploads();
      older = { ...page, page: { number: 2, count: 3 } };
      await ledger.claim(older);
      expect(await entry(older)).toMatchObject({ page: { number: 2, count: 3 } });
      await note();
      await ledger.claim(document);
      expect(await entry(document)).not.toHaveProperty('page');
      await ledger.divided(document, 3);
      await note();
      expect([...seen].sort()).toEqual(Object.keys(LedgerEntry.shape).sort());
    });

    test.each(hostileKeys)('keep the key %j byte by byte', async (key) => {
      await ledger.claim({ ...older, key });
      expect((await entry(older)).key).toBe(key);
      expect(await ledger.reserveTarget('hostile', key, older)).toBeUndefined();
      expect(await ledger.reserveTarget('hostile', key, newer)).toBeUndefined();
    });
  });

  describe('the list of a status', () => {
    const list = async (...range: Parameters<Ledger['listByStatus']>): Promise<string[]> => {
      const found: string[] = [];
      for await (const { etag } of own.ledger.listByStatus(...range)) found.push(etag ?? '');
      return found;
    };
    let own: ContractLedger;
    const times: string[] = [];
    beforeAll(async () => {
      own = await start();
      for (let index = 0; index < 5; index++) {
        const [claim] = twoUploads();
        times.push(own.clock().toISOString());
        await own.ledger.claim({ ...claim, etag: `e${index}` });
        own.clock.advance(60_000);
      }
    });
    afterAll(() => own.stop());

    test('is oldest first', async () => {
      expect(await list('CLAIMED')).toEqual(['e0', 'e1', 'e2', 'e3', 'e4']);
      expect(await list('FAILED')).toEqual([]);
    });

    test('accepts a start, an end or both, and excludes the end', async () => {
      expect(await list('CLAIMED', { from: times[3] })).toEqual(['e3', 'e4']);
      expect(await list('CLAIMED', { to: times[2] })).toEqual(['e0', 'e1']);
      expect(await list('CLAIMED', { from: times[1], to: times[3] })).toEqual(['e1', 'e2']);
      expect(await list('CLAIMED', { from: times[1], to: times[1] })).toEqual([]);
      expect(await list('CLAIMED', { from: times[3], to: times[1] })).toEqual([]);
    });
  });

  describe('the list of published images', () => {
    let own: ContractLedger;
    beforeEach(async () => {
      own = await start();
    });
    afterEach(() => own.stop());

    const publish = async (claim: Claim, key: string, bucket = 'published'): Promise<void> => {
      await own.ledger.claim(claim);
      await own.ledger.reserveTarget(bucket, key, claim);
      await own.ledger.published(claim, { ...publication, bucket, key, etag: claim.sequence });
    };
    /** Publishes images under these keys, one a minute. */
    const publishAll = async (keys: readonly string[]): Promise<Claim[]> => {
      const claims: Claim[] = [];
      for (const key of keys) {
        const [claim] = twoUploads();
        await publish(claim, key);
        own.clock.advance(60_000);
        claims.push(claim);
      }
      return claims;
    };
    /** The published keys of every page. */
    const pages = async (limit: number, search = ''): Promise<(string | undefined)[][]> => {
      const listed: (string | undefined)[][] = [];
      let after: string | undefined;
      do {
        const query = { limit, after, words: searchWords(search) };
        const { entries, next } = await own.ledger.listPublished('published', query);
        listed.push(entries.map(({ published }) => published?.key));
        after = next;
      } while (after !== undefined);
      return listed;
    };

    test('is empty when nothing is published', async () => {
      await own.ledger.claim(older);
      expect(await own.ledger.listPublished('published', { limit: 10 })).toEqual({ entries: [] });
    });

    test('has whole entries, the last published first, in pages of the given length', async () => {
      const claims = await publishAll(['a.tif', 'b.tif', 'c.tif', 'd.tif', 'e.tif']);
      expect((await pages(2)).flat()).toEqual(['e.tif', 'd.tif', 'c.tif', 'b.tif', 'a.tif']);
      expect((await pages(2)).slice(0, 2)).toEqual([
        ['e.tif', 'd.tif'],
        ['c.tif', 'b.tif'],
      ]);
      const { entries } = await own.ledger.listPublished('published', { limit: 1 });
      expect(entries).toEqual([await own.ledger.get(claims.at(-1)?.imageId ?? '')]);
      expect(entries).toMatchObject([{ status: 'PUBLISHED', publishedAt: '2026-11-01T00:04:00.000Z' }]);
    });

    test('has every image once when several were published in the same millisecond', async () => {
      const keys = Array.from({ length: 7 }, (_, index) => `${index}.tif`);
      for (const key of keys) await publish(twoUploads()[0], key);
      expect((await pages(2)).flat().sort()).toEqual(keys);
    });

    test('goes on after a token although images were published meanwhile', async () => {
      await publishAll(['a.tif', 'b.tif', 'c.tif']);
      const { next } = await own.ledger.listPublished('published', { limit: 1 });
      await publishAll(['d.tif', 'e.tif']);
      const { entries } = await own.ledger.listPublished('published', { limit: 10, after: next });
      expect(entries.map(({ published }) => published?.key)).toEqual(['b.tif', 'a.tif']);
    });

    test('keeps an image that is processed again in its place until it is published again', async () => {
      const [first, second] = twoUploads();
      await publish(first, 'again.tif');
      own.clock.advance(1_000);
      await publishAll(['other.tif']);
      await own.ledger.claim(second);
      await own.ledger.ended(second, 'FAILED', failure);
      expect(await pages(10)).toEqual([['other.tif', 'again.tif']]);
      await own.ledger.published(second, { ...publication, key: 'again.tif', etag: 'second' });
      expect(await pages(10)).toEqual([['again.tif', 'other.tif']]);
    });

    test('has the images of one bucket', async () => {
      await publish(twoUploads()[0], 'here.tif');
      await publish(twoUploads()[0], 'there.tif', 'elsewhere');
      expect(await pages(10)).toEqual([['here.tif']]);
    });

    test.each([
      ['blaeu', ['maps/Blaeu 1665.tif', 'maps/blaeu-atlas.tif']],
      ['MAPS/', ['maps/Blaeu 1665.tif', 'maps/blaeu-atlas.tif']],
      ['1665 blaeu', ['maps/Blaeu 1665.tif']],
      ['cafe', ['Caf\u00e9.tif']],
      ['CAFE\u0301', ['Caf\u00e9.tif']],
      ['%', ['100%_.tif']],
      ['_', ['100%_.tif']],
      ['\u65e5\u672c', ['\u65e5\u672c.tif']],
      ['tif', []],
      ['nothing', []],
    ])('finds by %j the images whose keys contain each word in any letter case', async (search, expected) => {
      await publishAll([
        '\u65e5\u672c.tif',
        '100%_.tif',
        'Caf\u00e9.tif',
        'maps/blaeu-atlas.tif',
        'maps/Blaeu 1665.tif',
      ]);
      expect((await pages(1, search)).flat()).toEqual(expected);
      expect((await pages(10, search)).flat()).toEqual(expected);
    });

    test.each(['', 'x', 'WyJhIl0', 'bnVsbA'])('refuses the token %j', async (after) => {
      await expect(own.ledger.listPublished('published', { limit: 1, after })).rejects.toMatchObject({
        name: 'InvalidPageTokenError',
        message: `Expected the token of a page but received ${JSON.stringify(after)}`,
      });
    });

    test('has every hostile key byte by byte', async () => {
      const claims = await publishAll(hostileKeys);
      expect((await pages(50)).flat()).toEqual(hostileKeys.toReversed());
      for (const [index, key] of hostileKeys.entries()) {
        expect(await own.ledger.findPublished('published', key)).toMatchObject({ imageId: claims[index]?.imageId });
      }
      const found = await own.ledger.findAllPublished('published', [...hostileKeys, 'none']);
      expect([...found].map(([key, { published }]) => [key, published?.key]).sort()).toEqual(
        hostileKeys.map((key) => [key, key]).sort(),
      );
    });
  });

  describe('the image under a public key', () => {
    test('is found while it is published, and also while it is processed again', async () => {
      const key = `${older.imageId}.tif`;
      const find = (): Promise<LedgerEntry | undefined> => ledger.findPublished('published', key);
      expect(await find()).toBeUndefined();
      await reach.PROCESSING(older);
      await ledger.reserveTarget('published', key, older);
      expect(await find()).toBeUndefined();
      await ledger.published(older, { ...publication, key });
      expect(await find()).toEqual(await entry(older));
      await ledger.claim(newer);
      expect(await find()).toMatchObject({ status: 'CLAIMED', published: { key } });
      expect(await ledger.findPublished('elsewhere', key)).toBeUndefined();
      expect(await ledger.findAllPublished('published', [key])).toEqual(new Map([[key, await find()]]));
      expect(await ledger.findAllPublished('elsewhere', [key])).toEqual(new Map());
      expect(await ledger.findAllPublished('published', [])).toEqual(new Map());
    });
  });

  describe('two concurrent uploads of one key', () => {
    interface Script {
      readonly outcome: 'published' | 'rejected' | 'superseded' | 'failed' | 'redriven';
      /** The event is delivered again after this many steps. */
      readonly duplicateAfter: number;
    }
    const script = fc.record<Script>({
      outcome: fc.constantFrom('published', 'rejected', 'superseded', 'failed', 'redriven'),
      duplicateAfter: fc.nat(5),
    });

    const publicationOf = (claim: Claim): Publication => ({ ...publication, etag: `of ${claim.sequence}` });
    const lastSteps: Record<Script['outcome'], (claim: Claim) => (() => Promise<unknown>)[]> = {
      published: (claim) => [() => ledger.published(claim, publicationOf(claim))],
      rejected: (claim) => [() => ledger.rejected(claim, rejection)],
      superseded: (claim) => [() => ledger.superseded(claim)],
      failed: (claim) => [() => ledger.ended(claim, 'FAILED', failure)],
      redriven: (claim) => [
        () => ledger.ended(claim, 'TIMED_OUT', failure),
        () => ledger.resumed(claim),
        () => ledger.published(claim, publicationOf(claim)),
      ],
    };

    /** One upload's calls in the pipeline, one step at a time. */
    async function* run(claim: Claim, { outcome, duplicateAfter }: Script): AsyncGenerator<void> {
      const { claimed } = await ledger.claim(claim);
      if (!claimed) return;
      yield;
      const steps: (() => Promise<unknown>)[] = [
        () => ledger.started(claim, `arn:${claim.sequence}`),
        () => ledger.recordMetadata(claim, metadata),
        ...lastSteps[outcome](claim),
      ];
      steps.splice(duplicateAfter, 0, () => ledger.claim(claim));
      for (const step of steps) {
        try {
          await step();
        } catch (error) {
          if (!(error instanceof Error) || error.name !== 'SourceChangedError') throw error;
          yield;
          await ledger.superseded(claim);
          return;
        }
        yield;
      }
    }

    const expected: Record<Script['outcome'], ImageStatus> = {
      published: 'PUBLISHED',
      rejected: 'REJECTED',
      superseded: 'SUPERSEDED',
      failed: 'FAILED',
      redriven: 'PUBLISHED',
    };

    test('leave the entry of the newest upload in any interleaving of their steps', async () => {
      await fc.assert(
        fc.asyncProperty(script, script, fc.infiniteStream(fc.boolean()), async (forOlder, forNewer, turns) => {
          const [first, second] = twoUploads();
          const runs = [run(first, forOlder), run(second, forNewer)];
          while (runs.length > 0) {
            const turn = runs.length > 1 && turns.next().value ? 1 : 0;
            if ((await runs[turn]?.next())?.done) runs.splice(turn, 1);
          }
          const row = await entry(second);
          expect(row).toMatchObject({ sequence: second.sequence, etag: 'second', status: expected[forNewer.outcome] });
          expect(row.executionArn).toBe(`arn:${second.sequence}`);
          if (row.status === 'PUBLISHED') expect(row.published).toEqual(publicationOf(second));
        }),
        { numRuns: 150 },
      );
    });

    test('leave the entry of the newest upload when they run concurrently', async () => {
      for (let round = 0; round < 15; round++) {
        const [first, second] = twoUploads();
        await Promise.all(
          [first, second].map(async (claim) => {
            const steps = run(claim, { outcome: 'published', duplicateAfter: round % 5 });
            while (!(await steps.next()).done);
          }),
        );
        expect(await entry(second)).toMatchObject({ status: 'PUBLISHED', published: publicationOf(second) });
      }
    });
  });
}
