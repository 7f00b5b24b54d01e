import { RejectedImageError } from '../../errors.ts';
import { memoryReader } from '../../bytes/range-reader.ts';
import { assertWholeBmp, type BmpHeader, readBmpHeader, rowBytes } from './header.ts';
import { decodeRuns } from './rle.ts';
import { viewOf } from '../../bytes/views.ts';
import { type DecodedImage, samplesPerPixel } from '../decoded-image.ts';
import { newSamples, wideningTable } from '../samples.ts';

/**
 * Decodes a BMP of 1, 2, 4, 8, 16, 24 or 32 bits a pixel, with masks, RLE4 or RLE8, stored top-down
 * or bottom-up. A palette of greys decodes to one band, masks of more than 8 bits to 16-bit
 * samples. Alpha is decoded only where it has a mask. Throws RejectedImageError.
 */
export async function decodeBmp(bytes: Uint8Array): Promise<DecodedImage> {
  const header = await readBmpHeader(memoryReader(bytes));
  assertWholeBmp(header, bytes.length);
  const { shape, resolution, profile } = header;
  const data = newSamples(shape.width * shape.height * samplesPerPixel(shape), shape.bitDepth);
  const decodeRow = rowDecoder(header, bytes, data);
  for (let stored = 0; stored < shape.height; stored++) {
    decodeRow(stored, header.isTopDown ? stored : shape.height - 1 - stored);
  }
  const iccProfile = profile && bytes.slice(profile.at, profile.at + profile.length);
  return {
    ...shape,
    data,
    ...(iccProfile && iccProfile.length === profile.length ? { iccProfile } : {}),
    ...(resolution ? { resolution } : {}),
  };
}

/** Decodes a row, numbered in the order of storage, into row `y` of the picture. */
type RowDecoder = (stored: number, y: number) => void;

function rowDecoder(header: BmpHeader, bytes: Uint8Array, data: DecodedImage['data']): RowDecoder {
  if (header.bitsPerPixel <= 8) return paletteRows(header, bytes, data);
  return header.bitsPerPixel === 24 ? trueColourRows(header, bytes, data) : maskedRows(header, bytes, data);
}

function paletteRows(header: BmpHeader, bytes: Uint8Array, data: DecodedImage['data']): RowDecoder {
  const { shape, palette } = header;
  const { width, bands } = shape;
  const entries = palette.length / 3;
  const indexAt = indexReader(header, bytes);
  return (stored, y) => {
    let target = y * width * bands;
    for (let x = 0; x < width; x++) {
      const index = indexAt(x, stored);
      if (index >= entries) throw new RejectedImageError('CORRUPT_PIXELS', `the palette has no entry ${index}`);
      for (let band = 0; band < bands; band++) data[target++] = palette[3 * index + band] ?? 0;
    }
  };
}

function indexReader(header: BmpHeader, bytes: Uint8Array): (x: number, stored: number) => number {
  const { shape, bitsPerPixel, pixelsAt, coding } = header;
  if (coding !== 'none') {
    const indexes = decodeRuns(bytes.subarray(pixelsAt), shape.width, shape.height, coding === 'rle4' ? 4 : 8);
    return (x, stored) => indexes[stored * shape.width + x] ?? 0;
  }
  const row = rowBytes(header);
  const top = 2 ** bitsPerPixel - 1;
  return (x, stored) => {
    const bit = x * bitsPerPixel;
    const byte = bytes[pixelsAt + stored * row + (bit >> 3)] ?? 0;
    return (byte >> (8 - bitsPerPixel - (bit & 7))) & top;
  };
}

function trueColourRows(header: BmpHeader, bytes: Uint8Array, data: DecodedImage['data']): RowDecoder {
  const row = rowBytes(header);
  const { width } = header.shape;
  return (stored, y) => {
    let source = header.pixelsAt + stored * row;
    let target = y * width * 3;
    for (let x = 0; x < width; x++, source += 3) {
      data[target++] = bytes[source + 2] ?? 0;
      data[target++] = bytes[source + 1] ?? 0;
      data[target++] = bytes[source] ?? 0;
    }
  };
}

function maskedRows(header: BmpHeader, bytes: Uint8Array, data: DecodedImage['data']): RowDecoder {
  const { shape, masks, bitsPerPixel, pixelsAt } = header;
  const row = rowBytes(header);
  const view = viewOf(bytes);
  const fields = masks.map(({ shift, bits }) => ({
    shift,
    top: 2 ** bits - 1,
    wide: wideningTable(bits, shape.bitDepth),
  }));
  return (stored, y) => {
    let source = pixelsAt + stored * row;
    let target = y * shape.width * fields.length;
    for (let x = 0; x < shape.width; x++, source += bitsPerPixel / 8) {
      const pixel = bitsPerPixel === 16 ? view.getUint16(source, true) : view.getUint32(source, true);
      for (const { shift, top, wide } of fields) data[target++] = wide[(pixel >>> shift) & top] ?? 0;
    }
  };
}
