/** The record of every image: one item an image, and what became of it. `dynamodb.ts` is the adapter. */

/**
 * CLAIMED: an upload was seen, its execution not yet known to have started. PROCESSING: its execution runs.
 * PUBLISHED, REJECTED and SUPERSEDED are final for a sequence. FAILED, ABORTED and TIMED_OUT wait for a redrive.
 */
export const imageStatuses = [
  'CLAIMED',
  'PROCESSING',
  'PUBLISHED',
  'REJECTED',
  'SUPERSEDED',
  'FAILED',
  'ABORTED',
  'TIMED_OUT',
] as const;
export type ImageStatus = (typeof imageStatuses)[number];

/** Which upload of which image. A larger sequence (compared as strings) is a newer upload. */
export interface UploadId {
  readonly imageId: string;
  readonly sequence: string;
}

export interface Claim extends UploadId {
  readonly bucket: string;
  readonly key: string;
  readonly etag?: string | undefined;
  readonly recipe: string;
}

/** What the header of the master says, in short. Sizes in pixels, `fileSize` in bytes. */
export interface ImageMetadata {
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly bitDepth: number;
  readonly fileSize: number;
  /** What the master tells of itself: title, creator, copyright, dateTaken, iccName, resolution. */
  readonly about?: Readonly<Record<string, string>> | undefined;
}

export interface Publication {
  readonly bucket: string;
  readonly key: string;
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly width: number;
  readonly height: number;
  readonly levels: number;
  readonly tileSize: number;
}

/** What stands beside a published file, and the digests of its master in hex. */
export interface PublishedSidecar {
  /** In the bucket of the published file. */
  readonly key: string;
  readonly sha256?: string | undefined;
  readonly md5?: string | undefined;
}

export interface LedgerEntry extends Claim {
  readonly status: ImageStatus;
  /** ISO 8601, when the status last changed. */
  readonly updatedAt: string;
  readonly executionArn?: string | undefined;
  readonly metadata?: ImageMetadata | undefined;
  readonly published?: Publication | undefined;
  readonly sidecar?: PublishedSidecar | undefined;
  readonly rejection?: { readonly code: string; readonly detail: string } | undefined;
  readonly failure?: { readonly error: string; readonly cause: string } | undefined;
}

/**
 * Every write is one conditional write fenced by the sequence. Methods throw ServiceUnavailableError when the table
 * cannot answer. Times come from the clock the adapter was given.
 */
export interface Ledger {
  /**
   * May this upload be started? True when the image was never seen, when this upload is newer than the one on record, or
   * when it is the one on record and its execution never started. Otherwise `claimed` is false and `entry` says why.
   */
  claim(claim: Claim): Promise<{ claimed: true } | { claimed: false; entry: LedgerEntry }>;

  /** CLAIMED → PROCESSING with its execution; changes nothing when the upload is already further or superseded. */
  started(upload: UploadId, executionArn: string): Promise<void>;

  /** → PROCESSING with the header's facts. SourceChangedError when a newer upload owns the image. */
  recordMetadata(upload: UploadId, metadata: ImageMetadata): Promise<void>;

  /**
   * Reserve a public key for one image, so that `a.jpg` and `a.png` cannot overwrite each other's `a.tif`.
   * Returns the entry of the image that already has it, or undefined when it is (now or already) this image's.
   */
  reserveTarget(bucket: string, key: string, owner: Claim): Promise<{ bucket: string; key: string } | undefined>;

  /** Give a reserved public key back; only its owner can. */
  releaseTarget(bucket: string, key: string, imageId: string): Promise<void>;

  /** SourceChangedError unless this upload still owns the image (read consistently). */
  assertCurrent(upload: UploadId): Promise<void>;

  /** → PUBLISHED. SourceChangedError when a newer upload owns the image. Idempotent. */
  published(upload: UploadId, publication: Publication): Promise<void>;

  /** Notes what stands beside the file that this upload published; nothing when it is not PUBLISHED. Idempotent. */
  sidecarPublished(upload: UploadId, sidecar: PublishedSidecar): Promise<void>;

  /** → REJECTED. Changes nothing when a newer upload owns the image or this one is PUBLISHED. Idempotent. */
  rejected(upload: UploadId, rejection: { code: string; detail: string }): Promise<void>;

  /** → SUPERSEDED when the source changed under this upload and no newer one is on record yet. Otherwise nothing. */
  superseded(upload: UploadId): Promise<void>;

  /** → FAILED, ABORTED or TIMED_OUT, unless the upload is final or a newer one owns the image. */
  ended(
    upload: UploadId,
    status: 'FAILED' | 'ABORTED' | 'TIMED_OUT',
    failure: { error: string; cause: string },
  ): Promise<void>;

  /** FAILED, ABORTED or TIMED_OUT → PROCESSING, when its execution is redriven. Otherwise nothing. */
  resumed(upload: UploadId): Promise<void>;

  get(imageId: string): Promise<LedgerEntry | undefined>;

  /** Entries of one status whose `updatedAt` lies in [from, to), oldest first; pages are followed. */
  listByStatus(
    status: ImageStatus,
    range?: { from?: string | undefined; to?: string | undefined },
  ): AsyncIterable<LedgerEntry>;
}
