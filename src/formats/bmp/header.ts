/** The header of a Windows or OS/2 bitmap (Microsoft, "Bitmap Storage"). Little-endian. */
import { RejectedImageError } from '../../errors.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { corrupt, textOf, unsupported, withinBytes } from '../header-bytes.ts';
import type { ImageShape, PixelDensity } from '../decoded-image.ts';

/** Bits of one colour in a pixel of 16 or 32 bits. */
export interface Mask {
  readonly shift: number;
  readonly bits: number;
}

export type BmpCoding = 'none' | 'rle4' | 'rle8';

export interface BmpHeader {
  readonly shape: ImageShape;
  readonly bitsPerPixel: 1 | 2 | 4 | 8 | 16 | 24 | 32;
  readonly coding: BmpCoding;
  /** Rows are stored from the top. */
  readonly isTopDown: boolean;
  /** Offset of the first stored row. Bytes. */
  readonly pixelsAt: number;
  /** Red, green and blue of each entry; empty for more than 8 bits a pixel. */
  readonly palette: Uint8Array;
  /** Red, green, blue, and alpha where it has a mask; empty but for 16 and 32 bits a pixel. */
  readonly masks: readonly Mask[];
  readonly resolution: PixelDensity | undefined;
  readonly profile: { readonly at: number; readonly length: number } | undefined;
}

const FILE_HEADER = 14;
/**
 * Enough for the file header, the longest DIB header, three masks and a palette of 256 entries.
 * Bytes.
 */
const HEADER_BYTES = 2_048;

const encodings: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'rle8',
  2: 'rle4',
  3: 'none',
  4: 'a JPEG image within a BMP',
  5: 'a PNG image within a BMP',
  6: 'none',
  11: 'the colour model is CMYK',
  12: 'the colour model is CMYK',
  13: 'the colour model is CMYK',
};
const BITFIELDS = 3;
const ALPHA_BITFIELDS = 6;

/** Reads the header of a BMP in one ranged read. Throws RejectedImageError. */
export async function readBmpHeader(reader: RangeReader): Promise<BmpHeader> {
  const bytes = await reader.read(0, HEADER_BYTES);
  return withinBytes('the BMP header', () => parseHeader(viewOf(bytes)), bytes.length < HEADER_BYTES);
}

function parseHeader(view: DataView): BmpHeader {
  const length = view.getUint32(FILE_HEADER, true);
  const info = infoOf(view, length);
  const { width, height, bitsPerPixel, compression } = info;
  if (width < 1 || height === 0) throw corrupt('Expected at least one pixel', `${width} × ${height}`);
  const coding = codingOf(compression, bitsPerPixel);
  const palette = bitsPerPixel <= 8 ? readPalette(view, length, bitsPerPixel, info.colours) : new Uint8Array();
  const masks = bitsPerPixel === 16 || bitsPerPixel === 32 ? readMasks(view, length, bitsPerPixel, compression) : [];
  const isGrey = bitsPerPixel <= 8 && isGreyPalette(palette);
  return {
    shape: {
      width,
      height: Math.abs(height),
      bands: isGrey ? 1 : 3,
      alpha: masks.length === 4,
      bitDepth: masks.some(({ bits }) => bits > 8) ? 16 : 8,
    },
    bitsPerPixel,
    coding,
    isTopDown: height < 0,
    pixelsAt: view.getUint32(10, true),
    palette,
    masks,
    resolution: info.resolution,
    profile: embeddedProfile(view, length),
  };
}

interface Info {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: BmpHeader['bitsPerPixel'];
  readonly compression: number;
  readonly colours: number;
  readonly resolution: PixelDensity | undefined;
}

function coreInfo(view: DataView): Info {
  return {
    width: view.getUint16(18, true),
    height: view.getUint16(20, true),
    bitsPerPixel: pixelBits(view.getUint16(24, true)),
    compression: 0,
    colours: 0,
    resolution: undefined,
  };
}

const windowsLengths: readonly number[] = [40, 52, 56, 108, 124];
/** Lengths of the header of OS/2 2.x, whose last fields may be left out. */
const os2Lengths = { least: 16, most: 64 };

function infoOf(view: DataView, length: number): Info {
  if (length === 12) return coreInfo(view);
  if (windowsLengths.includes(length)) return windowsInfo(view);
  if (length >= os2Lengths.least && length <= os2Lengths.most) return os2Info(view, length);
  throw unsupported(`a BMP with a header of ${length} bytes`);
}

/**
 * BITMAPINFOHEADER2 of OS/2 2.x ("Bitmap File Format", OS/2 Presentation Manager Reference): the
 * fields of Windows at the same offsets, as far as the header reaches, and other compressions.
 */
function os2Info(view: DataView, length: number): Info {
  const whole = new Uint8Array(FILE_HEADER + os2Lengths.most);
  for (let at = 0; at < FILE_HEADER + length; at++) whole[at] = view.getUint8(at);
  const info = windowsInfo(viewOf(whole));
  const { compression, bitsPerPixel } = info;
  if (compression === 3 && bitsPerPixel === 1) throw unsupported('Huffman coding within a BMP of OS/2');
  if (compression === 4 && bitsPerPixel === 24) throw unsupported('run lengths of 24 bits within a BMP of OS/2');
  if (compression > 2) throw corrupt('Expected a compression of OS/2', compression);
  // Its resolution has a unit of its own, which few programs write.
  return { ...info, resolution: undefined };
}

function windowsInfo(view: DataView): Info {
  const x = view.getInt32(38, true) / 100;
  const y = view.getInt32(42, true) / 100;
  return {
    width: view.getInt32(18, true),
    height: view.getInt32(22, true),
    bitsPerPixel: pixelBits(view.getUint16(28, true)),
    compression: view.getUint32(30, true),
    colours: view.getUint32(46, true),
    resolution: x > 0 && y > 0 ? { x, y, unit: 'centimetre' } : undefined,
  };
}

function pixelBits(bits: number): BmpHeader['bitsPerPixel'] {
  if (bits === 1 || bits === 2 || bits === 4 || bits === 8 || bits === 16 || bits === 24 || bits === 32) return bits;
  throw corrupt('Expected 1, 2, 4, 8, 16, 24 or 32 bits a pixel', bits);
}

function codingOf(compression: number, bitsPerPixel: number): BmpCoding {
  const coding = encodings[compression];
  if (coding === undefined) throw corrupt('Expected a BMP compression', compression);
  if (coding !== 'none' && coding !== 'rle4' && coding !== 'rle8') throw unsupported(coding);
  const wanted = coding === 'rle4' ? 4 : coding === 'rle8' ? 8 : bitsPerPixel;
  if (wanted !== bitsPerPixel) throw corrupt(`Expected ${wanted} bits a pixel under ${coding}`, bitsPerPixel);
  return coding;
}

function readPalette(view: DataView, length: number, bitsPerPixel: number, colours: number): Uint8Array {
  const isCore = length === 12;
  const most = 2 ** bitsPerPixel;
  const count = colours === 0 ? most : Math.min(colours, most);
  const step = isCore ? 3 : 4;
  const start = FILE_HEADER + length;
  const palette = new Uint8Array(3 * count);
  for (let entry = 0; entry < count; entry++) {
    const at = start + entry * step;
    palette.set([view.getUint8(at + 2), view.getUint8(at + 1), view.getUint8(at)], 3 * entry);
  }
  return palette;
}

function isGreyPalette(palette: Uint8Array): boolean {
  for (let at = 0; at < palette.length; at += 3) {
    if (palette[at] !== palette[at + 1] || palette[at] !== palette[at + 2]) return false;
  }
  return true;
}

/** Without BITFIELDS a colour has 5 bits of 16, or 8 bits of 32, whose fourth byte is undefined. */
function readMasks(view: DataView, length: number, bitsPerPixel: 16 | 32, compression: number): Mask[] {
  if (compression !== BITFIELDS && compression !== ALPHA_BITFIELDS) {
    const bits = bitsPerPixel === 16 ? 5 : 8;
    return [2, 1, 0].map((position) => ({ shift: position * bits, bits }));
  }
  const hasAlpha = compression === ALPHA_BITFIELDS || length >= 56;
  // The masks follow a header of 40 bytes, and have the same offset within longer headers.
  const values = Array.from({ length: hasAlpha ? 4 : 3 }, (_, index) => view.getUint32(54 + 4 * index, true));
  const colours = values.slice(0, 3).map(maskOf);
  const alpha = values[3] ? [maskOf(values[3])] : [];
  return [...colours, ...alpha];
}

function maskOf(mask: number): Mask {
  const shift = 31 - Math.clz32(mask & -mask);
  const bits = 32 - Math.clz32(mask) - shift;
  const isRun = mask !== 0 && mask >>> shift === 2 ** bits - 1;
  if (!isRun || bits > 16) throw corrupt('Expected a mask of 1 to 16 adjoining bits', `0x${mask.toString(16)}`);
  return { shift, bits };
}

/**
 * The profile that a BITMAPV5HEADER embeds; a profile that it links to in another file is ignored.
 */
function embeddedProfile(view: DataView, length: number): BmpHeader['profile'] {
  if (length !== 124 || textOf(view, FILE_HEADER + 56) !== 'DEBM') return undefined;
  const at = FILE_HEADER + view.getUint32(FILE_HEADER + 112, true);
  return { at, length: view.getUint32(FILE_HEADER + 116, true) };
}

/** Length of an uncompressed row, a multiple of 4. Bytes. */
export function rowBytes({ shape, bitsPerPixel }: BmpHeader): number {
  return Math.ceil((shape.width * bitsPerPixel) / 32) * 4;
}

/** Throws RejectedImageError when the file ends before its uncompressed rows do. */
export function assertWholeBmp(header: BmpHeader, fileBytes: number): void {
  const end = header.pixelsAt + (header.coding === 'none' ? rowBytes(header) * header.shape.height : 2);
  if (end > fileBytes)
    throw new RejectedImageError('TRUNCATED', `its rows end at byte ${end}, the file has ${fileBytes}`);
}
