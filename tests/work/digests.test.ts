import { describe, expect, test } from '@jest/globals';
import { compareDigests, computeDigests, verifiedDigests } from '../../src/work/digests.ts';
import { ServiceUnavailableError } from '../../src/errors.ts';
import { memoryReader, type RangeReader } from '../../src/bytes/range-reader.ts';

// Test vectors of FIPS 180-2 and RFC 1321: 'abc', a million times 'a', and the empty message.
const abc = {
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  md5: '900150983cd24fb0d6963f7d28e17f72',
};
const million = {
  sha256: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  md5: '7707d6ae4e027c70eea2a935c2296f21',
};
const nothing = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  md5: 'd41d8cd98f00b204e9800998ecf8427e',
};
/** 40 MiB of zeros, by sha256sum and md5sum. */
const zeros = {
  size: 40 * 2 ** 20,
  sha256: '80a3721188e40218b08b26776bc53bdae81e4784fff71d71450a197319cba113',
  md5: 'ec8bb3b24d5b0f1b5bdf8c8f0f541ee6',
};

/** 64 MiB and 11 bytes that count from 0 to 250, by Python's hashlib. */
const counting = {
  sha256: 'c1b7ab4645c02dc03493169a7637b7e43b72d8f8fb4caa9ec7609ff2de3a1d26',
  md5: '835e9d8892d4df890a3fdf155e17d02e',
};

async function* stream(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk));
}

describe('the digests', () => {
  test('of a stream are those of its concatenated chunks', async () => {
    expect(await computeDigests(stream('a', '', 'bc'), ['sha256', 'md5'])).toEqual(abc);
    expect(await computeDigests(stream(), ['md5', 'sha256'])).toEqual(nothing);
  });

  test('of a reader are those of its bytes', async () => {
    const reader = memoryReader(Buffer.alloc(1_000_000, 'a'));
    expect(await computeDigests(reader, ['sha256', 'md5'])).toEqual(million);
    expect(await computeDigests(reader, ['md5'])).toEqual({ md5: million.md5 });
    expect(await computeDigests(memoryReader(new Uint8Array()), ['sha256'])).toEqual({ sha256: nothing.sha256 });
  });

  test('of a large object are computed from two buffers, one of which is read ahead', async () => {
    const buffers = new Set<ArrayBufferLike>();
    const asked: [number, number][] = [];
    let pending = 0;
    let most = 0;
    const reader: RangeReader = {
      size: zeros.size + 5,
      read: () => Promise.reject(new Error('never asked for')),
      async readInto(target, offset) {
        most = Math.max(most, ++pending);
        buffers.add(target.buffer);
        asked.push([offset, target.length]);
        await new Promise(setImmediate);
        target.fill(0);
        pending--;
      },
    };
    expect(await computeDigests({ ...reader, size: zeros.size }, ['sha256', 'md5'])).toEqual({
      sha256: zeros.sha256,
      md5: zeros.md5,
    });
    expect(buffers.size).toBe(2);
    expect(most).toBe(1);
    expect(asked).toEqual([0, 8, 16, 24, 32].map((mebibytes) => [mebibytes * 2 ** 20, 8 * 2 ** 20]));
    asked.length = 0;
    await computeDigests(reader, ['md5']);
    expect(asked.at(-1)).toEqual([zeros.size, 5]);
  });

  test('of an object of 64 MiB and more are computed on a thread of their own', async () => {
    const size = 64 * 2 ** 20 + 11;
    const buffers = new Set<ArrayBufferLike>();
    const reader: RangeReader = {
      size,
      read: () => Promise.reject(new Error('Expected reads into memory')),
      readInto(target, offset) {
        buffers.add(target.buffer);
        for (let i = 0; i < target.length; i++) target[i] = (offset + i) % 251;
        return Promise.resolve();
      },
    };
    expect(await computeDigests(reader, ['sha256', 'md5'])).toEqual(counting);
    // The memory went to the thread and came back as another object.
    expect([...buffers].filter((buffer) => buffer.byteLength > 0).length).toBeLessThanOrEqual(2);
    expect(buffers.size).toBeGreaterThan(2);
  });

  test('of a large object fail with the error of the storage, and end their thread', async () => {
    const reader: RangeReader = {
      size: 80 * 2 ** 20,
      read: () => Promise.reject(new Error('Expected reads into memory')),
      readInto: (_, offset) => (offset < 2 ** 24 ? Promise.resolve() : Promise.reject(new Error('connection lost'))),
    };
    await expect(computeDigests(reader, ['md5'])).rejects.toThrow('connection lost');
  });

  test('of an object that ends before its size are refused', async () => {
    const reader: RangeReader = { size: 10, read: () => Promise.resolve(new Uint8Array(9)) };
    await expect(computeDigests(reader, ['md5'])).rejects.toBeInstanceOf(ServiceUnavailableError);
  });

  test('fail with the error of the storage, also for a piece that is read ahead', async () => {
    const reader: RangeReader = {
      size: 20 * 2 ** 20,
      read: (offset, length) =>
        offset === 0 ? Promise.resolve(new Uint8Array(length)) : Promise.reject(new Error('connection lost')),
    };
    await expect(computeDigests(reader, ['md5'])).rejects.toThrow('connection lost');
  });
});

describe('a digest that the uploader sent', () => {
  const sha256Base64 = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';
  const md5Base64 = 'kAFQmDzST7DWlj99KOF/cg==';

  test.each([
    ['sha256 in hex', { metadata: { sha256: abc.sha256 } }],
    ['sha256 in upper-case hex', { metadata: { sha256: abc.sha256.toUpperCase() } }],
    ['sha256 in base64', { metadata: { sha256: sha256Base64 } }],
    ['md5 in hex with blanks', { metadata: { md5: ` ${abc.md5} ` } }],
    ['md5 in base64', { metadata: { md5: md5Base64 } }],
    ['md5 in base64 without padding', { metadata: { md5: md5Base64.replace('==', '') } }],
    ['all of them', { metadata: { sha256: sha256Base64, md5: md5Base64 } }],
  ])('matches as %s', (_, sent) => {
    expect(compareDigests(abc, sent)).toBe('match');
    expect(compareDigests(million, sent)).toBe('mismatch');
  });

  test('is a mismatch when it differs or is malformed', () => {
    expect(compareDigests(abc, { metadata: { sha256: abc.sha256, md5: million.md5 } })).toBe('mismatch');
    expect(compareDigests(abc, { metadata: { md5: 'unknown' } })).toBe('mismatch');
  });

  test('is optional', () => {
    expect(compareDigests(abc, { metadata: {} })).toBe('none');
    expect(compareDigests(abc, { metadata: { md5: '', colour: 'blue' } })).toBe('none');
    expect(compareDigests({ sha256: abc.sha256 }, { metadata: { md5: abc.md5 } })).toBe('none');
  });
});

describe('the SHA-256 that the store verified on upload', () => {
  const checksumSha256 = 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=';

  test('is returned in hex', () => {
    expect(verifiedDigests({ checksumSha256 })).toEqual({ sha256: abc.sha256 });
  });

  test.each([
    ['there is none', undefined],
    ['it is that of the parts of a multipart upload', `${checksumSha256}-3`],
    ['it is not a SHA-256', 'kAFQmDzST7DWlj99KOF/cg=='],
    ['it is empty', ''],
  ])('is undefined when %s', (_, sent) => {
    expect(verifiedDigests({ checksumSha256: sent })).toEqual({});
  });
});
