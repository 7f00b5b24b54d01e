import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';
import { type DirectFormat, type Identified, signature } from '../format.ts';
import { assertStill, describeLibvipsHeader, FIRST_READ_BYTES, readLibvipsHeader } from '../libvips-header.ts';
import { readHeaderChunks } from './header-chunks.ts';
import { findInPng } from './metadata.ts';

/** PNG (W3C, third edition; ISO/IEC 15948). */
export const png = {
  kind: 'direct',
  name: 'png',
  title: 'PNG',
  matches: signature('\x89PNG\r\n\x1a\n'),
  header: readPngHeader,
  isWhole: hasPngEnd,
  metadata: findInPng,
} as const satisfies DirectFormat;

async function readPngHeader(reader: RangeReader): Promise<Identified> {
  const chunks = await readHeaderChunks(reader, ['PLTE', 'acTL']);
  const animation = chunks.get('acTL');
  if (animation && animation.length >= 4) assertStill(viewOf(animation).getUint32(0));
  const header = await readLibvipsHeader(reader, FIRST_READ_BYTES, hasPngEnd);
  const palette = chunks.get('PLTE');
  return describeLibvipsHeader('png', header, reader.size, palette !== undefined && isGrey(palette));
}

function isGrey(palette: Uint8Array): boolean {
  return palette.every((value, index) => value === palette[index - (index % 3)]);
}

/** Bytes after the end of the image in which its last chunk is looked for. */
const TAIL_BYTES = 65_536;

/** Whether the chunk IEND is there, which is empty and the last one. */
async function hasPngEnd(reader: RangeReader): Promise<boolean> {
  const start = Math.max(0, reader.size - TAIL_BYTES);
  return latin1(await reader.read(start, TAIL_BYTES)).includes('\0\0\0\0IEND');
}
