import { createHash } from 'node:crypto';
import { ServiceUnavailableError } from '../errors.ts';
import type { DigestAlgorithm } from '../recipe/recipe.ts';
import type { RangeReader } from '../bytes/range-reader.ts';

/** Digests in hex, lower case. */
export type Checksums<Algorithm extends DigestAlgorithm = DigestAlgorithm> = Readonly<Record<Algorithm, string>>;

/** One read: enough to keep a connection busy, little enough that two of them fit any function. Bytes. */
const PIECE_BYTES = 8 * 2 ** 20;

/**
 * Digests of an object in one pass: of the chunks of a stream, or by ranged reads of 8 MiB, one ahead of the digest, into
 * two buffers that are used over and over. Throws ServiceUnavailableError when the object ends before its size.
 */
export async function checksums<Algorithm extends DigestAlgorithm>(
  source: RangeReader | AsyncIterable<Uint8Array>,
  algorithms: readonly Algorithm[],
): Promise<Checksums<Algorithm>> {
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const);
  for await (const chunk of Symbol.asyncIterator in source ? source : pieces(source)) {
    for (const [, hash] of hashes) hash.update(chunk);
  }
  return Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')])) as Checksums<Algorithm>;
}

async function* pieces(reader: RangeReader): AsyncGenerator<Uint8Array> {
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
    // Its failure is heard when its turn comes, or not at all where the consumer stopped before.
    piece?.catch(() => undefined);
    return piece;
  };
  let ahead = fetchAhead(0);
  for (let offset = PIECE_BYTES; ahead; offset += PIECE_BYTES) {
    const piece: Uint8Array = await ahead;
    ahead = fetchAhead(offset);
    yield piece;
    if (reader.readInto) spare.push(new Uint8Array(piece.buffer));
  }
}

function wholePiece(piece: Uint8Array, offset: number, length: number): Uint8Array {
  if (piece.length === length) return piece;
  throw new ServiceUnavailableError(`Expected ${length} bytes at ${offset} but received ${piece.length}`);
}

/** What an uploader says the object's digests are. */
export interface SentChecksums {
  /** `x-amz-checksum-sha256`, base64. That of a multipart upload (`…-12`) is of its parts' digests, and tells nothing. */
  readonly checksumSha256?: string | undefined;
  /** User metadata; `sha256` and `md5` are read, in hex or base64. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** The digests that were sent, to be compared with. */
export function sentAlgorithms({ checksumSha256, metadata = {} }: SentChecksums): DigestAlgorithm[] {
  const hasSha256 = wholeDigest(checksumSha256) !== undefined || 'sha256' in metadata;
  return [...(hasSha256 ? (['sha256'] as const) : []), ...('md5' in metadata ? (['md5'] as const) : [])];
}

/** Not that of a multipart upload. */
function wholeDigest(checksum: string | undefined): string | undefined {
  return checksum !== undefined && /-\d+$/u.test(checksum) ? undefined : checksum;
}

/**
 * Compares digests with those that were sent: `mismatch` when any of them differs or is no digest at all, `none` when
 * there is nothing to compare with.
 */
export function compareChecksums(
  computed: Partial<Checksums>,
  { checksumSha256, metadata = {} }: SentChecksums,
): 'match' | 'mismatch' | 'none' {
  const claims: readonly (readonly [string | undefined, string | undefined])[] = [
    [computed.sha256, wholeDigest(checksumSha256)],
    [computed.sha256, metadata['sha256']],
    [computed.md5, metadata['md5']],
  ];
  const verdicts = claims.flatMap(([digest, sent]) => {
    const claim = sent?.trim();
    return digest === undefined || claim === undefined || claim === '' ? [] : [isDigest(claim, digest)];
  });
  if (verdicts.length === 0) return 'none';
  return verdicts.every((agrees) => agrees) ? 'match' : 'mismatch';
}

/** Hex of either case, or base64 with or without padding; their lengths tell them apart. */
function isDigest(claim: string, digest: string): boolean {
  if (claim.length === digest.length) return claim.toLowerCase() === digest;
  const base64 = Buffer.from(digest, 'hex').toString('base64');
  return claim.replace(/=+$/u, '') === base64.replace(/=+$/u, '');
}
