import { memoryReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import { findPhotoshopResource } from '../../metadata/photoshop.ts';
import type { DecodedImage } from '../decoded-image.ts';
import { unsupported } from '../header-bytes.ts';
import { newSamples } from '../samples.ts';
import { type PsdHeader, readPsdHeader } from './header.ts';

/** Number of the resource that has the ICC profile. */
const PROFILE = 1_039;

/**
 * Decodes the flattened picture: grey, RGB, palettes and bitmaps, raw or run-length coded.
 * Photoshop stores it on white, so its opacity is not needed. Throws RejectedImageError.
 */
export async function decodePsd(bytes: Uint8Array): Promise<DecodedImage> {
  const reader = memoryReader(bytes);
  const header = await readPsdHeader(reader);
  const { shape, resources, resolution } = header;
  const block = bytes.subarray(resources.offset, resources.offset + resources.length);
  const profile = await findPhotoshopResource(memoryReader(block), PROFILE).catch(() => undefined);
  const data = newSamples(shape.width * shape.height * shape.bands, shape.bitDepth);
  decodeRows(header, bytes, data);
  return {
    ...shape,
    data,
    ...(profile ? { iccProfile: Uint8Array.from(await profile.read(0, profile.size)) } : {}),
    ...(resolution ? { resolution } : {}),
  };
}

/** Planes follow each other, each of them row by row. */
function decodeRows(header: PsdHeader, bytes: Uint8Array, data: DecodedImage['data']): void {
  const { shape, palette, bits } = header;
  const planes = palette ? 1 : shape.bands;
  const rowOf = rowReader(header, bytes);
  for (let plane = 0; plane < planes; plane++) {
    for (let y = 0; y < shape.height; y++) {
      const row = rowOf(plane * shape.height + y);
      const start = y * shape.width * shape.bands;
      if (palette) spreadColours(row, palette, data, start);
      else if (bits === 1) spreadBits(row, shape.width, data, start);
      else if (bits === 8) for (let x = 0; x < shape.width; x++) data[start + x * shape.bands + plane] = row[x] ?? 0;
      else spreadWide(row, data, { start: start + plane, step: shape.bands });
    }
  }
}

/** Bit 1 is black. */
function spreadBits(row: Uint8Array, width: number, data: DecodedImage['data'], start: number): void {
  for (let x = 0; x < width; x++) data[start + x] = ((row[x >> 3] ?? 0) >> (7 - (x & 7))) & 1 ? 0 : 255;
}

function spreadColours(row: Uint8Array, palette: Uint8Array, data: DecodedImage['data'], start: number): void {
  for (const [x, index] of row.entries()) {
    for (let band = 0; band < 3; band++) data[start + 3 * x + band] = palette[256 * band + index] ?? 0;
  }
}

function spreadWide(
  row: Uint8Array,
  data: DecodedImage['data'],
  { start, step }: { readonly start: number; readonly step: number },
): void {
  const view = viewOf(row);
  for (let x = 0; 2 * x < row.length; x++) data[start + x * step] = view.getUint16(2 * x);
}

/** Reads stored rows by their number, in the order of storage or later ones. */
type RowReader = (stored: number) => Uint8Array;

const RAW = 0;
const RUNS = 1;

function rowReader(header: PsdHeader, bytes: Uint8Array): RowReader {
  const { shape, bits, pictureAt } = header;
  const rowBytes = Math.ceil((shape.width * bits) / 8);
  const start = pictureAt + 2;
  if (start > bytes.length) throw cutShort(bytes);
  const coding = viewOf(bytes).getUint16(pictureAt);
  if (coding === RUNS) return runReader(header, bytes, { start, rowBytes });
  if (coding !== RAW) throw unsupported(`a Photoshop document of compression ${coding}`);
  return (stored) => {
    const at = start + stored * rowBytes;
    if (at + rowBytes > bytes.length) throw cutShort(bytes);
    return bytes.subarray(at, at + rowBytes);
  };
}

/** A table of the lengths of all rows of all channels precedes the rows. */
function runReader(
  { shape, channels, lengthBytes }: PsdHeader,
  bytes: Uint8Array,
  { start, rowBytes }: { readonly start: number; readonly rowBytes: number },
): RowReader {
  const view = viewOf(bytes);
  const rows = shape.height * channels;
  let next = 0;
  let at = start + rows * lengthBytes;
  if (at > bytes.length) throw cutShort(bytes);
  const unpacked = new Uint8Array(rowBytes);
  const lengthOf = (row: number): number =>
    lengthBytes === 2 ? view.getUint16(start + 2 * row) : view.getUint32(start + 4 * row);
  return (stored) => {
    for (; next < stored; next++) at += lengthOf(next);
    const end = at + lengthOf(stored);
    if (end > bytes.length) throw cutShort(bytes);
    unpackRow(bytes.subarray(at, end), unpacked, stored);
    return unpacked;
  };
}

/** PackBits (TIFF 6.0, section 9). */
function unpackRow(packed: Uint8Array, row: Uint8Array, number: number): void {
  let to = 0;
  for (let at = 0; at < packed.length && to < row.length;) {
    const code = packed[at++] ?? 0;
    if (code === 128) continue;
    const count = Math.min(code < 128 ? code + 1 : 257 - code, row.length - to);
    if (code < 128) {
      row.set(packed.subarray(at, at + count), to);
      if (at + count > packed.length) break;
      at += code + 1;
    } else row.fill(packed[at++] ?? 0, to, to + count);
    to += count;
  }
  if (to < row.length)
    throw new RejectedImageError('CORRUPT_PIXELS', `row ${number} ends after ${to} of ${row.length} bytes`);
}

function cutShort(bytes: Uint8Array): RejectedImageError {
  return new RejectedImageError('TRUNCATED', `the file ends at byte ${bytes.length}, within its flattened picture`);
}
