import { viewOf } from '../../bytes/views.ts';
import { type DirectFormat, signature } from '../format.ts';
import { describeLibvipsHeader, FIRST_READ_BYTES, readLibvipsHeader } from '../libvips-header.ts';
import { findInPng } from './metadata.ts';

/** PNG (W3C, third edition; ISO/IEC 15948). */
export const png = {
  kind: 'direct',
  name: 'png',
  title: 'PNG',
  matches: signature('\x89PNG\r\n\x1a\n'),
  async header(reader) {
    const header = await readLibvipsHeader(reader, FIRST_READ_BYTES);
    return describeLibvipsHeader('png', header, reader.size, isGreyPalette(header.start));
  },
  metadata: findInPng,
} as const satisfies DirectFormat;

/** Length of the signature. Bytes. */
const SIGNATURE_BYTES = 8;

/** Whether the palette of a PNG holds greys only; false if `start` contains no palette. */
function isGreyPalette(start: Uint8Array): boolean {
  const view = viewOf(start);
  for (let at = SIGNATURE_BYTES; at + 8 <= start.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...start.subarray(at + 4, at + 8));
    const data = start.subarray(at + 8, at + 8 + length);
    if (name === 'PLTE') return data.length === length && isGrey(data);
    if (name === 'IDAT') return false;
    at += 12 + length;
  }
  return false;
}

function isGrey(palette: Uint8Array): boolean {
  return palette.every((value, index) => value === palette[index - (index % 3)]);
}
