/** Putting an object together inside S3, part by part, all or nothing. */
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

/** Parts that S3 copies at once: their bytes do not pass through here. */
const COPIES_AT_ONCE = 32;
/** Parts that are uploaded at once: each is held in memory. */
const UPLOADS_AT_ONCE = 8;
/** Ranges read at once for one uploaded part. */
const READS_AT_ONCE = 4;

interface Upload {
  readonly target: ObjectRef;
  readonly id: string;
}

/** Content type and metadata, for the calls that make an object. */
export function describe({ contentType, metadata }: WriteOptions): {
  ContentType?: string | undefined;
  Metadata?: Record<string, string> | undefined;
} {
  return { ContentType: contentType, Metadata: metadata && { ...metadata } };
}

export function infoOf(size: number, etag: string, { contentType, metadata }: WriteOptions): ObjectInfo {
  const entries = Object.entries(metadata ?? {}).map(([key, value]) => [key.toLowerCase(), value] as const);
  return { size, etag, contentType, metadata: Object.fromEntries(entries) };
}

/** Nothing there to match is, to the writer, the same as another object there. */
export async function overwriting<Result>(
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

/** One object from parts in order: a single PUT where one uploaded part is all, a multipart upload otherwise. */
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
    ...describe(options),
    ...condition(options.over),
  });
  const output = await overwriting(options.over, target, fromS3(client.send(command), name));
  return infoOf(body.length, unquoted(output.ETag, name), options);
}

async function createUpload(client: S3Client, target: ObjectRef, options: WriteOptions): Promise<Upload> {
  const name = nameOf(target);
  const command = new CreateMultipartUploadCommand({
    Bucket: target.bucket,
    Key: target.key,
    ChecksumAlgorithm: 'CRC32',
    ...describe(options),
  });
  const { UploadId } = await fromS3(client.send(command), name);
  if (UploadId === undefined) throw new TypeError(`Expected an upload id for ${name} but received none`);
  return { target, id: UploadId };
}

async function sendParts(client: S3Client, upload: Upload, parts: readonly Part[]): Promise<CompletedPart[]> {
  const completed: CompletedPart[] = [];
  const numbered = parts.map((part, index) => ({ part, index }));
  await forEachParallel(numbered, COPIES_AT_ONCE, async ({ part, index }) => {
    if (part.kind === 'copy') completed[index] = await copyPart(client, upload, index + 1, part.range);
  });
  await forEachParallel(numbered, UPLOADS_AT_ONCE, async ({ part, index }) => {
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
  const output = await overwriting(options.over, target, fromS3(client.send(command), name));
  return infoOf(size, unquoted(output.ETag, name), options);
}

/** What cannot be aborted now is left to the bucket's lifecycle rule; the first failure is the one to tell. */
async function abortUpload(client: S3Client, { target, id }: Upload): Promise<void> {
  const command = new AbortMultipartUploadCommand({ Bucket: target.bucket, Key: target.key, UploadId: id });
  await client.send(command).catch(() => undefined);
}

/** The bytes of one part: pieces made one after the other, ranges read from the store. */
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
  await forEachParallel(ranges, READS_AT_ONCE, async ({ range, at: start }) => {
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
