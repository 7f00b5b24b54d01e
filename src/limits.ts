/** Every fixed number of the project, with its unit and its reason or source. */

/** Tiles are at most this many pixels a side (TIFF wants multiples of 16: TIFF 6.0, section 15). */
export const MAX_TILE_SIZE = 4096;
export const TILE_SIZE_MULTIPLE = 16;

/** sharp refuses JPEG-in-TIFF beyond 65,535 px a side, even tiled; no raster handed to it is larger than this. Pixels. */
export const MAX_ENCODED_SIDE = 32_768;

/** Rasters are encoded in columns of this width: libvips then buffers little, and what it buffers stays in the cache. Pixels. */
export const ENCODED_WIDTH = 2_048;

/** No block of a master that can be read by column is wider or higher than this. Pixels. */
export const MAX_BLOCK_SIDE = 32_768;

/** Iterations that an inline Map state runs at a time (Step Functions, Quotas related to state executions). */
export const MAP_CONCURRENCY = 40;

/** Map iterations cost seven history events each, of 25,000 an execution may have. */
export const MAX_BLOCKS = 2_000;

/** Largest raster of the split level: RenderTopLevels holds all of it. Pixels. */
export const MAX_SPLIT_LEVEL_PIXELS = 64 * 2 ** 20;

/** What RenderBlock and RenderTopLevels may need by the planner's estimate; they have 3,538 MB. Bytes. */
export const MEMORY_BUDGET = 2_600 * 2 ** 20;

/** What ConvertSource may need by its estimate; it has 7,076 MB. Bytes. */
export const CONVERSION_BUDGET = 6_000 * 2 ** 20;

/** What RenderBlock may keep in files of its own; it has 10,240 MB of /tmp. Bytes. */
export const SCRATCH_BUDGET = 10_000 * 2 ** 20;

/** One block may take this long by the planner's estimate; its function has 840 s. Milliseconds. */
export const BLOCK_TIME_BUDGET = 300_000;

/** Header claims beyond this are refused before anything is allocated. Pixels. */
export const MAX_IMAGE_PIXELS = 100_000_000_000;

/** S3: parts of a multipart upload (https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html). Bytes, count. */
export const MIN_PART_BYTES = 5 * 2 ** 20;
export const MAX_PART_BYTES = 5 * 2 ** 30;
export const MAX_PARTS = 10_000;

/** S3 keys are at most this long in UTF-8. Bytes. */
export const MAX_KEY_BYTES = 1_024;

/** A classic TIFF addresses this many bytes; beyond it the file must be a BigTIFF. */
export const CLASSIC_TIFF_BYTES = 2 ** 32;
