/** How this project's words are said to S3: quotes, encodings, conditions. */
import type { ObjectRef, WriteOptions } from '../object-store.ts';

export interface Address {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string | undefined;
}

export function addressOf({ bucket, key, versionId }: ObjectRef): Address {
  return versionId === undefined ? { Bucket: bucket, Key: key } : { Bucket: bucket, Key: key, VersionId: versionId };
}

/** What messages call an object: one line, whatever is in its key. */
export function nameOf({ bucket, key, versionId }: ObjectRef): string {
  return JSON.stringify(`${bucket}/${key}`) + (versionId === undefined ? '' : ` version ${versionId}`);
}

/** HTTP puts quotes around ETags; in this project they have none. */
export function quoted(etag: string): string;
export function quoted(etag: string | undefined): string | undefined;
export function quoted(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `"${etag}"`;
}

export function unquoted(etag: string | undefined, name: string): string {
  if (etag === undefined) throw new TypeError(`Expected an ETag for ${name} but received none`);
  return etag.replace(/^"(.*)"$/, '$1');
}

/** The x-amz-copy-source header: URL-encoded but for the slashes. */
export function copySource({ bucket, key, versionId }: ObjectRef): string {
  const path = [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
  return versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`;
}

/** An HTTP byte range, whose end is inclusive. `length` must be positive. */
export function byteRange(offset: number, length: number): string {
  return `bytes=${offset}-${Math.min(Number.MAX_SAFE_INTEGER, offset + length - 1)}`;
}

export function condition(over: WriteOptions['over']): { IfMatch?: string; IfNoneMatch?: string } {
  if (over === undefined) return {};
  return over === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: quoted(over.etag) };
}

/** Listed keys come URL-encoded, because XML cannot hold every character that a key can; a plus is a space. */
export function decodeListedKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
