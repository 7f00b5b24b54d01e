/**
 * A bijection between object keys and paths below a bucket's folder. Pure.
 *
 * An ordinary component of a key is a file name as it is, so that an existing folder can serve as a
 * bucket. A component that a file system would refuse or interpret is written as `%~` and its bytes
 * in base64url. If that exceeds the length of a file name, it is preceded by directories named
 * `%~+` and 252 characters each.
 *
 *     scans/page 1.tif      scans/page 1.tif
 *     a//b                  a/%~/b
 *     ../secret             %~Li4/secret
 */
import { MAX_KEY_BYTES } from '../../limits.ts';

const ESCAPE = '%~';
const CONTINUED = '%~+';

/** NAME_MAX of the common file systems. Bytes. */
const MAX_NAME_BYTES = 255;
const CONTINUED_CHARACTERS = MAX_NAME_BYTES - CONTINUED.length;

/** Prefix of temporary files, which are never objects. */
export const TEMPORARY_PREFIX = '.stepwell-tmp-';

const UNSAFE_CHARACTERS = /[\u0000-\u001f\u007f\\]/u;

/**
 * The path of a key relative to its bucket's folder, with `/` as separator. It is never empty or
 * absolute and does not contain `..`. Throws RangeError for an empty key, a key longer than 1,024
 * bytes and one that is not valid Unicode.
 */
export function pathFromKey(key: string): string {
  checkKey(key);
  return key.split('/').map(nameFromComponent).join('/');
}

/** The key of a path; undefined if no key has this path. */
export function keyFromPath(path: string): string | undefined {
  const components: string[] = [];
  let continued = '';
  for (const name of path.split('/')) {
    if (name.startsWith(CONTINUED)) {
      continued += name.slice(CONTINUED.length);
      continue;
    }
    if (continued !== '' && !name.startsWith(ESCAPE)) return undefined;
    components.push(componentFromName(name, continued));
    continued = '';
  }
  const key = components.join('/');
  return continued === '' && isKey(key) && pathFromKey(key) === path ? key : undefined;
}

/**
 * The encoded characters in the name of a directory for a long component; undefined for other
 * names.
 */
export function continuedPart(name: string): string | undefined {
  return name.startsWith(CONTINUED) ? name.slice(CONTINUED.length) : undefined;
}

/**
 * The component that a file name encodes; `continued`: the encoded characters of the directories
 * above it.
 */
export function componentFromName(name: string, continued: string): string {
  if (!name.startsWith(ESCAPE)) return name;
  return Buffer.from(continued + name.slice(ESCAPE.length), 'base64url').toString('utf8');
}

/** Throws RangeError for a key that S3 refuses. */
function checkKey(key: string): void {
  if (!isKey(key)) {
    const bytes = Buffer.byteLength(key);
    throw new RangeError(
      `Expected 1 to ${MAX_KEY_BYTES} bytes of valid Unicode for key but received ${bytes} bytes: ${JSON.stringify(key.slice(0, 80))}`,
    );
  }
}

function isKey(key: string): boolean {
  return key !== '' && Buffer.byteLength(key) <= MAX_KEY_BYTES && key.isWellFormed();
}

function nameFromComponent(component: string): string {
  if (isOrdinary(component)) return component;
  let rest = Buffer.from(component, 'utf8').toString('base64url');
  const names: string[] = [];
  while (rest.length > CONTINUED_CHARACTERS) {
    names.push(CONTINUED + rest.slice(0, CONTINUED_CHARACTERS));
    rest = rest.slice(CONTINUED_CHARACTERS);
  }
  return [...names, ESCAPE + rest].join('/');
}

function isOrdinary(component: string): boolean {
  return (
    !['', '.', '..'].includes(component) &&
    !component.startsWith(ESCAPE) &&
    !component.startsWith(TEMPORARY_PREFIX) &&
    !UNSAFE_CHARACTERS.test(component) &&
    Buffer.byteLength(component) <= MAX_NAME_BYTES
  );
}
