import { MAX_KEY_BYTES } from '../limits.ts';
import type { Source } from './execution-input.ts';

/** Digits of a page number in a public key; MAX_PAGES has as many. */
const PAGE_DIGITS = 4;

/**
 * The public key of a master: its own key with the extension replaced by `.tif`, after the number
 * of a page: `book-0001.tif`. A leading dot does not start an extension.
 */
export function publishedKey({ key, page }: Pick<Source, 'key' | 'page'>): string {
  const number = page ? `-${String(page.number).padStart(PAGE_DIGITS, '0')}` : '';
  return `${key.replace(/(?<=[^/])\.[^./]*$/u, '')}${number}.tif`;
}

/** The key of the sidecar of a published pyramid. */
export function sidecarKey(published: string): string {
  return `${published}.json`;
}

/** Whether the key is not too long for S3, which counts bytes of UTF-8. */
export function isStorableKey(key: string): boolean {
  return new TextEncoder().encode(key).length <= MAX_KEY_BYTES;
}
