/** URLs of requests and of what they answer with. */
import { RefusedRequestError } from './refused.ts';

/** The path of a URL as it was sent, without query. Parsing would change its percent-encoding. */
export function rawPathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const path = start < 0 ? '/' : url.slice(start);
  return /^[^?#]*/u.exec(path)?.[0] ?? path;
}

/** The segments of the path after the prefix of a route, such as `/iiif/3/`. */
export function segmentsAfter(prefix: string, url: string): string[] {
  const path = rawPathOf(url);
  return path.slice(path.indexOf(prefix) + prefix.length).split('/');
}

/**
 * URL of the server as the client knows it, without `/` at its end: what proxies forward, or else
 * the address of the request. `prefix`: that of the route.
 */
export function serverUrl(url: string, prefix: string, header: (name: string) => string | undefined): string {
  const forwarded = (name: string): string | undefined => header(name)?.split(',')[0]?.trim();
  const protocol = forwarded('x-forwarded-proto') ?? /^[a-z]+/u.exec(url)?.[0] ?? 'http';
  const host = forwarded('x-forwarded-host') ?? header('host') ?? new URL(url).host;
  if (!/^https?$/u.test(protocol) || !/^[\w.:[\]-]{1,255}$/u.test(host)) {
    throw new RefusedRequestError(400, 'The host of the request is not a valid name.');
  }
  const path = rawPathOf(url);
  return `${protocol}://${host}${path.slice(0, path.indexOf(prefix))}`;
}
