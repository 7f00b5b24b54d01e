/** The fixed limits of the project, with their units and their reasons or sources. */

/** Largest tile side in pixels. Tile sides are multiples of 16 (TIFF 6.0, section 15). */
export const MAX_TILE_SIZE = 4096;
export const TILE_SIZE_MULTIPLE = 16;

/**
 * Largest side of a raster passed to sharp, which refuses JPEG-in-TIFF above 65,535, even tiled.
 * Pixels.
 */
export const MAX_ENCODED_SIDE = 32_768;

/**
 * Width of the columns in which rasters are encoded; libvips' buffers then fit the processor's
 * cache. Pixels.
 */
export const ENCODED_WIDTH = 2_048;

/** Largest side of a block of a master that can be read by region. Pixels. */
export const MAX_BLOCK_SIDE = 32_768;

/**
 * Iterations that an inline Map state runs at a time (Step Functions, Quotas related to state
 * executions).
 */
export const MAP_CONCURRENCY = 40;

/** Largest number of blocks: a Map iteration adds seven events to a history of at most 25,000. */
export const MAX_BLOCKS = 2_000;

/** Largest raster of the split level, which RenderTopLevels holds in memory. Pixels. */
export const MAX_SPLIT_LEVEL_PIXELS = 64 * 2 ** 20;

/** How much memory the functions of a stage have (`--param memory=NAME`), and what fits into it. */
export interface MemoryLimits {
  /**
   * Memory of the largest function. serverless-plugins/limit-memory.cjs gives no function more. MB.
   */
  readonly functionMemory: number;
  /** Largest estimated memory of RenderBlock, RenderImage and RenderTopLevels. Bytes. */
  readonly rendering: number;
  /** Largest estimated memory of ConvertSource. Bytes. */
  readonly conversion: number;
  /**
   * Pixels that a block decodes at a time where every part is decoded from the beginning of the
   * master: fewer parts repeat less.
   */
  readonly wholePartPixels: number;
}

export const memoryLimits = {
  /**
   * The largest function of a new AWS account has 3,008 MB (AWS Lambda, Quotas for new accounts);
   * ConvertSource and the functions that render have all of it.
   */
  small: {
    functionMemory: 3_008,
    rendering: 2_070 * 2 ** 20,
    conversion: 2_000 * 2 ** 20,
    wholePartPixels: 96 * 2 ** 20,
  },
  /** The functions that render have 3,538 MB, ConvertSource has 7,076 MB. */
  standard: {
    functionMemory: 7_076,
    rendering: 2_600 * 2 ** 20,
    conversion: 6_000 * 2 ** 20,
    wholePartPixels: 128 * 2 ** 20,
  },
} as const satisfies Readonly<Record<string, MemoryLimits>>;

export type MemoryClass = keyof typeof memoryLimits;

/**
 * Longest time for which one master may occupy its decoder; then the decoder is ended and the
 * master rejected. ConvertSource has 840 s; the rest is for reading the master and for writing the
 * converted TIFF. Milliseconds.
 */
export const DECODING_TIME = 300_000;

/**
 * Share of the machine's memory that decoders of whole files may use together; the rest is for
 * rendering.
 */
export const DECODING_MEMORY_SHARE = 0.5;

/** Largest total size of RenderBlock's temporary files; its /tmp has 10,240 MB. Bytes. */
export const SCRATCH_BUDGET = 10_000 * 2 ** 20;

/** Largest estimated time of one block; its function has 840 s. Milliseconds. */
export const BLOCK_TIME_BUDGET = 300_000;

/**
 * Longest estimated time of the pass that finds the range of the samples; its function has 840 s.
 * Milliseconds.
 */
export const MEASURING_TIME = 600_000;

/** Largest strip or tile, decoded, of an image whose range is measured. Bytes. */
export const MEASURED_CHUNK_BYTES = 2 ** 29;

/** Largest number of pages of a document of which every page is published. */
export const MAX_PAGES = 1_000;

/**
 * Largest ICC profile that is used: it is repeated in header.json, plan.json and every level of the
 * published file. Profiles of printers with large tables have up to 4 MB. Bytes.
 */
export const MAX_PROFILE_BYTES = 8 * 2 ** 20;

/** Largest number of strips or tiles of a TIFF: 2 ^ 31 pixels in tiles of 16 × 16. */
export const MAX_CHUNKS = 2 ** 23;

/**
 * Largest sum of the lengths of all strips or tiles of a TIFF, as a multiple of the file's size.
 * Writers that store equal tiles once exceed the size of the file by less.
 */
export const MAX_SHARED_BYTES_FACTOR = 64;

/**
 * Ranged reads of one block from which reads are merged over larger gaps, and the number above
 * which a block is refused: with eight concurrent reads of 30 ms it takes 75 s.
 */
export const MANY_BLOCK_REQUESTS = 1_024;
export const MAX_BLOCK_REQUESTS = 20_000;

/** Largest image size accepted from a header, checked before anything is allocated. Pixels. */
export const MAX_IMAGE_PIXELS = 100_000_000_000;

/** Most samples of a pixel beside its colours that are left out, or read as alpha. */
export const MAX_EXTRA_SAMPLES = 60;

/**
 * S3: parts of a multipart upload
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). Bytes, count.
 */
export const MIN_PART_BYTES = 5 * 2 ** 20;
export const MAX_PART_BYTES = 5 * 2 ** 30;
export const MAX_PARTS = 10_000;

/** Longest S3 key in UTF-8. Bytes. */
export const MAX_KEY_BYTES = 1_024;

/** Size up to which a file can be a classic TIFF; a larger one must be a BigTIFF. Bytes. */
export const CLASSIC_TIFF_BYTES = 2 ** 32;
