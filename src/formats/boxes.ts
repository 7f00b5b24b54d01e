/**
 * Boxes of the ISO base media file format (ISO/IEC 14496-12, section 4.2), which JP2 and HEIF files
 * consist of.
 */
import type { RangeReader } from '../bytes/range-reader.ts';
import { viewOf } from '../bytes/views.ts';
import { RejectedImageError } from '../errors.ts';
import { corrupt, textOf } from './header-bytes.ts';

export interface Box {
  /** Four characters. */
  readonly type: string;
  /** Offset of the first byte of the content. */
  readonly start: number;
  /** Offset of the byte after the content. */
  readonly end: number;
}

/** The content of boxes in words, for messages. */
const titles: Readonly<Record<string, string>> = {
  ftyp: 'file type',
  meta: 'metadata',
  pitm: 'primary item',
  iinf: 'item list',
  infe: 'item entry',
  iloc: 'item locations',
  iref: 'item references',
  iprp: 'item properties',
  ipco: 'property list',
  ipma: 'property associations',
  ispe: 'image size',
  pixi: 'bits of samples',
  hvcC: 'decoder configuration',
  av1C: 'decoder configuration',
  clap: 'crop',
  irot: 'rotation',
  imir: 'mirroring',
  auxC: 'auxiliary type',
  colr: 'colour',
  idat: 'item data',
  mdat: 'image data',
  jp2h: 'JP2 header',
  ihdr: 'image header',
  bpcc: 'bits of components',
  pclr: 'palette',
  cmap: 'component mapping',
  cdef: 'channel definition',
  'res ': 'resolution',
  resc: 'resolution',
  resd: 'resolution',
  jp2c: 'codestream',
  uuid: 'extension',
};

/** A box in words: its four characters mean nothing to readers of a message. */
export function boxTitle(type: string): string {
  const title = titles[type];
  return title === undefined ? 'a box of another type' : `the ${title} box`;
}

/** Boxes of one level; real files have a few dozen. */
const MAX_BOXES = 4_096;
/** Content of a box that is read as a whole. Bytes. */
const MAX_CONTENT_BYTES = 16 * 2 ** 20;

/**
 * Reads the headers of the boxes between two offsets, in order. Throws RejectedImageError:
 * TRUNCATED when a box ends after the end of the file, CORRUPT_HEADER when it ends after `end`.
 */
export async function readBoxes(reader: RangeReader, start: number, end: number): Promise<Box[]> {
  const boxes: Box[] = [];
  for (let at = start; at + 8 <= end;) {
    const header = viewOf(await reader.read(at, Math.min(16, end - at)));
    const type = textOf(header, 4);
    const { length, headerBytes } = boxLength(header, at, end);
    if (length < headerBytes) throw corrupt(`Expected a length for ${boxTitle(type)} at byte ${at}`, length);
    const box = { type, start: at + headerBytes, end: at + length };
    if (box.end > reader.size) {
      throw new RejectedImageError(
        'TRUNCATED',
        `${boxTitle(type)} ends at byte ${box.end}, the file has ${reader.size}`,
      );
    }
    if (box.end > end) throw corrupt(`Expected ${boxTitle(type)} to end by byte ${end}`, box.end);
    boxes.push(box);
    if (boxes.length > MAX_BOXES) throw corrupt(`Expected at most ${MAX_BOXES} boxes`, 'more');
    at = box.end;
  }
  return boxes;
}

function boxLength(header: DataView, at: number, end: number): { length: number; headerBytes: number } {
  const length = header.getUint32(0);
  // A box of length zero extends to the end of the file.
  if (length === 0) return { length: end - at, headerBytes: 8 };
  if (length !== 1) return { length, headerBytes: 8 };
  if (header.byteLength < 16) throw corrupt('Expected 16 bytes of box header', header.byteLength);
  return { length: Number(header.getBigUint64(8)), headerBytes: 16 };
}

/** Reads the content of a box. Throws RejectedImageError when it has fewer than `least` bytes. */
export async function readContent(reader: RangeReader, box: Box, least: number): Promise<DataView> {
  const length = box.end - box.start;
  if (length < least) throw corrupt(`Expected ${least} bytes in ${boxTitle(box.type)}`, length);
  if (length > MAX_CONTENT_BYTES)
    throw corrupt(`Expected at most ${MAX_CONTENT_BYTES} bytes in ${boxTitle(box.type)}`, length);
  const bytes = await reader.read(box.start, length);
  if (bytes.length < length) throw new RejectedImageError('TRUNCATED', `${boxTitle(box.type)} is cut short`);
  return viewOf(bytes);
}
