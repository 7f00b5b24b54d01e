import { MAX_TEXT } from './bounds.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** The superset of Latin-1 that its users mean (WHATWG Encoding, section 4.2). */
const windows1252 = new TextDecoder('windows-1252');

/** UTF-8 where the bytes are, otherwise Latin-1: Exif and old IPTC claim ASCII and hold both. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return windows1252.decode(bytes);
  }
}

/** Up to the first NUL, without control characters (but line breaks and tabs) and outer blanks, at most `max` long. */
export function cleanText(text: string, max = MAX_TEXT): string {
  const end = text.indexOf('\0');
  const printable = (end < 0 ? text : text.slice(0, end)).replace(/\r\n?/gu, '\n').replace(controls, '');
  return cutText(printable.toWellFormed().trim(), max);
}

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/gu;

/** The first `max` code units, no character cut in two. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
