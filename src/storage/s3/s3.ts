/** Objects in Amazon S3, or in anything that speaks its API. */
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ObjectNotFoundError } from '../../errors.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, Piece, ReadOptions, WriteOptions } from '../object-store.ts';
import { type PartLimits, planParts, S3_PART_LIMITS } from './parts.ts';
import { describe, infoOf, overwriting, uploadParts } from './compose.ts';
import { fromS3, translateS3Error } from './errors.ts';
import { downloadObject, headObject, readObject } from './read.ts';
import { addressOf, condition, copySource, decodeListedKey, nameOf, quoted, unquoted } from './requests.ts';

export interface S3StoreOptions {
  /** What an uploaded part holds: eight of them may be in memory at once. Bytes, 8 MiB unless told, never below S3's 5 MiB. */
  readonly partBytes?: number | undefined;
  /** Objects larger than this are copied in parts side by side. Bytes, 64 MiB unless told; S3 takes 5 GiB at the most. */
  readonly copyBytes?: number | undefined;
}

/**
 * An object store on S3. ETags are S3's own; every condition is checked by S3, in the call that it is about. Metadata
 * values must be ASCII, as S3 has them in HTTP headers; they are not encoded here.
 */
export function s3Store(client: S3Client, options: S3StoreOptions = {}): ObjectStore {
  return new S3Store(client, options);
}

class S3Store implements ObjectStore {
  readonly #client: S3Client;
  readonly #limits: PartLimits;
  readonly #copyBytes: number;

  constructor(
    client: S3Client,
    { partBytes = S3_PART_LIMITS.uploadBytes, copyBytes = S3_PART_LIMITS.copyBytes }: S3StoreOptions,
  ) {
    this.#client = client;
    this.#limits = { ...S3_PART_LIMITS, uploadBytes: partBytes };
    this.#copyBytes = copyBytes;
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

  materialise(ref: ObjectRef, options: ReadOptions = {}): Promise<{ path: string; dispose(): Promise<void> }> {
    return downloadObject(this.#client, ref, options);
  }

  /** Bodies larger than a part go up in parts. */
  write(ref: ObjectRef, body: Uint8Array, options: WriteOptions = {}): Promise<ObjectInfo> {
    return this.compose(ref, [body], options);
  }

  async compose(ref: ObjectRef, pieces: Iterable<Piece>, options: WriteOptions = {}): Promise<ObjectInfo> {
    return uploadParts(this.#client, ref, planParts(pieces, this.#limits), options);
  }

  async copy(
    from: ObjectRef & { readonly etag: string },
    to: ObjectRef,
    options: WriteOptions = {},
  ): Promise<ObjectInfo> {
    const { size } = await headObject(this.#client, from, { ifMatch: from.etag });
    if (size > this.#copyBytes) {
      const { etag, ...ref } = from;
      return this.compose(to, [{ ref, etag, offset: 0, length: size }], options);
    }
    const etag = await this.#copyAtOnce(from, to, options);
    return infoOf(size, etag, options);
  }

  async *list(bucket: string, prefix: string): AsyncGenerator<{ key: string; size: number; etag: string }> {
    const name = JSON.stringify(`${bucket}/${prefix}`);
    const input = { Bucket: bucket, Prefix: prefix, EncodingType: 'url' } as const;
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

  /** REPLACE: neither the source's metadata nor its tags, which would need permissions of their own. */
  async #copyAtOnce(
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
      ...describe(options),
      ...condition(options.over),
    });
    const output = await overwriting(options.over, to, fromS3(this.#client.send(command), nameOf(to)));
    return unquoted(output.CopyObjectResult?.ETag, nameOf(to));
  }
}
