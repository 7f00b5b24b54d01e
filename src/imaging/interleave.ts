/** Turns a slice whose planes stand one below the other into a slice with the samples of a pixel together. */
import { RejectedImageError } from '../errors.ts';
import type { PlaneStack } from '../tiff/plane-stack.ts';
import type { Arena } from './arena.ts';
import { decodeFailure } from './decode.ts';
import { colourspaceOf } from './encode.ts';
import { sharp } from './sharp.ts';

/**
 * An uncompressed TIFF of the picture, in memory of the arena. `slice` is a TIFF of the stack; `width` and `height` are the
 * picture's, in pixels. Throws RejectedImageError when a plane cannot be decoded, DeadlineExceededError when time is up.
 */
export async function interleavePlanes(
  slice: Uint8Array,
  stack: PlaneStack,
  { width, height, timeoutSeconds }: { width: number; height: number; timeoutSeconds: number },
  arena: Arena,
): Promise<Uint8Array> {
  const { planes, rowsApart, bitDepth, header } = stack;
  const rows = (planes - 1) * rowsApart + height;
  const bytesPerSample = bitDepth / 8;
  // A tile that cannot be decoded is black and a warning to libvips; the slice's own few fields give it no other cause.
  const pipeline = sharp(slice, { failOn: 'warning', limitInputPixels: width * rows })
    .timeout({ seconds: Math.min(3600, Math.max(1, Math.floor(timeoutSeconds))) })
    .toColourspace(colourspaceOf(1, bitDepth))
    .raw({ depth: bitDepth === 8 ? 'uchar' : 'ushort' });
  const decoded = arena.adopt(
    await pipeline.toBuffer().catch((error: unknown) => {
      throw decodeFailure(error);
    }),
  );
  if (decoded.length !== width * rows * bytesPerSample) {
    throw new RejectedImageError('CORRUPT_HEADER', `expected one sample a pixel in planes of ${width} × ${height}`);
  }
  const picture = arena.take(header.length + width * height * planes * bytesPerSample);
  picture.set(header);
  const samples = picture.subarray(header.length);
  for (let plane = 0; plane < planes; plane++) {
    const start = plane * rowsApart * width * bytesPerSample;
    const from = decoded.subarray(start, start + width * height * bytesPerSample);
    if (bitDepth === 8) spread(from, samples, plane, planes);
    else spreadWords(from, samples, plane, planes, stack.littleEndian);
  }
  return picture;
}

function spread(from: Uint8Array, samples: Uint8Array, plane: number, planes: number): void {
  for (let pixel = 0, at = plane; pixel < from.length; pixel++, at += planes) samples[at] = from[pixel] ?? 0;
}

/** Decoders give the machine's byte order, which is little-endian wherever this runs. */
function spreadWords(from: Uint8Array, samples: Uint8Array, plane: number, planes: number, little: boolean): void {
  const [low, high] = little ? [0, 1] : [1, 0];
  for (let byte = 0, at = plane * 2; byte < from.length; byte += 2, at += planes * 2) {
    samples[at + low] = from[byte] ?? 0;
    samples[at + high] = from[byte + 1] ?? 0;
  }
}
