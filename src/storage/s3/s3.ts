/**
 * Object store on Amazon S3, or on a service with the same API that checks the conditions of
 * requests (docs/operations.md).
 */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ObjectNotFoundError, UnsuitableStoreError } from '../../errors.ts';
import type {
  DescribedBytes,
  ListOptions,
  ObjectInfo,
  ObjectRef,
  ObjectStore,
  Piece,
  ReadOptions,
  WriteOptions,
} from '../object-store.ts';
import { type PartLimits, planParts, S3_PART_LIMITS } from './parts.ts';
import { assertConditions } from './check-conditions.ts';
import { awaitConditionalWrite, descriptionFields, uploadParts, writtenInfo } from './compose.ts';
import { fromS3, translateS3Error } from './errors.ts';
import { downloadObject, headObject, readDescribedObject, readObject } from './read.ts';
import { addressOf, condition, copySource, decodeListedKey, nameOf, quoted, unquoted } from './requests.ts';

export interface S3StoreOptions {
  /**
   * Size of an uploaded part, of which up to eight are in memory. Bytes; default 8 MiB, at least
   * S3's 5 MiB.
   */
  readonly partBytes?: number | undefined;
  /**
   * Objects larger than this are copied in concurrent parts. Bytes; default 64 MiB, at most S3's 5
   * GiB.
   */
  readonly copyBytes?: number | undefined;
  /**
   * Bucket before whose first write the conditions of the store are checked, with an object in it;
   * for stores other than Amazon S3.
   */
  readonly checkedBucket?: string | undefined;
}

/**
 * An object store on S3. ETags are those of S3; S3 checks every condition in the call that the
 * condition belongs to. Metadata values must be ASCII, because S3 transfers them as HTTP headers
 * without encoding.
 */
export function s3Store(client: S3Client, options: S3StoreOptions = {}): ObjectStore {
  return new S3Store(client, options);
}

class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #limits: PartLimits;
  readonly #copyBytes: number;
  readonly #checkedBucket: string | undefined;
  #checked: Promise<void> | undefined;

  constructor(
    client: S3Client,
    { partBytes = S3_PART_LIMITS.uploadBytes, copyBytes = S3_PART_LIMITS.copyBytes, checkedBucket }: S3StoreOptions,
  ) {
    this.#client = client;
    this.#limits = { ...S3_PART_LIMITS, uploadBytes: partBytes };
    this.#copyBytes = copyBytes;
    this.#checkedBucket = checkedBucket;
  }

  head(ref: ObjectRef, options: Pick<ReadOptions, 'ifMatch'> = {}): Promise<ObjectInfo> {
    return headObject(this.#client, ref, options);
  }

  async tags(ref: ObjectRef): Promise<Readonly<Record<string, string>>> {
    const { TagSet = [] } = await fromS3(this.#client.send(new GetObjectTaggingCommand(addressOf(ref))), nameOf(ref));
    return Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value]));
  }

  read(ref: ObjectRef, options: ReadOptions = {}): Promise<Uint8Array> {
    return readObject(this.#client, ref, options);
  }

  readDescribed(ref: ObjectRef, options: ReadOptions = {}): Promise<DescribedBytes> {
    return readDescribedObject(this.#client, ref, options);
  }

  materialise(ref: ObjectRef, options: ReadOptions = {}): Promise<{ path: string; dispose(): Promise<void> }> {
    return downloadObject(this.#client, ref, options);
  }

  /** Uploads a body larger than one part as a multipart upload. */
  write(ref: ObjectRef, body: Uint8Array, options: WriteOptions = {}): Promise<ObjectInfo> {
    return this.compose(ref, [body], options);
  }

  async compose(ref: ObjectRef, pieces: Iterable<Piece>, options: WriteOptions = {}): Promise<ObjectInfo> {
    await this.#assertSuitable(ref);
    return uploadParts(this.#client, ref, planParts(pieces, this.#limits), options);
  }

  async copy(
    from: ObjectRef & { readonly etag: string },
    to: ObjectRef,
    options: WriteOptions = {},
  ): Promise<ObjectInfo> {
    await this.#assertSuitable(to);
    const { size } = await headObject(this.#client, from, { ifMatch: from.etag });
    if (size > this.#copyBytes) {
      const { etag, ...ref } = from;
      return this.compose(to, [{ ref, etag, offset: 0, length: size }], options);
    }
    const etag = await this.#copyInOneRequest(from, to, options);
    return writtenInfo(size, etag, options);
  }

  async *list(
    bucket: string,
    prefix: string,
    { delimiter }: ListOptions = {},
  ): AsyncGenerator<{ key: string; size: number; etag: string }> {
    const name = JSON.stringify(`${bucket}/${prefix}`);
    const input = { Bucket: bucket, Prefix: prefix, Delimiter: delimiter, EncodingType: 'url' } as const;
    try {
      for await (const page of paginateListObjectsV2({ client: this.#client }, input)) {
        for (const { Key = '', Size = 0, ETag } of page.Contents ?? []) {
          const key = page.EncodingType === 'url' ? decodeListedKey(Key) : Key;
          yield { key, size: Size, etag: unquoted(ETag, name) };
        }
      }
    } catch (error) {
      throw translateS3Error(error, name);
    }
  }

  async remove(ref: ObjectRef): Promise<void> {
    try {
      await fromS3(this.#client.send(new DeleteObjectCommand(addressOf(ref))), nameOf(ref));
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError)) throw error;
    }
  }

  /** Checks the conditions of the store once; again only if the store was not available. */
  async #assertSuitable({ bucket }: ObjectRef): Promise<void> {
    if (bucket !== this.#checkedBucket) return;
    this.#checked ??= assertConditions(this.#client, bucket);
    try {
      await this.#checked;
    } catch (error) {
      if (!(error instanceof UnsuitableStoreError)) this.#checked = undefined;
      throw error;
    }
  }

  /**
   * REPLACE drops the metadata and tags of the source; copying tags would need further permissions.
   */
  async #copyInOneRequest(
    from: ObjectRef & { readonly etag: string },
    to: ObjectRef,
    options: WriteOptions,
  ): Promise<string> {
    const command = new CopyObjectCommand({
      Bucket: to.bucket,
      Key: to.key,
      CopySource: copySource(from),
      CopySourceIfMatch: quoted(from.etag),
      MetadataDirective: 'REPLACE',
      TaggingDirective: 'REPLACE',
      ...descriptionFields(options),
      ...condition(options.over),
    });
    const output = await awaitConditionalWrite(options.over, to, fromS3(this.#client.send(command), nameOf(to)));
    return unquoted(output.CopyObjectResult?.ETag, nameOf(to));
  }
}
