import { MAX_KEY_BYTES } from '../limits.ts';

/** The public key of a master: its own without the extension, and `.tif`. A dot that begins a name begins no extension. */
export function publishedKey(sourceKey: string): string {
  return `${sourceKey.replace(/(?<=[^/])\.[^./]*$/u, '')}.tif`;
}

/** Beside a published pyramid, what is known of it. */
export function sidecarKey(published: string): string {
  return `${published}.json`;
}

/** May an object have this key? S3 counts bytes of UTF-8. */
export function isStorableKey(key: string): boolean {
  return new TextEncoder().encode(key).length <= MAX_KEY_BYTES;
}
