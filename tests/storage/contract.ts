/** The contract test that every adapter of ObjectStore passes. */
import { createCipheriv, createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ObjectNotFoundError, PreconditionFailedError } from '../../src/errors.ts';
import type { ObjectRef, ObjectStore, Piece } from '../../src/storage/object-store.ts';

const MiB = 2 ** 20;

/** A store under test, with access to its internals. */
export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Creates an empty bucket that no other test uses. */
  newBucket(): Promise<string>;
  /**
   * Puts an object into a bucket in the fastest way there is: behind the store, where that is
   * possible.
   */
  put(ref: ObjectRef, bytes: Uint8Array): Promise<unknown>;
  /** Number of temporary files or unfinished uploads, which are not visible through the store. */
  leftovers(bucket: string): Promise<number>;
  stop(): Promise<void>;
}

/** Reproducible pseudo-random bytes. */
export function patterned(length: number, seed = 1): Buffer {
  return createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** Compares digests, because `toEqual` on megabytes takes seconds. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  expect(createHash('sha256').update(actual).digest('hex')).toBe(createHash('sha256').update(expected).digest('hex'));
}

export async function listKeys(store: ObjectStore, bucket: string, prefix = ''): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(bucket, prefix)) keys.push(key);
  return keys;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8');
const bytesOf = (value: string): Buffer => Buffer.from(value, 'utf8');
const inByteOrder = (keys: readonly string[]): string[] =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

/** Declares the tests for one adapter. `keys`: the hostile keys that its backend supports. */
export function describeObjectStore(name: string, start: () => Promise<StoreUnderTest>, keys: readonly string[]): void {
  describe(`${name} as an object store`, () => {
    let subject: StoreUnderTest;
    let store: ObjectStore;
    let bucket: string;
    const at = (key: string): ObjectRef => ({ bucket, key });

    beforeAll(async () => {
      subject = await start();
      store = subject.store;
    });
    beforeEach(async () => {
      bucket = await subject.newBucket();
    });
    afterAll(() => subject.stop());

    describe('write and read', () => {
      test('returns the written bytes', async () => {
        const written = await store.write(at('a'), bytesOf('hello'));
        expect(text(await store.read(at('a')))).toBe('hello');
        expect(await store.head(at('a'))).toMatchObject({ size: 5, etag: written.etag });
      });

      test('stores an empty object', async () => {
        await store.write(at('empty'), new Uint8Array(0));
        expect(await store.read(at('empty'))).toHaveLength(0);
        expect(await store.read(at('empty'), { range: { offset: 0, length: 10 } })).toHaveLength(0);
        expect(await store.head(at('empty'))).toMatchObject({ size: 0 });
      });

      test('stores content type and metadata with keys in lower case', async () => {
        const description = { contentType: 'image/tiff', metadata: { Recipe: 'default', 'source-etag': 'abc "d"' } };
        const expected = {
          size: 1,
          contentType: 'image/tiff',
          metadata: { recipe: 'default', 'source-etag': 'abc "d"' },
        };
        expect(await store.write(at('a'), bytesOf('x'), description)).toMatchObject(expected);
        expect(await store.head(at('a'))).toMatchObject(expected);
      });

      test.each([{}, { contentType: 'image/jpeg', metadata: { a: 'b' } }])(
        'stores Cache-Control with %j',
        async (more) => {
          const description = { cacheControl: 'max-age=86400', ...more };
          expect(await store.write(at('a'), bytesOf('x'), description)).toMatchObject(description);
          expect(await store.head(at('a'))).toMatchObject(description);
          const { etag } = await store.write(at('a'), bytesOf('y'));
          expect((await store.head(at('a'))).cacheControl).toBeUndefined();
          await store.copy({ ...at('a'), etag }, at('b'), { cacheControl: 'no-cache' });
          expect(await store.head(at('b'))).toMatchObject({ cacheControl: 'no-cache' });
        },
      );

      test('returns no tags for an object without tags', async () => {
        await store.write(at('a'), Buffer.from('a'));
        expect(await store.tags(at('a'))).toEqual({});
      });

      test('replaces content, metadata and ETag together', async () => {
        const first = await store.write(at('a'), bytesOf('one'), { metadata: { n: '1' } });
        const second = await store.write(at('a'), bytesOf('two'), { metadata: { m: '2' } });
        expect(second.etag).not.toBe(first.etag);
        expect(await store.head(at('a'))).toMatchObject({ etag: second.etag, metadata: { m: '2' } });
        expect(text(await store.read(at('a')))).toBe('two');
      });

      test('returns ETags without quotes', async () => {
        expect((await store.write(at('a'), bytesOf('x'))).etag).toMatch(/^[0-9a-f-]+$/);
      });

      test('stores an object larger than a part', async () => {
        const body = patterned(21 * MiB + 1);
        const { etag } = await store.write(at('large'), body, { contentType: 'image/tiff' });
        expectSameBytes(await store.read(at('large'), { ifMatch: etag }), body);
        expect(await store.head(at('large'))).toMatchObject({ size: body.length, etag, contentType: 'image/tiff' });
      });
    });

    describe('read with a range', () => {
      const ranges: [string, number, number, string][] = [
        ['a range at the start', 0, 3, '012'],
        ['a range in the middle', 4, 2, '45'],
        ['the last byte', 9, 1, '9'],
        ['a range clipped at the end', 8, 100, '89'],
        ['a range of the whole object', 0, 10, '0123456789'],
        ['a range of length 0', 3, 0, ''],
        ['a range that starts at the end', 10, 5, ''],
        ['a range entirely past the end', 1_000, 5, ''],
        ['a range of the maximum length', 2, Number.MAX_SAFE_INTEGER, '23456789'],
      ];
      test.each(ranges)('%s comes with the description of the whole object', async (_, offset, length, expected) => {
        const { etag } = await store.write(at('digits'), bytesOf('0123456789'), {
          contentType: 'text/plain',
          metadata: { kind: 'digits' },
        });
        const { info, bytes } = await store.readDescribed(at('digits'), { range: { offset, length } });
        expect(text(bytes)).toBe(expected);
        expect(info).toMatchObject({ size: 10, etag, contentType: 'text/plain', metadata: { kind: 'digits' } });
      });

      test('fills the given buffer as far as the range has bytes', async () => {
        await store.write(at('digits'), bytesOf('0123456789'));
        const memory = bytesOf('........');
        const middle = await store.read(at('digits'), { range: { offset: 3, length: 4 }, into: memory });
        expect(text(middle)).toBe('3456');
        expect(middle.buffer).toBe(memory.buffer);
        expect(text(memory)).toBe('3456....');
        const end = await store.read(at('digits'), { range: { offset: 8, length: 6 }, into: memory });
        expect(text(end)).toBe('89');
        expect(text(memory)).toBe('8956....');
      });

      test('throws RangeError when the given buffer is too small', async () => {
        await store.write(at('digits'), bytesOf('0123456789'));
        const reading = store.read(at('digits'), { range: { offset: 0, length: 4 }, into: new Uint8Array(3) });
        await expect(reading).rejects.toThrow(RangeError);
      });

      test.each(ranges)('returns %s', async (_name, offset, length, expected) => {
        const { etag } = await store.write(at('digits'), bytesOf('0123456789'));
        expect(text(await store.read(at('digits'), { range: { offset, length } }))).toBe(expected);
        expect(text(await store.read(at('digits'), { range: { offset, length }, ifMatch: etag }))).toBe(expected);
      });

      test.each([
        [-1, 1],
        [0, -1],
        [0.5, 1],
        [0, Number.NaN],
      ])('throws RangeError for offset %p with length %p', async (offset, length) => {
        await store.write(at('a'), bytesOf('x'));
        await expect(store.read(at('a'), { range: { offset, length } })).rejects.toThrow(RangeError);
      });
    });

    describe('a missing object', () => {
      test('causes ObjectNotFoundError in every method that reads', async () => {
        const range = { offset: 0, length: 0 };
        await expect(store.head(at('none'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.tags(at('none'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.read(at('none'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.read(at('none'), { range })).rejects.toThrow(ObjectNotFoundError);
        await expect(store.read(at('none'), { ifMatch: 'x' })).rejects.toThrow(ObjectNotFoundError);
        await expect(store.materialise(at('none'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.copy({ ...at('none'), etag: 'x' }, at('b'))).rejects.toThrow(ObjectNotFoundError);
      });

      test('is not found by a prefix of the key of another object', async () => {
        await store.write(at('a/b'), bytesOf('x'));
        await expect(store.head(at('a'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.read(at('a'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.head(at('a/b/c'))).rejects.toThrow(ObjectNotFoundError);
        await expect(store.head(at('a/'))).rejects.toThrow(ObjectNotFoundError);
      });

      test('can be removed without error', async () => {
        await expect(store.remove(at('none'))).resolves.toBeUndefined();
        await expect(store.remove(at('no/such/folder'))).resolves.toBeUndefined();
      });
    });

    describe('a read with ifMatch or a signal', () => {
      test('throws PreconditionFailedError after the object was replaced', async () => {
        const { etag } = await store.write(at('a'), bytesOf('one'));
        await store.write(at('a'), bytesOf('two'));
        const range = { offset: 0, length: 1 };
        await expect(store.read(at('a'), { ifMatch: etag })).rejects.toThrow(PreconditionFailedError);
        await expect(store.read(at('a'), { ifMatch: etag, range })).rejects.toThrow(PreconditionFailedError);
        await expect(store.read(at('a'), { ifMatch: etag, range: { offset: 9, length: 1 } })).rejects.toThrow(
          PreconditionFailedError,
        );
        await expect(store.read(at('a'), { ifMatch: etag, range: { offset: 0, length: 0 } })).rejects.toThrow(
          PreconditionFailedError,
        );
        await expect(store.readDescribed(at('a'), { ifMatch: etag, range })).rejects.toThrow(PreconditionFailedError);
        await expect(store.head(at('a'), { ifMatch: etag })).rejects.toThrow(PreconditionFailedError);
        await expect(store.materialise(at('a'), { ifMatch: etag })).rejects.toThrow(PreconditionFailedError);
      });

      test('rejects with the reason of an aborted signal', async () => {
        await store.write(at('a'), bytesOf('one'));
        const signal = AbortSignal.abort(new Error('deadline'));
        await expect(store.read(at('a'), { signal })).rejects.toThrow('deadline');
        await expect(store.materialise(at('a'), { signal })).rejects.toThrow('deadline');
      });
    });

    describe('a conditional write', () => {
      test('with over absent creates an object only once', async () => {
        await store.write(at('a'), bytesOf('first'), { over: 'absent', metadata: { by: 'first' } });
        await expect(
          store.write(at('a'), bytesOf('second'), { over: 'absent', metadata: { by: 'second' } }),
        ).rejects.toThrow(PreconditionFailedError);
        expect(text(await store.read(at('a')))).toBe('first');
        expect((await store.head(at('a'))).metadata).toEqual({ by: 'first' });
      });

      test('with an ETag replaces only the object with this ETag', async () => {
        const first = await store.write(at('a'), bytesOf('first'));
        const second = await store.write(at('a'), bytesOf('second'), { over: first });
        await expect(store.write(at('a'), bytesOf('third'), { over: first })).rejects.toThrow(PreconditionFailedError);
        expect(await store.head(at('a'))).toMatchObject({ etag: second.etag });
      });

      test('with an ETag does not create a removed object again', async () => {
        const first = await store.write(at('a'), bytesOf('first'));
        await store.remove(at('a'));
        await expect(store.write(at('a'), bytesOf('x'), { over: first })).rejects.toThrow(PreconditionFailedError);
        await expect(store.head(at('a'))).rejects.toThrow(ObjectNotFoundError);
      });

      test('succeeds for exactly one of many concurrent writers', async () => {
        const attempts = Array.from({ length: 20 }, (_, n) =>
          store.write(at('a'), bytesOf(`${n}`), { over: 'absent' }),
        );
        const results = await Promise.allSettled(attempts);
        const winners = results.flatMap(({ status }, n) => (status === 'fulfilled' ? [`${n}`] : []));
        expect(winners).toEqual([text(await store.read(at('a')))]);
        for (const result of results) {
          if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(PreconditionFailedError);
        }
      });

      test('is supported by copy and compose', async () => {
        const source = await store.write(at('source'), bytesOf('source'));
        const there = await store.write(at('there'), bytesOf('there'));
        const from = { ...at('source'), etag: source.etag };
        const pieces = [patterned(11 * MiB)];
        for (const over of ['absent', { etag: source.etag }] as const) {
          await expect(store.copy(from, at('there'), { over })).rejects.toThrow(PreconditionFailedError);
          await expect(store.compose(at('there'), pieces, { over })).rejects.toThrow(PreconditionFailedError);
        }
        expect(await store.head(at('there'))).toMatchObject({ etag: there.etag });
        const copied = await store.copy(from, at('there'), { over: there });
        await store.compose(at('there'), pieces, { over: copied });
        await store.copy(from, at('new'), { over: 'absent' });
        await store.compose(at('composed'), pieces, { over: 'absent' });
        expect(await listKeys(store, bucket)).toEqual(['composed', 'new', 'source', 'there']);
        expect(await subject.leftovers(bucket)).toBe(0);
      });
    });

    test('concurrent writers leave one complete object, and readers see only complete objects', async () => {
      const bodies = Array.from({ length: 12 }, (_, n) => patterned(100_000 + n, n));
      const whole = new Set(bodies.map((body) => body.toString('base64')));
      await store.write(at('a/b/c'), bodies[0] ?? Buffer.alloc(0));
      const writers = bodies.map((body) => store.write(at('a/b/c'), body));
      const readers = bodies.map(async () => Buffer.from(await store.read(at('a/b/c'))).toString('base64'));
      await Promise.all(writers);
      for (const seen of await Promise.all(readers)) expect(whole.has(seen)).toBe(true);
      expect(whole.has(Buffer.from(await store.read(at('a/b/c'))).toString('base64'))).toBe(true);
      expect(await subject.leftovers(bucket)).toBe(0);
    });

    describe('copy', () => {
      test('copies all bytes with the given metadata instead of the source’s', async () => {
        const body = patterned(300_000);
        const source = await store.write(at('a'), body, { contentType: 'text/plain', metadata: { from: 'source' } });
        const copied = await store.copy({ ...at('a'), etag: source.etag }, at('b'), {
          contentType: 'image/tiff',
          metadata: { to: 'target' },
        });
        expectSameBytes(await store.read(at('b'), { ifMatch: copied.etag }), body);
        expect(await store.head(at('b'))).toEqual({
          size: 300_000,
          etag: copied.etag,
          contentType: 'image/tiff',
          metadata: { to: 'target' },
        });
      });

      test('copies between buckets', async () => {
        const other = await subject.newBucket();
        const { etag } = await store.write(at('a'), bytesOf('x'));
        await store.copy({ ...at('a'), etag }, { bucket: other, key: 'b' });
        expect(text(await store.read({ bucket: other, key: 'b' }))).toBe('x');
      });

      test('throws PreconditionFailedError when the source has another ETag', async () => {
        const { etag } = await store.write(at('a'), bytesOf('one'));
        await store.write(at('a'), bytesOf('two'));
        await expect(store.copy({ ...at('a'), etag }, at('b'))).rejects.toThrow(PreconditionFailedError);
        await expect(store.head(at('b'))).rejects.toThrow(ObjectNotFoundError);
      });
    });

    describe('compose', () => {
      const content = patterned(18 * MiB, 7);
      const small = patterned(200_000, 8);
      let large: ObjectRef & { etag: string };
      let little: ObjectRef & { etag: string };
      const range = (source: ObjectRef & { etag: string }, offset: number, length: number): Piece => ({
        ref: { bucket: source.bucket, key: source.key },
        etag: source.etag,
        offset,
        length,
      });

      beforeEach(async () => {
        await subject.put(at('large'), content);
        await subject.put(at('little'), small);
        large = { ...at('large'), etag: (await store.head(at('large'))).etag };
        little = { ...at('little'), etag: (await store.head(at('little'))).etag };
      });

      const compose = async (pieces: Iterable<Piece>): Promise<Uint8Array> => {
        const composed = await store.compose(at('target'), pieces, { contentType: 'image/tiff', metadata: { a: 'b' } });
        expect(await store.head(at('target'))).toEqual(composed);
        expect(composed).toMatchObject({ contentType: 'image/tiff', metadata: { a: 'b' } });
        expect(await subject.leftovers(bucket)).toBe(0);
        return store.read(at('target'), { ifMatch: composed.etag });
      };

      test('writes an empty object from no pieces', async () => {
        expect(await compose([])).toHaveLength(0);
        expect(await compose([new Uint8Array(0), range(large, 5, 0)])).toHaveLength(0);
      });

      test('concatenates small pieces', async () => {
        const pieces = [bytesOf('head'), range(little, 10, 20), bytesOf(''), range(little, 0, 5), bytesOf('tail')];
        const expected = Buffer.concat([
          bytesOf('head'),
          small.subarray(10, 30),
          small.subarray(0, 5),
          bytesOf('tail'),
        ]);
        expectSameBytes(await compose(pieces), expected);
      });

      test('concatenates bytes, small ranges and large ranges', async () => {
        const pieces = [
          bytesOf('header'),
          range(large, 1, 9 * MiB),
          range(little, 100, 1_000),
          range(large, 9 * MiB, 9 * MiB),
          patterned(6 * MiB, 9),
          range(large, 0, 18 * MiB),
          range(little, 0, 200_000),
        ];
        const expected = Buffer.concat([
          bytesOf('header'),
          content.subarray(1, 1 + 9 * MiB),
          small.subarray(100, 1_100),
          content.subarray(9 * MiB),
          patterned(6 * MiB, 9),
          content,
          small,
        ]);
        expectSameBytes(await compose(pieces), expected);
      });

      const boundary = 5 * MiB;
      test.each([
        ['one byte less than a part', [boundary - 1, boundary - 1, boundary - 1]],
        ['exactly a part', [boundary, boundary, boundary]],
        ['one byte more than a part', [boundary + 1, boundary + 1, boundary + 1]],
        ['a part and a byte', [boundary, 1]],
        ['a byte and a part', [1, boundary]],
        ['a byte, two parts and a byte', [1, 2 * boundary, 1]],
        ['a byte, a part less one, a part and one', [1, boundary - 1, boundary + 1]],
      ])('concatenates ranges and bytes of %s', async (_name, lengths) => {
        const ranges = lengths.map((length, n) => range(large, n, length));
        const copied = lengths.map((length, n) => content.subarray(n, n + length));
        expectSameBytes(await compose(ranges), Buffer.concat(copied));
        expectSameBytes(await compose(copied), Buffer.concat(copied));
      });

      test('copies a whole object that has exactly the minimum size of a part', async () => {
        const { etag } = await store.write(at('part'), content.subarray(0, boundary));
        const piece = range({ ...at('part'), etag }, 0, boundary);
        expectSameBytes(
          await compose([piece, piece]),
          Buffer.concat([content, content].map((c) => c.subarray(0, boundary))),
        );
      });

      test('reads a thousand pieces from an iterator', async () => {
        const expected: Uint8Array[] = [];
        function* pieces(): Generator<Piece> {
          for (let n = 0; n < 500; n++) {
            const bytes = content.subarray(n, n + 3);
            expected.push(content.subarray(n * 16, n * 16 + 15), bytes);
            yield range(large, n * 16, 15);
            yield bytes;
          }
        }
        const composed = await compose(pieces());
        expectSameBytes(composed, Buffer.concat(expected));
      });

      const generated = (bytes: Uint8Array): Piece => ({ length: bytes.length, make: () => bytes });
      const generatedLater = (bytes: Uint8Array): Piece => ({
        length: bytes.length,
        make: async () => {
          await setImmediate();
          return bytes;
        },
      });

      test('concatenates synchronously and asynchronously generated pieces', async () => {
        const pieces = [
          generated(bytesOf('header')),
          range(large, 1, 9 * MiB),
          generatedLater(bytesOf('middle')),
          generated(new Uint8Array(0)),
          range(little, 100, 1_000),
          bytesOf('there'),
          generatedLater(content.subarray(0, 11 * MiB)),
          generated(content.subarray(5 * MiB, 14 * MiB)),
          range(large, 0, 18 * MiB),
          generatedLater(bytesOf('tail')),
        ];
        const expected = Buffer.concat([
          bytesOf('header'),
          content.subarray(1, 1 + 9 * MiB),
          bytesOf('middle'),
          small.subarray(100, 1_100),
          bytesOf('there'),
          content.subarray(0, 11 * MiB),
          content.subarray(5 * MiB, 14 * MiB),
          content,
          bytesOf('tail'),
        ]);
        expectSameBytes(await compose(pieces), expected);
        expectSameBytes(await compose(pieces), expected);
      });

      test.each([generated, generatedLater])('writes a single generated piece', async (kind) => {
        expectSameBytes(await compose([kind(bytesOf('all'))]), bytesOf('all'));
        expectSameBytes(await compose([kind(content)]), content);
      });

      const wrongLengths: [string, Piece, Piece[]][] = [
        ['too short', { length: 10, make: () => new Uint8Array(9) }, []],
        ['too long', { length: 10, make: () => new Uint8Array(11) }, []],
        ['too short, between other pieces', { length: 10, make: () => new Uint8Array(0) }, [patterned(6 * MiB)]],
        ['too long and spans several parts', { length: 17 * MiB, make: () => new Uint8Array(17 * MiB + 1) }, []],
      ];
      test.each(wrongLengths)('keeps the old object when a generated piece is %s', async (_, piece, others) => {
        const before = await store.write(at('target'), bytesOf('before'));
        await expect(store.compose(at('target'), [...others, piece, ...others])).rejects.toThrow(RangeError);
        expect(await store.head(at('target'))).toMatchObject({ etag: before.etag });
        expect(await subject.leftovers(bucket)).toBe(0);
      });

      test.each<[string, () => Promise<Uint8Array>]>([
        [
          'synchronously',
          () => {
            throw new Error('no more ink');
          },
        ],
        ['asynchronously', () => Promise.reject(new Error('no more ink'))],
      ])('leaves no object when generating a piece fails %s', async (_, make) => {
        const pieces = [patterned(6 * MiB), range(large, 0, 12 * MiB), { length: 10, make }];
        await expect(store.compose(at('target'), pieces)).rejects.toThrow('no more ink');
        await expect(store.head(at('target'))).rejects.toThrow(ObjectNotFoundError);
        expect(await subject.leftovers(bucket)).toBe(0);
      });

      test('can replace one of its sources', async () => {
        const pieces = [range(large, 6 * MiB, 12 * MiB), range(large, 0, 6 * MiB)];
        const { etag } = await store.compose(at('large'), pieces, { over: large });
        const expected = Buffer.concat([content.subarray(6 * MiB), content.subarray(0, 6 * MiB)]);
        expectSameBytes(await store.read(at('large'), { ifMatch: etag }), expected);
      });

      test.each([
        ['small', 0, 10],
        ['large', 0, 12 * MiB],
      ])('leaves no object when the source of a %s range was replaced', async (_name, offset, length) => {
        await store.write(at('large'), content.subarray(0, 16 * MiB));
        const pieces = [patterned(6 * MiB), range(large, offset, length), patterned(6 * MiB)];
        await expect(store.compose(at('target'), pieces)).rejects.toThrow(PreconditionFailedError);
        await expect(store.head(at('target'))).rejects.toThrow(ObjectNotFoundError);
        expect(await subject.leftovers(bucket)).toBe(0);
      });

      test.each([
        ['small', 10],
        ['large', 12 * MiB],
      ])('keeps the old object when the source of a %s range is missing', async (_name, length) => {
        const before = await store.write(at('target'), bytesOf('before'));
        await store.remove(at('large'));
        const pieces = [patterned(6 * MiB), range(large, 0, length)];
        await expect(store.compose(at('target'), pieces)).rejects.toThrow(ObjectNotFoundError);
        expect(await store.head(at('target'))).toMatchObject({ etag: before.etag });
        expect(await subject.leftovers(bucket)).toBe(0);
      });

      test.each([
        ['small', 18 * MiB - 5, 10],
        ['small and wholly outside', 20 * MiB, 10],
        ['large', 6 * MiB, 12 * MiB + 1],
      ])('fails for a range outside its object: %s', async (_name, offset, length) => {
        const pieces = [patterned(6 * MiB), range(large, offset, length)];
        await expect(store.compose(at('target'), pieces)).rejects.toThrow(PreconditionFailedError);
        await expect(store.head(at('target'))).rejects.toThrow(ObjectNotFoundError);
        expect(await subject.leftovers(bucket)).toBe(0);
      });
    });

    describe('list', () => {
      test('returns keys with a prefix in UTF-8 byte order, with sizes and ETags', async () => {
        const names = [
          'a',
          'a.b',
          'a-b',
          'b/a',
          'b.a',
          'b/\uffee',
          'b/\u{1f5fa}',
          'B',
          '\u00e9',
          'z/y/x',
          'z/y.x',
          'z/y-x',
        ];
        for (const key of names) await store.write(at(key), bytesOf(key));
        const expected = [
          'B',
          'a',
          'a-b',
          'a.b',
          'b.a',
          'b/a',
          'b/\uffee',
          'b/\u{1f5fa}',
          'z/y-x',
          'z/y.x',
          'z/y/x',
          '\u00e9',
        ];
        expect(await listKeys(store, bucket)).toEqual(expected);
        expect(await listKeys(store, bucket, 'b')).toEqual(['b.a', 'b/a', 'b/\uffee', 'b/\u{1f5fa}']);
        expect(await listKeys(store, bucket, 'b/')).toEqual(['b/a', 'b/\uffee', 'b/\u{1f5fa}']);
        expect(await listKeys(store, bucket, 'z/y')).toEqual(['z/y-x', 'z/y.x', 'z/y/x']);
        expect(await listKeys(store, bucket, 'none')).toEqual([]);
        const inFolder = async (prefix: string): Promise<string[]> => {
          const keys: string[] = [];
          for await (const { key } of store.list(bucket, prefix, { delimiter: '/' })) keys.push(key);
          return keys;
        };
        expect(await inFolder('')).toEqual(expected.filter((key) => !key.includes('/')));
        expect(await inFolder('b/')).toEqual(['b/a', 'b/\uffee', 'b/\u{1f5fa}']);
        expect(await inFolder('z/y')).toEqual(['z/y-x', 'z/y.x']);
        expect(await inFolder('z')).toEqual([]);
        for await (const { key, size, etag } of store.list(bucket, 'z/')) {
          expect(await store.head(at(key))).toMatchObject({ size, etag });
        }
      });

      test('returns more than a thousand keys', async () => {
        const names = Array.from({ length: 1_205 }, (_, n) => `k/${String(n).padStart(5, '0')}`);
        for (const key of names) await subject.put(at(key), new Uint8Array(0));
        expect(await listKeys(store, bucket, 'k/')).toEqual(names);
      });
    });

    test('a removed object is gone and its key can be used again', async () => {
      await store.write(at('a/b/c'), bytesOf('x'), { metadata: { old: '1' } });
      await store.remove(at('a/b/c'));
      await expect(store.head(at('a/b/c'))).rejects.toThrow(ObjectNotFoundError);
      expect(await listKeys(store, bucket)).toEqual([]);
      await store.write(at('a'), bytesOf('y'));
      expect((await store.head(at('a'))).metadata).toEqual({});
      await store.remove(at('a'));
      await store.write(at('a/b'), bytesOf('z'));
      expect(await listKeys(store, bucket)).toEqual(['a/b']);
    });

    describe('materialise', () => {
      test('provides a file with the bytes of the object until it is disposed of', async () => {
        const body = patterned(17 * MiB + 3);
        const { etag } = await store.write(at('large'), body);
        const file = await store.materialise(at('large'), { ifMatch: etag });
        expectSameBytes(await readFile(file.path), body);
        await file.dispose();
        expectSameBytes(await store.read(at('large')), body);
      });

      test('provides a temporary file with the bytes of a range and removes it on dispose', async () => {
        await store.write(at('digits'), bytesOf('0123456789'));
        const file = await store.materialise(at('digits'), { range: { offset: 8, length: 5 } });
        expect(await readFile(file.path, 'utf8')).toBe('89');
        await file.dispose();
        await expect(stat(file.path)).rejects.toThrow('ENOENT');
      });

      test('provides an empty file for an empty object', async () => {
        await store.write(at('empty'), new Uint8Array(0));
        const file = await store.materialise(at('empty'));
        expect(await readFile(file.path)).toHaveLength(0);
        await file.dispose();
      });
    });

    describe('hostile keys', () => {
      test.each(keys.map((key) => [JSON.stringify(key).slice(0, 60), key]))(
        'identify one object: %s',
        async (_name, key) => {
          const body = bytesOf(`content of ${key}`);
          const { etag } = await store.write(at(key), body, { contentType: 'image/tiff', metadata: { hash: 'x' } });
          expect(text(await store.read(at(key), { ifMatch: etag }))).toBe(`content of ${key}`);
          expect(await store.head(at(key))).toMatchObject({ etag, contentType: 'image/tiff', metadata: { hash: 'x' } });
          expect(await listKeys(store, bucket)).toEqual([key]);
          expect(await listKeys(store, bucket, key)).toEqual([key]);
          await store.copy({ ...at(key), etag }, at('copied'));
          await store.compose(at('composed'), [{ ref: at(key), etag, offset: 0, length: body.length }]);
          expect(text(await store.read(at('copied')))).toBe(`content of ${key}`);
          expect(text(await store.read(at('composed')))).toBe(`content of ${key}`);
          await store.remove(at(key));
          expect(await listKeys(store, bucket)).toEqual(['composed', 'copied']);
        },
      );

      test('are stored together and listed byte for byte in byte order', async () => {
        for (const key of keys) await store.write(at(key), bytesOf(key));
        expect(await listKeys(store, bucket)).toEqual(inByteOrder(keys));
        for (const key of keys) expect(text(await store.read(at(key)))).toBe(key);
      });
    });
  });
}
