/** SHA-256 and MD5 of an object, and their comparison with the digests that an uploader sent. */
import { ServiceUnavailableError } from '../errors.ts';
import { type DigestAlgorithm, digestAlgorithms } from '../recipe/recipe.ts';
import type { ObjectInfo } from '../storage/object-store.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { directHasher, type Hasher, threadHasher } from './hashers.ts';

/** Digests in hex, lower case. */
export type Digests<Algorithm extends DigestAlgorithm = DigestAlgorithm> = Readonly<Record<Algorithm, string>>;

/** Size of one read. Two buffers of this size fit the memory of every function. Bytes. */
const PIECE_BYTES = 8 * 2 ** 20;

/** Objects from this size on are hashed on a thread of their own. Bytes. */
const THREAD_FROM_BYTES = 64 * 2 ** 20;

/**
 * Computes digests in one pass over a stream, or by ranged reads of 8 MiB into two buffers: one is
 * read while the other is hashed. Throws ServiceUnavailableError when the object ends before its
 * size.
 */
export async function computeDigests<Algorithm extends DigestAlgorithm>(
  source: RangeReader | AsyncIterable<Uint8Array>,
  algorithms: readonly Algorithm[],
): Promise<Digests<Algorithm>> {
  const isStream = Symbol.asyncIterator in source;
  const isLarge = !isStream && source.readInto !== undefined && source.size >= THREAD_FROM_BYTES;
  const hasher = (isLarge ? threadHasher : directHasher)(algorithms);
  try {
    if (!isStream) await hashRanges(source, hasher);
    else for await (const chunk of source) await hasher.update(chunk);
    const digests = await hasher.digest();
    return Object.fromEntries(algorithms.map((name, index) => [name, digests[index]])) as Digests<Algorithm>;
  } finally {
    await hasher.close();
  }
}

async function hashRanges(reader: RangeReader, hasher: Hasher): Promise<void> {
  const spare: Uint8Array[] = [];
  const fetch = async (offset: number): Promise<Uint8Array> => {
    const length = Math.min(PIECE_BYTES, reader.size - offset);
    if (!reader.readInto) return wholePiece(await reader.read(offset, length), offset, length);
    const buffer = spare.pop() ?? new Uint8Array(Math.min(PIECE_BYTES, reader.size));
    const target = buffer.subarray(0, length);
    await reader.readInto(target, offset);
    return target;
  };
  const fetchAhead = (offset: number): Promise<Uint8Array> | undefined => {
    const piece = offset < reader.size ? fetch(offset) : undefined;
    // A failed read is reported when its piece is awaited, which does not happen if hashing fails.
    piece?.catch(() => undefined);
    return piece;
  };
  let ahead = fetchAhead(0);
  for (let offset = PIECE_BYTES; ahead; offset += PIECE_BYTES) {
    const piece: Uint8Array = await ahead;
    ahead = fetchAhead(offset);
    const { buffer } = await hasher.update(piece);
    if (reader.readInto) spare.push(new Uint8Array(buffer));
  }
}

function wholePiece(piece: Uint8Array, offset: number, length: number): Uint8Array {
  if (piece.length === length) return piece;
  throw new ServiceUnavailableError(`Expected ${length} bytes at ${offset} but received ${piece.length}`);
}

/**
 * User metadata of the object; `sha256` and `md5` are the digests that the uploader sent, in hex or
 * base64.
 */
export type SentDigests = Pick<ObjectInfo, 'metadata'>;

/**
 * Digests that the store verified when it received the object, in hex. S3 rejects an upload whose
 * SHA-256 differs from its `x-amz-checksum-sha256`. The value of a multipart upload (`…-12`) is a
 * digest of the digests of its parts, not of the object.
 */
export function verifiedDigests({ checksumSha256 }: Pick<ObjectInfo, 'checksumSha256'>): Partial<Digests> {
  // 32 bytes in base64.
  if (checksumSha256 === undefined || !/^[A-Za-z0-9+/]{43}=$/u.test(checksumSha256)) return {};
  return { sha256: Buffer.from(checksumSha256, 'base64').toString('hex') };
}

/** The algorithms of the digests that the uploader sent. */
export function sentAlgorithms({ metadata }: SentDigests): DigestAlgorithm[] {
  return digestAlgorithms.filter((algorithm) => algorithm in metadata);
}

/**
 * Compares digests with those that the uploader sent: `mismatch` if any of them differs or is
 * malformed, `none` if none was sent.
 */
export function compareDigests(found: Partial<Digests>, { metadata }: SentDigests): 'match' | 'mismatch' | 'none' {
  const comparisons = digestAlgorithms.flatMap((algorithm) => {
    const digest = found[algorithm];
    const sent = metadata[algorithm]?.trim();
    return digest === undefined || sent === undefined || sent === '' ? [] : [isDigest(sent, digest)];
  });
  if (comparisons.length === 0) return 'none';
  return comparisons.every((isMatch) => isMatch) ? 'match' : 'mismatch';
}

/** Accepts hex of either case, and base64 with or without padding, distinguished by length. */
function isDigest(sent: string, digest: string): boolean {
  if (sent.length === digest.length) return sent.toLowerCase() === digest;
  const base64 = Buffer.from(digest, 'hex').toString('base64');
  return sent.replace(/=+$/u, '') === base64.replace(/=+$/u, '');
}
