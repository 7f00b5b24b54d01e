/** Converts a slice of separate planes, stored one below the other, to interleaved samples. */
import { RejectedImageError } from '../errors.ts';
import type { PlaneStack } from '../tiff/plane-stack.ts';
import type { Arena } from './arena.ts';
import { decodeFailure } from './decode-errors.ts';
import { colourspaceOf } from './encode.ts';
import { sharp } from './sharp.ts';

/**
 * Returns an uncompressed TIFF with interleaved samples, in memory of the arena. `slice` is a TIFF
 * of the stacked planes; `width` and `height` are those of the image, in pixels. Throws
 * RejectedImageError when a plane cannot be decoded, DeadlineExceededError when the timeout
 * expires.
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
  // libvips reports a tile that cannot be decoded as a warning and leaves it black. The few tags of
  // the slice cause no other warnings.
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
    if (bitDepth === 8) interleaveBytes(from, samples, plane, planes);
    else interleaveWords(from, samples, plane, planes, stack.littleEndian);
  }
  return picture;
}

function interleaveBytes(from: Uint8Array, samples: Uint8Array, plane: number, planes: number): void {
  for (let pixel = 0, at = plane; pixel < from.length; pixel++, at += planes) samples[at] = from[pixel] ?? 0;
}

/**
 * Decoded samples are in the machine's byte order, which is little-endian on all supported
 * platforms.
 */
function interleaveWords(from: Uint8Array, samples: Uint8Array, plane: number, planes: number, little: boolean): void {
  const [low, high] = little ? [0, 1] : [1, 0];
  for (let byte = 0, at = plane * 2; byte < from.length; byte += 2, at += planes * 2) {
    samples[at + low] = from[byte] ?? 0;
    samples[at + high] = from[byte + 1] ?? 0;
  }
}
