/** Composes an object in S3 with a multipart upload. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { ObjectNotFoundError, PreconditionFailedError } from '../../errors.ts';
import type { ObjectInfo, ObjectRef, Piece, RangePiece, WriteOptions } from '../object-store.ts';
import { forEachParallel } from '../../parallel.ts';
import type { Part } from './parts.ts';
import { bytesOf, isRange } from '../pieces.ts';
import { fromS3, isOutOfRange } from './errors.ts';
import { readObject } from './read.ts';
import { byteRange, condition, copySource, nameOf, quoted, unquoted } from './requests.ts';

/** Number of parts copied concurrently within S3; their bytes do not pass through this process. */
const CONCURRENT_COPIES = 32;
/** Number of parts uploaded concurrently; each is in memory. */
const CONCURRENT_UPLOADS = 8;
/** Number of ranges read concurrently for one uploaded part. */
const CONCURRENT_READS = 4;

interface Upload {
  readonly target: ObjectRef;
  readonly id: string;
}

/** The request fields for content type, cache control and metadata. */
export function descriptionFields({ contentType, cacheControl, metadata }: WriteOptions): {
  ContentType?: string | undefined;
  CacheControl?: string | undefined;
  Metadata?: Record<string, string> | undefined;
} {
  return { ContentType: contentType, CacheControl: cacheControl, Metadata: metadata && { ...metadata } };
}

/** The ObjectInfo of an object just written. */
export function writtenInfo(
  size: number,
  etag: string,
  { contentType, cacheControl, metadata }: WriteOptions,
): ObjectInfo {
  const entries = Object.entries(metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  return { size, etag, contentType, cacheControl, metadata: Object.fromEntries(entries) };
}

/**
 * Awaits a conditional write. S3 answers 404 to If-Match on a missing object; this is reported as
 * PreconditionFailedError.
 */
export async function awaitConditionalWrite<Result>(
  over: WriteOptions['over'],
  target: ObjectRef,
  call: Promise<Result>,
): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    if (typeof over === 'object' && error instanceof ObjectNotFoundError) {
      throw new PreconditionFailedError(`Expected ETag ${over.etag} for ${nameOf(target)} but received no object`, {
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * Writes one object from parts in order: with a single PUT for at most one uploaded part, else with
 * a multipart upload.
 */
export async function uploadParts(
  client: S3Client,
  target: ObjectRef,
  parts: readonly Part[],
  options: WriteOptions,
): Promise<ObjectInfo> {
  const [first] = parts;
  const single = parts.length === 1 && first?.kind === 'upload' ? first : undefined;
  if (parts.length === 0 || single) {
    const body = single ? await gather(client, single.pieces, single.length) : new Uint8Array(0);
    return putObject(client, target, body, options);
  }
  const upload = await createUpload(client, target, options);
  try {
    const completed = await sendParts(client, upload, parts);
    const size = parts.reduce((sum, part) => sum + partBytes(part), 0);
    return await completeUpload(client, upload, completed, size, options);
  } catch (error) {
    await abortUpload(client, upload);
    throw error;
  }
}

async function putObject(
  client: S3Client,
  target: ObjectRef,
  body: Uint8Array,
  options: WriteOptions,
): Promise<ObjectInfo> {
  const name = nameOf(target);
  const command = new PutObjectCommand({
    Bucket: target.bucket,
    Key: target.key,
    Body: body,
    ...descriptionFields(options),
    ...condition(options.over),
  });
  const output = await awaitConditionalWrite(options.over, target, fromS3(client.send(command), name));
  return writtenInfo(body.length, unquoted(output.ETag, name), options);
}

async function createUpload(client: S3Client, target: ObjectRef, options: WriteOptions): Promise<Upload> {
  const name = nameOf(target);
  const command = new CreateMultipartUploadCommand({
    Bucket: target.bucket,
    Key: target.key,
    ChecksumAlgorithm: 'CRC32',
    ...descriptionFields(options),
  });
  const { UploadId } = await fromS3(client.send(command), name);
  if (UploadId === undefined) throw new TypeError(`Expected an upload id for ${name} but received none`);
  return { target, id: UploadId };
}

async function sendParts(client: S3Client, upload: Upload, parts: readonly Part[]): Promise<CompletedPart[]> {
  const completed: CompletedPart[] = [];
  const numbered = parts.map((part, index) => ({ part, index }));
  await forEachParallel(numbered, CONCURRENT_COPIES, async ({ part, index }) => {
    if (part.kind === 'copy') completed[index] = await copyPart(client, upload, index + 1, part.range);
  });
  await forEachParallel(numbered, CONCURRENT_UPLOADS, async ({ part, index }) => {
    if (part.kind !== 'upload') return;
    completed[index] = await uploadPart(client, upload, index + 1, await gather(client, part.pieces, part.length));
  });
  return completed;
}

async function uploadPart(client: S3Client, upload: Upload, number: number, body: Uint8Array): Promise<CompletedPart> {
  const command = new UploadPartCommand({ ...addressPart(upload, number), Body: body, ChecksumAlgorithm: 'CRC32' });
  const output = await fromS3(client.send(command), nameOf(upload.target));
  return { PartNumber: number, ETag: output.ETag, ChecksumCRC32: output.ChecksumCRC32 };
}

async function copyPart(client: S3Client, upload: Upload, number: number, range: RangePiece): Promise<CompletedPart> {
  const command = new UploadPartCopyCommand({
    ...addressPart(upload, number),
    CopySource: copySource(range.ref),
    CopySourceIfMatch: quoted(range.etag),
    CopySourceRange: byteRange(range.offset, range.length),
  });
  try {
    const output = await fromS3(client.send(command), nameOf(range.ref));
    const { ETag, ChecksumCRC32 } = output.CopyPartResult ?? {};
    return { PartNumber: number, ETag: quoted(unquoted(ETag, nameOf(upload.target))), ChecksumCRC32 };
  } catch (error) {
    throw isOutOfRange(error) ? missingRange(range, error) : error;
  }
}

/** `MpuObjectSize` makes S3 itself refuse an object of another size than was planned. */
async function completeUpload(
  client: S3Client,
  { target, id }: Upload,
  parts: CompletedPart[],
  size: number,
  options: WriteOptions,
): Promise<ObjectInfo> {
  const name = nameOf(target);
  const command = new CompleteMultipartUploadCommand({
    Bucket: target.bucket,
    Key: target.key,
    UploadId: id,
    MultipartUpload: { Parts: parts },
    MpuObjectSize: size,
    ...condition(options.over),
  });
  const output = await awaitConditionalWrite(options.over, target, fromS3(client.send(command), name));
  return writtenInfo(size, unquoted(output.ETag, name), options);
}

/** Aborts an upload. A failure is ignored: the bucket's lifecycle rule removes the upload later. */
async function abortUpload(client: S3Client, { target, id }: Upload): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: target.bucket, Key: target.key, UploadId: id });
  await client.send(command).catch(() => undefined);
}

/** Assembles the bytes of one part: generates pieces one by one and reads ranges from the store. */
async function gather(client: S3Client, pieces: readonly Piece[], length: number): Promise<Uint8Array> {
  const [only] = pieces;
  if (pieces.length === 1 && only && !isRange(only)) return bytesOf(only);
  const bytes = Buffer.allocUnsafeSlow(length);
  const ranges: { range: RangePiece; at: number }[] = [];
  let at = 0;
  for (const piece of pieces) {
    if (isRange(piece)) ranges.push({ range: piece, at });
    else bytes.set(await bytesOf(piece), at);
    at += piece.length;
  }
  await forEachParallel(ranges, CONCURRENT_READS, async ({ range, at: start }) => {
    bytes.set(await readRange(client, range), start);
  });
  return bytes;
}

async function readRange(client: S3Client, range: RangePiece): Promise<Uint8Array> {
  const bytes = await readObject(client, range.ref, { ifMatch: range.etag, range });
  if (bytes.length !== range.length) throw missingRange(range);
  return bytes;
}

function missingRange(range: RangePiece, cause?: unknown): PreconditionFailedError {
  const end = range.offset + range.length;
  return new PreconditionFailedError(`Expected at least ${end} bytes for ${nameOf(range.ref)} but received fewer`, {
    cause,
  });
}

function partBytes(part: Part): number {
  return part.kind === 'copy' ? part.range.length : part.length;
}

function addressPart({ target, id }: Upload, number: number) {
  return { Bucket: target.bucket, Key: target.key, UploadId: id, PartNumber: number };
}
