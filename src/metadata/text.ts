import { MAX_TEXT_LENGTH } from './bounds.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true });
/**
 * Windows-1252, the superset of Latin-1 that decoders use for Latin-1 (WHATWG Encoding, section
 * 4.2).
 */
const windows1252 = new TextDecoder('windows-1252');

/**
 * Decodes as UTF-8 if valid, otherwise as Latin-1: Exif and old IPTC fields declared as ASCII
 * contain both.
 */
export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return windows1252.decode(bytes);
  }
}

/**
 * Cuts at the first NUL, removes control characters except line breaks and tabs, trims, and cuts to
 * `max` UTF-16 code units.
 */
export function cleanText(text: string, max = MAX_TEXT_LENGTH): string {
  const end = text.indexOf('\0');
  const printable = (end < 0 ? text : text.slice(0, end)).replace(/\r\n?/gu, '\n').replace(controls, '');
  return cutText(printable.toWellFormed().trim(), max);
}

const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff]/gu;

/** The first `max` UTF-16 code units, without splitting a surrogate pair. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
