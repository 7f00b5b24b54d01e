/** The one way this project touches objects. Two adapters stand behind it (`s3.ts`, `files.ts`) and one contract test. */

/** One object, or one version of it where the bucket keeps versions. */
export interface ObjectRef {
  readonly bucket: string;
  readonly key: string;
  readonly versionId?: string | undefined;
}

export interface ObjectInfo {
  /** Bytes. */
  readonly size: number;
  /** Without the quotes that HTTP puts around it. Changes whenever the content does. */
  readonly etag: string;
  readonly contentType?: string | undefined;
  /** User metadata, keys in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
  /** SHA-256 of the bytes as their uploader sent it, base64; where the store keeps such a thing. Told by `head` only. */
  readonly checksumSha256?: string | undefined;
}

export interface ReadOptions {
  /** Refuse (PreconditionFailedError) to read anything but this ETag. */
  readonly ifMatch?: string | undefined;
  /** Byte range: `length` bytes from `offset`. A range past the end is cut at the end; one wholly past it is empty. */
  readonly range?: { readonly offset: number; readonly length: number } | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Memory to read into, at least as long as the range; what is returned is the part of it that was filled. */
  readonly into?: Uint8Array | undefined;
}

export interface WriteOptions {
  readonly contentType?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  /** Write only over this ETag, or (`absent`) only where no object is. Otherwise PreconditionFailedError. */
  readonly over?: { readonly etag: string } | 'absent' | undefined;
}

/** A piece that is a range of an object already in the store. */
export interface RangePiece {
  readonly ref: ObjectRef;
  readonly etag: string;
  readonly offset: number;
  readonly length: number;
}

/** A piece that is made when its turn comes, so that no more of it than is being written takes memory. */
export interface MadePiece {
  readonly length: number;
  /** `length` bytes that nobody changes afterwards. Called again, as for another attempt, it gives the same. */
  make(): Uint8Array | Promise<Uint8Array>;
}

/** A piece of a composed object: bytes in memory, a range of the store, or bytes that are made when they are wanted. */
export type Piece = Uint8Array | RangePiece | MadePiece;

/**
 * Every method throws ObjectNotFoundError, PreconditionFailedError or ServiceUnavailableError (throttled, timed out,
 * 5xx, connection lost), never a vendor's error for those; anything else is a defect and passes through.
 */
export interface ObjectStore {
  head(ref: ObjectRef, options?: Pick<ReadOptions, 'ifMatch'>): Promise<ObjectInfo>;

  /** The object's tags, by key; none where the store has no such thing. */
  tags(ref: ObjectRef): Promise<Readonly<Record<string, string>>>;

  /** The bytes asked for, all of them: a body that ends early is ServiceUnavailableError, never taken for the whole. */
  read(ref: ObjectRef, options?: ReadOptions): Promise<Uint8Array>;

  /**
   * A file on this machine that holds the object, for decoders that need one. `dispose` must be called; it removes what
   * was downloaded and leaves alone what was there. Downloads are made in parallel ranges with bounded memory.
   */
  materialise(ref: ObjectRef, options?: ReadOptions): Promise<{ path: string; dispose(): Promise<void> }>;

  /** All or nothing: readers see the old object or the new one, whole. */
  write(ref: ObjectRef, body: Uint8Array, options?: WriteOptions): Promise<ObjectInfo>;

  /**
   * One object from pieces in order, put together by the store: ranges are copied there (S3: UploadPartCopy; folders:
   * file ranges) and do not pass through this process, except those too small to be a part. All or nothing. RangeError
   * for a made piece that is not as long as it was said to be.
   */
  compose(ref: ObjectRef, pieces: Iterable<Piece>, options?: WriteOptions): Promise<ObjectInfo>;

  /** A server-side copy, whole; the target's metadata and content type are those given, not the source's. */
  copy(from: ObjectRef & { readonly etag: string }, to: ObjectRef, options?: WriteOptions): Promise<ObjectInfo>;

  /** Keys that start with `prefix`, in UTF-8 byte order, with their sizes and ETags. */
  list(bucket: string, prefix: string): AsyncIterable<{ key: string; size: number; etag: string }>;

  /** Removing what is not there succeeds. */
  remove(ref: ObjectRef): Promise<void>;
}
