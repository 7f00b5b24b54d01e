/** The record of every image: one entry per image. The adapters are `dynamodb/` and `sqlite/`. */
import { z } from 'zod';

/**
 * CLAIMED: an upload was received and its execution is not known to have started. PROCESSING: its
 * execution runs. PUBLISHED, DIVIDED, REJECTED and SUPERSEDED are final for a sequence; DIVIDED is
 * a document whose pages are images of their own. FAILED, ABORTED and TIMED_OUT can be redriven.
 */
export const imageStatuses = [
  'CLAIMED',
  'PROCESSING',
  'PUBLISHED',
  'DIVIDED',
  'REJECTED',
  'SUPERSEDED',
  'FAILED',
  'ABORTED',
  'TIMED_OUT',
] as const;
export type ImageStatus = (typeof imageStatuses)[number];

/** Identifies an upload of an image. A larger sequence (compared as strings) is a newer upload. */
export interface UploadId {
  readonly imageId: string;
  readonly sequence: string;
}

const claimFields = {
  imageId: z.string(),
  sequence: z.string(),
  bucket: z.string(),
  key: z.string(),
  etag: z.string().optional(),
  recipe: z.string(),
  /** For a page of a document: its number, from 1, and the number of pages. */
  page: z.object({ number: z.number(), count: z.number() }).readonly().optional(),
};

/** An upload and the recipe chosen for it. */
export const Claim = z.object(claimFields).readonly();
export type Claim = z.infer<typeof Claim>;

/** Summary of the master's header. Sizes in pixels, `fileSize` in bytes. */
export const ImageMetadata = z.object({
  format: z.string(),
  width: z.number(),
  height: z.number(),
  bands: z.number(),
  bitDepth: z.number(),
  fileSize: z.number(),
  /**
   * Descriptive metadata in short form: title, creator, copyright, dateTaken, iccName, resolution.
   */
  about: z.record(z.string(), z.string()).readonly().optional(),
});
export type ImageMetadata = Readonly<z.infer<typeof ImageMetadata>>;

/** A published pyramid. `size` in bytes, `width`, `height` and `tileSize` in pixels. */
export const Publication = z.object({
  bucket: z.string(),
  key: z.string(),
  etag: z.string(),
  size: z.number(),
  width: z.number(),
  height: z.number(),
  levels: z.number(),
  tileSize: z.number(),
});
export type Publication = Readonly<z.infer<typeof Publication>>;

/** The sidecar of a published file, and the digests of its master in hex. */
export const PublishedSidecar = z.object({
  /** In the bucket of the published file. */
  key: z.string(),
  sha256: z.string().optional(),
  md5: z.string().optional(),
});
export type PublishedSidecar = Readonly<z.infer<typeof PublishedSidecar>>;

/**
 * What one output of an image's recipe published beside the TIFF. Keys are in the bucket of the
 * TIFF.
 */
export const PublishedOutput = z.object({
  /** As the recipe lists it, such as `iiif`. */
  name: z.string(),
  /** Prefix of all its keys. */
  prefix: z.string(),
  /** Number of objects. */
  count: z.number(),
  /** Key of the object that readers open first, written last. */
  descriptor: z.string(),
  /** Sequence of the upload that it was made from. */
  sequence: z.string(),
  /** Thumbnails. Sizes in pixels. */
  pictures: z
    .array(z.object({ key: z.string(), width: z.number(), height: z.number() }).readonly())
    .readonly()
    .optional(),
});
export type PublishedOutput = Readonly<z.infer<typeof PublishedOutput>>;

/**
 * One image. Both adapters store and read whole entries by this schema. Fields of a later version
 * are ignored.
 */
export const LedgerEntry = z.object({
  ...claimFields,
  status: z.enum(imageStatuses),
  /** ISO 8601, when the status last changed. */
  updatedAt: z.string(),
  executionArn: z.string().optional(),
  /** Number of pages of a document that is DIVIDED. */
  pages: z.number().optional(),
  metadata: ImageMetadata.readonly().optional(),
  published: Publication.readonly().optional(),
  /** ISO 8601, when `published` was recorded. Entries of earlier versions may lack it. */
  publishedAt: z.string().optional(),
  sidecar: PublishedSidecar.readonly().optional(),
  outputs: z.array(PublishedOutput.readonly()).readonly().optional(),
  rejection: z.object({ code: z.string(), detail: z.string() }).readonly().optional(),
  failure: z.object({ error: z.string(), cause: z.string() }).readonly().optional(),
});
export type LedgerEntry = Readonly<z.infer<typeof LedgerEntry>>;

/** The image that has reserved a public key, and its master. */
export interface TargetOwner {
  readonly imageId: string;
  readonly bucket: string;
  readonly key: string;
}

/** What a page of the published images shall contain. */
export interface PublishedQuery {
  /** Largest number of entries, from 1 to `MAX_PAGE_ENTRIES`. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
  /** Only images whose published key contains each of these words (`searchWords`). */
  readonly words?: readonly string[] | undefined;
}

/** Entries with `published`, and an opaque token if there may be more. */
export interface PublishedPage {
  readonly entries: readonly LedgerEntry[];
  readonly next?: string;
}

/** DynamoDB reads as many items at once. */
export const MAX_PAGE_ENTRIES = 100;

/**
 * Every write is one conditional write whose condition includes the sequence. Methods throw
 * ServiceUnavailableError when the database cannot answer. Times come from the clock that the
 * adapter was given.
 */
export interface Ledger {
  /**
   * Grants the start of an upload if the image has no entry, if this upload is newer than the
   * recorded one, or if it is the recorded one and its execution was not started. Otherwise
   * `claimed` is false and `entry` is the recorded entry.
   */
  claim(claim: Claim): Promise<{ claimed: true } | { claimed: false; entry: LedgerEntry }>;

  /**
   * CLAIMED → PROCESSING with the execution. Changes nothing if the upload has another status or
   * was superseded.
   */
  started(upload: UploadId, executionArn: string): Promise<void>;

  /**
   * → PROCESSING with the summary of the header. SourceChangedError when a newer upload owns the
   * image.
   */
  recordMetadata(upload: UploadId, metadata: ImageMetadata): Promise<void>;

  /**
   * Reserves a public key for one image, so that `a.jpg` and `a.png` cannot overwrite each other's
   * `a.tif`. Returns the source of the image that owns the key, or undefined if the key is reserved
   * for this image. The reservation carries the newest sequence of its owner that reserved it.
   */
  reserveTarget(bucket: string, key: string, owner: Claim): Promise<TargetOwner | undefined>;

  /**
   * Releases a reserved public key. Changes nothing when another image or a newer upload of this
   * image has reserved it.
   */
  releaseTarget(bucket: string, key: string, owner: UploadId): Promise<void>;

  /** SourceChangedError unless this upload owns the image. The read is consistent. */
  assertCurrent(upload: UploadId): Promise<void>;

  /** → PUBLISHED. SourceChangedError when a newer upload owns the image. Idempotent. */
  published(upload: UploadId, publication: Publication): Promise<void>;

  /**
   * Records the sidecar of the file that this upload published. Changes nothing unless it is
   * PUBLISHED. Idempotent.
   */
  sidecarPublished(upload: UploadId, sidecar: PublishedSidecar): Promise<void>;

  /**
   * Records all that the outputs of this upload's recipe published beside the TIFF; that of an
   * earlier upload stays recorded until then. Changes nothing unless it is PUBLISHED. Idempotent.
   */
  outputsPublished(upload: UploadId, outputs: readonly PublishedOutput[]): Promise<void>;

  /**
   * → DIVIDED, with the number of pages. SourceChangedError when a newer upload owns the image.
   * Idempotent.
   */
  divided(upload: UploadId, pages: number): Promise<void>;

  /**
   * → REJECTED. Changes nothing when a newer upload owns the image or this one is PUBLISHED.
   * Idempotent.
   */
  rejected(upload: UploadId, rejection: { code: string; detail: string }): Promise<void>;

  /**
   * → SUPERSEDED, for a source that changed before a newer upload is recorded. Does not change a
   * final status.
   */
  superseded(upload: UploadId): Promise<void>;

  /** → FAILED, ABORTED or TIMED_OUT, unless the upload is final or a newer one owns the image. */
  ended(
    upload: UploadId,
    status: 'FAILED' | 'ABORTED' | 'TIMED_OUT',
    failure: { error: string; cause: string },
  ): Promise<void>;

  /**
   * FAILED, ABORTED or TIMED_OUT → PROCESSING, when its execution is redriven. Otherwise changes
   * nothing.
   */
  resumed(upload: UploadId): Promise<void>;

  get(imageId: string): Promise<LedgerEntry | undefined>;

  /**
   * Entries of one status whose `updatedAt` lies in [from, to), oldest first; reads page by page.
   */
  listByStatus(
    status: ImageStatus,
    range?: { from?: string | undefined; to?: string | undefined },
  ): AsyncIterable<LedgerEntry>;

  /**
   * The images that are public in a bucket, the last published first. An image that is processed
   * again remains listed. A page of a search may have fewer entries than its limit, or none,
   * although there is a next one: each page does a bounded amount of work. Throws
   * InvalidPageTokenError.
   */
  listPublished(bucket: string, query: PublishedQuery): Promise<PublishedPage>;

  /** The entry of the image that is public under a key; undefined if there is none. */
  findPublished(bucket: string, key: string): Promise<LedgerEntry | undefined>;

  /**
   * The same for at most `MAX_PAGE_ENTRIES` keys, by key; keys under which nothing is public are
   * absent.
   */
  findAllPublished(bucket: string, keys: readonly string[]): Promise<ReadonlyMap<string, LedgerEntry>>;
}
