/** Reads from S3. Every body is checked against the length headers. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addAbortSignal, Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ServiceUnavailableError } from '../../errors.ts';
import type { DescribedBytes, ObjectInfo, ObjectRef, ReadOptions } from '../object-store.ts';
import { forEachParallel } from '../../parallel.ts';
import { checkBuffer, checkRange } from '../pieces.ts';
import { fromS3, isOutOfRange } from './errors.ts';
import { addressOf, byteRange, nameOf, quoted, unquoted } from './requests.ts';

/**
 * Size of one ranged GET of a download. Bytes. Eight concurrent requests saturate the network of a
 * function.
 */
const DOWNLOAD_BYTES = 8 * 2 ** 20;
const CONCURRENT_DOWNLOADS = 8;

const EMPTY = new Uint8Array(0);

type Range = NonNullable<ReadOptions['range']>;

export async function headObject(
  client: S3Client,
  ref: ObjectRef,
  { ifMatch, signal }: Pick<ReadOptions, 'ifMatch' | 'signal'> = {},
): Promise<ObjectInfo> {
  const name = nameOf(ref);
  const command = new HeadObjectCommand({ ...addressOf(ref), IfMatch: quoted(ifMatch), ChecksumMode: 'ENABLED' });
  const output = await fromS3(client.send(command, abortedBy(signal)), name, signal);
  return {
    size: output.ContentLength ?? 0,
    etag: unquoted(output.ETag, name),
    contentType: output.ContentType,
    cacheControl: output.CacheControl,
    metadata: output.Metadata ?? {},
    ...(output.ChecksumSHA256 === undefined ? {} : { checksumSha256: output.ChecksumSHA256 }),
  };
}

/** Reads an object or a range of it. Throws ServiceUnavailableError when the body is incomplete. */
export async function readObject(client: S3Client, ref: ObjectRef, options: ReadOptions = {}): Promise<Uint8Array> {
  return (await readDescribedObject(client, ref, options)).bytes;
}

/** As `readObject`, with the description of the object from the same response. */
export async function readDescribedObject(
  client: S3Client,
  ref: ObjectRef,
  options: ReadOptions = {},
): Promise<DescribedBytes> {
  options.signal?.throwIfAborted();
  if (options.range) checkRange(options.range);
  if (options.range?.length === 0) return { info: await headObject(client, ref, options), bytes: EMPTY };
  try {
    const read = await fromS3(getObject(client, ref, options), nameOf(ref), options.signal);
    if (!options.into) return read;
    checkBuffer(options.into, read.bytes.length);
    options.into.set(read.bytes);
    return { info: read.info, bytes: options.into.subarray(0, read.bytes.length) };
  } catch (error) {
    if (options.range && isOutOfRange(error)) return { info: await headObject(client, ref, options), bytes: EMPTY };
    throw error;
  }
}

async function getObject(
  client: S3Client,
  ref: ObjectRef,
  { ifMatch, range, signal }: ReadOptions,
): Promise<DescribedBytes> {
  const name = nameOf(ref);
  const command = new GetObjectCommand({
    ...addressOf(ref),
    IfMatch: quoted(ifMatch),
    Range: range && byteRange(range.offset, range.length),
  });
  const output = await client.send(command, abortedBy(signal));
  if (signal && output.Body instanceof Readable) addAbortSignal(signal, output.Body);
  const bytes = (await output.Body?.transformToByteArray()) ?? EMPTY;
  signal?.throwIfAborted();
  const found = range ? rangeOf(output, range) : { size: output.ContentLength, bytes: output.ContentLength };
  if (bytes.length !== found?.bytes) {
    throw new ServiceUnavailableError(
      `Expected ${found?.bytes ?? 'a known number of'} bytes for ${name} but received ${bytes.length}`,
    );
  }
  const info = {
    size: found.size ?? bytes.length,
    etag: unquoted(output.ETag, name),
    contentType: output.ContentType,
    metadata: output.Metadata ?? {},
  };
  return { info, bytes };
}

/**
 * Sizes of the object and of the part of a range within it, from Content-Range; undefined if that
 * names another range. Bytes.
 */
function rangeOf(
  { ContentRange }: GetObjectCommandOutput,
  { offset, length }: Range,
): { size: number; bytes: number } | undefined {
  const [, first, , size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  if (Number(first) !== offset) return undefined;
  return { size: Number(size), bytes: Math.min(length, Number(size) - offset) };
}

/** Downloads an object, pinned to one ETag, into a temporary file; `dispose` removes it. */
export async function downloadObject(
  client: S3Client,
  ref: ObjectRef,
  options: ReadOptions = {},
): Promise<{ path: string; dispose(): Promise<void> }> {
  options.signal?.throwIfAborted();
  if (options.range) checkRange(options.range);
  const { size, etag } = await headObject(client, ref, options);
  const directory = await mkdtemp(join(tmpdir(), 'stepwell-'));
  const dispose = (): Promise<void> => rm(directory, { recursive: true, force: true });
  const path = join(directory, randomUUID());
  try {
    const pinned = { ifMatch: etag, signal: options.signal };
    await downloadRanges(path, [...downloadPlan(size, options.range)], (range) =>
      readObject(client, ref, { ...pinned, range }),
    );
  } catch (error) {
    await dispose();
    throw error;
  }
  return { path, dispose };
}

function* downloadPlan(size: number, range: Range = { offset: 0, length: size }): Generator<Range> {
  const end = Math.min(size, range.offset + range.length);
  for (let offset = range.offset; offset < end; offset += DOWNLOAD_BYTES) {
    yield { offset, length: Math.min(DOWNLOAD_BYTES, end - offset) };
  }
}

async function downloadRanges(
  path: string,
  ranges: readonly Range[],
  read: (range: Range) => Promise<Uint8Array>,
): Promise<void> {
  await using file = await open(path, 'wx');
  const start = ranges[0]?.offset ?? 0;
  await forEachParallel(ranges, CONCURRENT_DOWNLOADS, async (range) => {
    const bytes = await read(range);
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await file.write(bytes, done, bytes.length - done, range.offset - start + done);
      done += bytesWritten;
    }
  });
}

function abortedBy(signal: AbortSignal | undefined): { abortSignal?: AbortSignal } {
  return signal ? { abortSignal: signal } : {};
}
