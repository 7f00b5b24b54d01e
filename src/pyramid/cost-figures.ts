/** Figures of the cost model. docs/planning.md states the same ones; a test compares the two. */
import type { Conversion } from './conversion.ts';

/** Pixels that a block decodes at a time; larger blocks are rendered in parts of this size. */
export const PART_PIXELS = 12 * 2 ** 20;
/**
 * An image of one block up to this size that can only be decoded from its beginning is decoded in
 * memory; a larger one is decoded into a file. Pixels.
 */
export const DECODED_IN_MEMORY = 24 * 2 ** 20;
/**
 * A slice of a whole master up to this size is held in memory; a larger one is written to a file.
 * Bytes.
 */
export const HELD_SLICE_BYTES = 512 * 2 ** 20;

/** Starting a function, reading plan and header, writing the index. Milliseconds. */
export const INVOCATION = 400;
/** Network of one function. Bytes per millisecond. */
export const NETWORK = 75_000;
/** Decoding on one core, in nanoseconds a pixel; uncompressed rows are only read. */
export const DECODING = { uncompressed: 0.5, compressed: 8 };
/** Converting colours on one core, in nanoseconds a pixel. */
export const CONVERTING: Readonly<Record<Conversion, number>> = { none: 0, profile: 25, cmyk: 40, lab: 40 };
/**
 * Additional memory of a part while its colours are converted: at most four samples of 16 bits.
 * Bytes a pixel.
 */
export const CONVERTED = 8;
/** Reducing an image on one core, in nanoseconds a pixel of the larger one. */
export const REDUCING = 4;
/**
 * Rows that libvips keeps of an image which it reduces, beside one row of its tiles (sharp 0.35.5,
 * 2 cores).
 */
export const REDUCED_ROWS = 1_300;
/** Pixels of all levels together for each pixel of level 0. */
export const LEVELS = 4 / 3;
/** Node.js, sharp and the SDK. Bytes. */
export const BASE_MEMORY = 170 * 2 ** 20;

/**
 * Weight of a millisecond of work against a millisecond of the critical path: work is paid for on
 * AWS.
 */
export const WEIGHT_OF_WORK = 0.25;
