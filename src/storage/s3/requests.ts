/** Fields of S3 requests: addresses, ETag quotes, encodings, conditions. */
import type { ObjectRef, WriteOptions } from '../object-store.ts';

export interface Address {
  readonly Bucket: string;
  readonly Key: string;
  readonly VersionId?: string | undefined;
}

export function addressOf({ bucket, key, versionId }: ObjectRef): Address {
  return versionId === undefined ? { Bucket: bucket, Key: key } : { Bucket: bucket, Key: key, VersionId: versionId };
}

/** The name of an object in messages, on one line for any key. */
export function nameOf({ bucket, key, versionId }: ObjectRef): string {
  return JSON.stringify(`${bucket}/${key}`) + (versionId === undefined ? '' : ` version ${versionId}`);
}

/** Adds the quotes that ETags have in HTTP; elsewhere in this project ETags have none. */
export function quoted(etag: string): string;
export function quoted(etag: string | undefined): string | undefined;
export function quoted(etag: string | undefined): string | undefined {
  return etag === undefined ? undefined : `"${etag}"`;
}

export function unquoted(etag: string | undefined, name: string): string {
  if (etag === undefined) throw new TypeError(`Expected an ETag for ${name} but received none`);
  return etag.replace(/^"(.*)"$/, '$1');
}

/** The x-amz-copy-source header: URL-encoded except for the slashes. */
export function copySource({ bucket, key, versionId }: ObjectRef): string {
  const path = [bucket, ...key.split('/')].map(encodeURIComponent).join('/');
  return versionId === undefined ? path : `${path}?versionId=${encodeURIComponent(versionId)}`;
}

/** An HTTP Range header value; its end is inclusive. `length` must be positive. */
export function byteRange(offset: number, length: number): string {
  return `bytes=${offset}-${Math.min(Number.MAX_SAFE_INTEGER, offset + length - 1)}`;
}

export function condition(over: WriteOptions['over']): { IfMatch?: string; IfNoneMatch?: string } {
  if (over === undefined) return {};
  return over === 'absent' ? { IfNoneMatch: '*' } : { IfMatch: quoted(over.etag) };
}

/**
 * Decodes a listed key. S3 URL-encodes listed keys on request, because XML does not allow all
 * characters; + is a space.
 */
export function decodeListedKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
