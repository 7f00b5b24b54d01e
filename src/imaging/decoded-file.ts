/**
 * Pixels of an image that is decoded once, from its beginning, into a temporary file. Rectangles
 * are read from the file while it grows, so that memory does not depend on the size of the image.
 */
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Sharp } from 'sharp';
import { type Rect, rectSize } from '../pyramid/blocks.ts';
import { Arena } from './arena.ts';
import { decodeFailure, unexpectedBands } from './decode-errors.ts';
import { type Raster, rasterBytes, rasterIn } from './raster.ts';

/** Size and samples of a decoded image. */
export interface DecodedShape {
  readonly width: number;
  readonly height: number;
  readonly bands: 1 | 3;
  readonly bitDepth: 8 | 16;
}

/** Header of libvips' own file format (.v); rows of interleaved samples follow it. Bytes. */
const HEADER_BYTES = 64;
/** Interval between two looks at the size of the growing file. Milliseconds. */
const POLLING = 4;

/** Reads a rectangle of the image into memory of the arena. */
export type ReadRect = (rect: Rect, arena: Arena) => Promise<Raster>;

/**
 * Decodes `picture` and calls `use`, whose reads wait until their rows are decoded and reject with
 * the error of the decoder, which `explain` may replace. The decoder has ended when the returned
 * promise settles. The file has no name while it is in use, so that nothing of it remains when the
 * process is killed.
 */
export async function withDecodedFile<Result>(
  picture: Sharp,
  shape: DecodedShape,
  use: (read: ReadRect) => Promise<Result>,
  explain: (error: unknown) => Promise<unknown> = (error) => Promise.resolve(error),
): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'stepwell-decoded-'));
  let handle: FileHandle | undefined;
  try {
    const file = path.join(folder, 'pixels.v');
    handle = await open(file, 'w+');
    const decoding = new Decoding(
      decodeInto(file, picture, shape).catch(async (error: unknown) => {
        throw await explain(error);
      }),
      handle,
    );
    try {
      await decoding.hasGrownTo(HEADER_BYTES);
      await rm(folder, { recursive: true, force: true });
      return await use((rect, arena) => readRect(decoding, shape, rect, arena));
    } finally {
      await decoding.end();
    }
  } finally {
    await handle?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** A decoder that is writing its file. */
class Decoding {
  readonly handle: FileHandle;
  readonly #outcome: Promise<void>;
  #hasEnded = false;

  constructor(outcome: Promise<void>, handle: FileHandle) {
    this.handle = handle;
    this.#outcome = outcome.finally(() => (this.#hasEnded = true));
    // The error is thrown by `end`, which may be called after the decoder has failed.
    this.#outcome.catch(() => undefined);
  }

  /** Resolves when the file has so many bytes, which libvips writes in order. */
  async hasGrownTo(bytes: number): Promise<void> {
    for (;;) {
      const isComplete = this.#hasEnded;
      const { size } = await this.handle.stat();
      if (size >= bytes) return;
      if (isComplete) {
        await this.end();
        throw new RangeError(`Expected ${bytes} bytes of decoded samples but received ${size}`);
      }
      await delay(POLLING);
    }
  }

  /** Waits for the decoder; throws its error. */
  end(): Promise<void> {
    return this.#outcome;
  }
}

async function decodeInto(file: string, picture: Sharp, { bands }: DecodedShape): Promise<void> {
  const { channels } = await picture.toFile(file).catch((error: unknown) => {
    throw decodeFailure(error);
  });
  if (channels !== bands) throw unexpectedBands(channels, bands);
}

async function readRect(decoding: Decoding, shape: DecodedShape, rect: Rect, arena: Arena): Promise<Raster> {
  const pixel = shape.bands * (shape.bitDepth / 8);
  const stride = shape.width * pixel;
  await decoding.hasGrownTo(HEADER_BYTES + rect.bottom * stride);
  const raster = rasterIn(arena, { ...shape, ...rectSize(rect) });
  const bytes = rasterBytes(raster);
  // Rows of full width follow each other in the file.
  const rows = raster.width === shape.width ? raster.height : 1;
  const run = rows * raster.width * pixel;
  for (let at = 0, y = rect.top; y < rect.bottom; y += rows, at += run) {
    await readFully(decoding.handle, bytes.subarray(at, at + run), HEADER_BYTES + y * stride + rect.left * pixel);
  }
  return raster;
}

async function readFully(handle: FileHandle, into: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < into.length;) {
    const { bytesRead } = await handle.read(into, at, into.length - at, position + at);
    if (bytesRead === 0) throw new RangeError(`Expected decoded samples at byte ${position + at} of their file`);
    at += bytesRead;
  }
}
