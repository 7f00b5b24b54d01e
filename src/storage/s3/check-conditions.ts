/**
 * A check of an S3 service other than Amazon S3: several of them accept the conditions of a request
 * and ignore them, so that two uploads would replace each other without an error.
 */
import { randomUUID } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { PreconditionFailedError, UnsuitableStoreError } from '../../errors.ts';
import type { ObjectRef } from '../object-store.ts';
import { fromS3, httpStatusOf, isErrorOfS3, translateS3Error } from './errors.ts';
import { addressOf, condition, copySource, nameOf, quoted } from './requests.ts';

/** An ETag that the object of the check does not have. */
const OTHER_ETAG = '00000000000000000000000000000000';
const existing = condition('absent');
const replaced = condition({ etag: OTHER_ETAG });

type Attempt = (client: S3Client, target: ObjectRef) => Promise<unknown>;

/** Requests on an existing object that S3 refuses with 412, by what the refusal depends on. */
const attempts: Readonly<Record<string, Attempt>> = {
  'If-Match of GetObject': (client, target) =>
    client.send(new GetObjectCommand({ ...addressOf(target), IfMatch: quoted(OTHER_ETAG) })),
  'If-None-Match of PutObject': (client, target) => put(client, target, existing),
  'If-Match of PutObject': (client, target) => put(client, target, replaced),
  'If-None-Match of CopyObject': (client, target) => copyOnItself(client, target, existing),
  'If-Match of CopyObject': (client, target) => copyOnItself(client, target, replaced),
  'x-amz-copy-source-if-match of CopyObject': (client, target) =>
    copyOnItself(client, target, { CopySourceIfMatch: quoted(OTHER_ETAG) }),
  'x-amz-copy-source-if-match of UploadPartCopy': (client, target) =>
    withUpload(client, target, (upload) =>
      client.send(
        new UploadPartCopyCommand({
          ...upload,
          PartNumber: 1,
          CopySource: copySource(target),
          CopySourceIfMatch: quoted(OTHER_ETAG),
        }),
      ),
    ),
  'If-None-Match of CompleteMultipartUpload': (client, target) => uploadInParts(client, target, existing),
  'If-Match of CompleteMultipartUpload': (client, target) => uploadInParts(client, target, replaced),
};

/**
 * Writes one object to the bucket and tries what its conditions forbid. Throws UnsuitableStoreError
 * with the conditions that the store ignores or does not know. The object is deleted where that is
 * permitted; no role of the stack may delete work objects, which expire.
 */
export async function assertConditions(client: S3Client, bucket: string): Promise<void> {
  const target = { bucket, key: `condition-check/${randomUUID()}` };
  await fromS3(put(client, target, existing), nameOf(target));
  const ignored: string[] = [];
  try {
    for (const [name, attempt] of Object.entries(attempts)) {
      if (!(await isRefused(attempt(client, target), target))) ignored.push(name);
    }
  } finally {
    await client.send(new DeleteObjectCommand(addressOf(target))).catch(() => undefined);
  }
  if (ignored.length === 0) return;
  throw new UnsuitableStoreError(
    `Expected an object store that checks the conditions of requests but the store of bucket ${bucket} does not check ` +
      `${ignored.join(', ')}: two uploads could replace each other. docs/operations.md lists what a store must do`,
  );
}

/** HTTP statuses of requests that a store does not know; a retry cannot help. */
const UNKNOWN_REQUEST = new Set([400, 405, 501]);

/** Whether a request was refused because of its condition. Throws all other errors. */
async function isRefused(request: Promise<unknown>, target: ObjectRef): Promise<boolean> {
  try {
    await request;
    return false;
  } catch (error) {
    if (isErrorOfS3(error) && UNKNOWN_REQUEST.has(httpStatusOf(error) ?? 0)) return false;
    const translated = translateS3Error(error, nameOf(target));
    if (translated instanceof PreconditionFailedError) return true;
    throw translated;
  }
}

type Condition = ReturnType<typeof condition>;

function put(client: S3Client, target: ObjectRef, over: Condition): Promise<unknown> {
  return client.send(new PutObjectCommand({ ...addressOf(target), Body: 'condition check', ...over }));
}

function copyOnItself(
  client: S3Client,
  target: ObjectRef,
  conditions: Condition & { readonly CopySourceIfMatch?: string },
): Promise<unknown> {
  const CopySource = copySource(target);
  return client.send(
    // S3 refuses a copy of an object on itself unless its metadata are replaced.
    new CopyObjectCommand({ ...addressOf(target), CopySource, MetadataDirective: 'REPLACE', ...conditions }),
  );
}

type Upload = ReturnType<typeof addressOf> & { readonly UploadId: string | undefined };

/** Creates a multipart upload and aborts it unless it is completed. */
async function withUpload(
  client: S3Client,
  target: ObjectRef,
  use: (upload: Upload) => Promise<unknown>,
): Promise<unknown> {
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(addressOf(target)));
  const upload = { ...addressOf(target), UploadId };
  try {
    return await use(upload);
  } finally {
    await client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
  }
}

function uploadInParts(client: S3Client, target: ObjectRef, over: Condition): Promise<unknown> {
  const Body = 'condition check';
  return withUpload(client, target, async (upload) => {
    const { ETag } = await client.send(new UploadPartCommand({ ...upload, PartNumber: 1, Body }));
    const Parts = [{ PartNumber: 1, ETag }];
    return client.send(
      new CompleteMultipartUploadCommand({
        ...upload,
        MultipartUpload: { Parts },
        MpuObjectSize: Body.length,
        ...over,
      }),
    );
  });
}
