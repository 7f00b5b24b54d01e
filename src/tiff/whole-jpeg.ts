/**
 * JPEG tiles as files of their own. The tiles of a TIFF are abbreviated streams: their tables are
 * in JPEGTables (TIFF Technical Note 2).
 */
import { MalformedTiffError } from '../errors.ts';
import { Compression, Photometric } from './tags.ts';
import type { TileEncoding } from './pyramid-fields.ts';

const SOI = [0xff, 0xd8] as const;

/** JFIF 1.01 without a resolution (ITU-T T.871, section 10.1): grey or YCbCr. */
const JFIF = [0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0] as const;

/** APP14 of Adobe with transform 0, which says that three components are RGB. */
const ADOBE_RGB = [0xff, 0xee, 0, 14, 0x41, 0x64, 0x6f, 0x62, 0x65, 0, 100, 0, 0, 0, 0, 0] as const;

/** Bytes of a profile in one APP2 segment (ICC.1:2022, annex B.4). */
const ICC_PART_BYTES = 65_519;

/**
 * What stands before an abbreviated tile without its SOI marker to make it a whole JPEG: SOI, the
 * colour space, a profile, and the tables. Undefined where tiles are not JPEG or have no tables.
 */
export function wholeJpegStart(encoding: TileEncoding, iccProfile: Uint8Array | undefined): Uint8Array | undefined {
  const { compression, photometric, jpegTables } = encoding;
  if (compression !== Compression.jpeg || jpegTables === undefined) return undefined;
  const tables = Uint8Array.from(atob(jpegTables), (character) => character.charCodeAt(0));
  const isWhole = startsJpeg(tables) && tables.at(-2) === 0xff && tables.at(-1) === 0xd9;
  if (!isWhole) return undefined;
  const colours = photometric === Photometric.rgb ? ADOBE_RGB : JFIF;
  return Uint8Array.from([...SOI, ...colours, ...profileSegments(iccProfile), ...tables.subarray(2, -2)]);
}

/** Whether the bytes begin with the SOI marker of a JPEG. */
export function startsJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === SOI[0] && bytes[1] === SOI[1];
}

function profileSegments(profile: Uint8Array = new Uint8Array()): number[] {
  const parts = Math.ceil(profile.length / ICC_PART_BYTES);
  return Array.from({ length: parts }, (_, part) => {
    const bytes = profile.subarray(part * ICC_PART_BYTES, (part + 1) * ICC_PART_BYTES);
    const length = bytes.length + 16;
    const name = Array.from('ICC_PROFILE\0', (character) => character.charCodeAt(0));
    return [0xff, 0xe2, length >> 8, length & 0xff, ...name, part + 1, parts, ...bytes];
  }).flat();
}

const SOF0 = 0xc0;
const SOS = 0xda;

/**
 * A tile as a JPEG of `width` × `height` pixels, less than one MCU smaller than it is: decoders
 * ignore what is beyond. `start` is that of `wholeJpegStart`. The pieces share the memory of the
 * arguments, but for the frame header.
 */
export function sizedJpeg(
  start: Uint8Array,
  tile: Uint8Array,
  { width, height }: { readonly width: number; readonly height: number },
): readonly Uint8Array[] {
  const at = frameHeader(tile);
  const header = Uint8Array.from(tile.subarray(2, at + 9));
  const view = new DataView(header.buffer);
  view.setUint16(at + 3, height);
  view.setUint16(at + 5, width);
  return [start, header, tile.subarray(at + 9)];
}

/** Offset of the SOF0 marker (ITU-T T.81, annex B.2.2). */
function frameHeader(tile: Uint8Array): number {
  const view = new DataView(tile.buffer, tile.byteOffset, tile.byteLength);
  for (let at = 2; at + 9 < tile.length && tile[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    if (tile[at + 1] === SOF0) return at;
    if (tile[at + 1] === SOS) break;
  }
  throw new MalformedTiffError('Expected a baseline frame header in a JPEG tile');
}
