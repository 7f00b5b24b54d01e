import { MAX_KEY_BYTES } from '../limits.ts';

/**
 * The public key of a master: its own key with the extension replaced by `.tif`. A leading dot does
 * not start an extension.
 */
export function publishedKey(sourceKey: string): string {
  return `${sourceKey.replace(/(?<=[^/])\.[^./]*$/u, '')}.tif`;
}

/** The key of the sidecar of a published pyramid. */
export function sidecarKey(published: string): string {
  return `${published}.json`;
}

/** Whether the key is not too long for S3, which counts bytes of UTF-8. */
export function isStorableKey(key: string): boolean {
  return new TextEncoder().encode(key).length <= MAX_KEY_BYTES;
}
