/** The segments of a JPEG file (ITU-T T.81, annex B) from its start to its first scan. */
import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import type { ByteRange } from '../../metadata/bounded-reader.ts';

/** Segments before the first scan that are walked; real files have a few hundred at most. */
const MAX_SEGMENTS = 4_096;
/** Bytes between two segments that are skipped. */
const MAX_STRAY_BYTES = 65_536;
/** Enough for a marker and a frame header without its components. Bytes. */
const SEGMENT_START_BYTES = 10;

const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;
const FILL = 0xff;

/** Frame header: SOFn, or that of JPEG-LS. */
export interface JpegFrame {
  readonly marker: number;
  /** Bits of a sample. */
  readonly precision: number;
  /** 0 where it is stated after the first scan. */
  readonly height: number;
  readonly width: number;
}

export interface JpegStructure {
  readonly frame: JpegFrame | undefined;
  /** Bytes between segments that belong to none and are no fill bytes. */
  readonly stray: readonly ByteRange[];
  /** Offset of the marker of the first scan, if there is one. */
  readonly scanAt: number | undefined;
}

/** Frame headers: SOF0 to SOF15 but DHT, JPG and DAC, and SOF55 (ITU-T T.87, JPEG-LS). */
function isFrame(marker: number): boolean {
  return (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) || marker === 0xf7;
}

/** Markers without a segment: TEM, RST0 to RST7, SOI. */
function standsAlone(marker: number): boolean {
  return marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

/** Walks the segments as far as they can be followed; never throws for malformed ones. */
export async function readJpegStructure(reader: RangeReader): Promise<JpegStructure> {
  const stray: ByteRange[] = [];
  let frame: JpegFrame | undefined;
  let at = 2;
  for (let walked = 0; walked < MAX_SEGMENTS; walked++) {
    const next = await findMarker(reader, at);
    if (next === undefined) break;
    const gap = await reader.read(at, next - at);
    if (!gap.every((byte) => byte === FILL)) stray.push({ offset: at, length: next - at });
    const bytes = await reader.read(next, SEGMENT_START_BYTES);
    const marker = bytes[1] ?? 0;
    if (marker === START_OF_SCAN) return { frame, stray, scanAt: next };
    if (marker === END_OF_IMAGE || bytes.length < 4) break;
    if (isFrame(marker) && bytes.length === SEGMENT_START_BYTES) frame ??= frameOf(marker, bytes);
    at = next + 2 + (standsAlone(marker) ? 0 : viewOf(bytes).getUint16(2));
  }
  return { frame, stray, scanAt: undefined };
}

function frameOf(marker: number, bytes: Uint8Array): JpegFrame {
  const view = viewOf(bytes);
  return { marker, precision: view.getUint8(4), height: view.getUint16(5), width: view.getUint16(7) };
}

/** Offset of the next byte 0xff that a marker follows, fill bytes skipped. */
async function findMarker(reader: RangeReader, start: number): Promise<number | undefined> {
  const near = await reader.read(start, 2);
  if (isMarker(near, 0)) return start;
  const bytes = await reader.read(start, MAX_STRAY_BYTES);
  for (let at = 0; at + 1 < bytes.length; at++) if (isMarker(bytes, at)) return start + at;
  return undefined;
}

function isMarker(bytes: Uint8Array, at: number): boolean {
  const marker = bytes[at + 1];
  return bytes[at] === FILL && marker !== undefined && marker !== 0 && marker !== FILL;
}

/** The file with fill bytes in place of stray ones: decoders skip those without a warning. */
export function withFillBytes(reader: RangeReader, stray: readonly ByteRange[]): RangeReader {
  if (stray.length === 0) return reader;
  return {
    size: reader.size,
    async read(offset, length) {
      const bytes = await reader.read(offset, length);
      const filled = Uint8Array.from(bytes);
      for (const range of stray) {
        const start = Math.max(0, range.offset - offset);
        filled.fill(FILL, start, Math.max(start, range.offset + range.length - offset));
      }
      return filled;
    },
  };
}

/** Bytes after the end of the image in which its end marker is looked for. */
const TAIL_BYTES = 4_096;
/** Size of the reads of coded pixels. Bytes. */
const READ_BYTES = 2 ** 20;

/**
 * Whether the end marker of the image is there: at the end of the file, or after scans that can be
 * followed to it.
 */
export async function hasJpegEnd(reader: RangeReader): Promise<boolean> {
  const start = Math.max(0, reader.size - TAIL_BYTES);
  const tail = await reader.read(start, TAIL_BYTES);
  let last = tail.length;
  while (last > 0 && [0, 0x0a, 0x0d, 0x20].includes(tail[last - 1] ?? 1)) last--;
  if (tail[last - 2] === FILL && tail[last - 1] === END_OF_IMAGE) return true;
  const { scanAt } = await readJpegStructure(reader);
  return scanAt !== undefined && findsEnd(reader, scanAt);
}

/** Follows scans and the segments between them. */
async function findsEnd(reader: RangeReader, scanAt: number): Promise<boolean> {
  let at = scanAt;
  while (at + 2 <= reader.size) {
    const bytes = await reader.read(at, READ_BYTES);
    const found = bytes.findIndex((_, index) => isMarker(bytes, index) && !isRestart(bytes[index + 1] ?? 0));
    if (found < 0) {
      // The last byte may begin a marker.
      at += Math.max(1, bytes.length - 1);
      continue;
    }
    if (bytes[found + 1] === END_OF_IMAGE) return true;
    const length = viewOf(await reader.read(at + found, 4));
    if (length.byteLength < 4) return false;
    at += found + 2 + length.getUint16(2);
  }
  return false;
}

function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}
