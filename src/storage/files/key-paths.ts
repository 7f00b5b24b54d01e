/**
 * Object keys as paths below a bucket's folder, one to one. Pure.
 *
 * An ordinary segment is itself, so that a person's own folder is a bucket as it stands. A segment that a file system
 * would refuse or take for something else is `%~` and its bytes in base64url; where that is longer than a file name may
 * be, directories named `%~+` and 252 characters each come before it.
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

/** Names that start so are files being written; they are never objects. */
export const TEMPORARY_PREFIX = '.stepwell-tmp-';

const UNSAFE_CHARACTERS = /[\u0000-\u001f\u007f\\]/u;

/**
 * The path of a key relative to its bucket's folder, with `/` between names; never empty, absolute or upwards.
 * Throws RangeError for what is no key: empty, longer than 1,024 bytes, or no valid Unicode.
 */
export function pathFromKey(key: string): string {
  checkKey(key);
  return key.split('/').map(nameFromSegment).join('/');
}

/** The key whose path this is, or undefined where no key has it. */
export function keyFromPath(path: string): string | undefined {
  const segments: string[] = [];
  let continued = '';
  for (const name of path.split('/')) {
    if (name.startsWith(CONTINUED)) {
      continued += name.slice(CONTINUED.length);
      continue;
    }
    if (continued !== '' && !name.startsWith(ESCAPE)) return undefined;
    segments.push(segmentFromName(name, continued));
    continued = '';
  }
  const key = segments.join('/');
  return continued === '' && isKey(key) && pathFromKey(key) === path ? key : undefined;
}

/** What continues a long segment, when this is the name of a directory that holds part of one. */
export function continuedPart(name: string): string | undefined {
  return name.startsWith(CONTINUED) ? name.slice(CONTINUED.length) : undefined;
}

/** The segment behind a name (`continued` is what the directories above it said of it). */
export function segmentFromName(name: string, continued: string): string {
  if (!name.startsWith(ESCAPE)) return name;
  return Buffer.from(continued + name.slice(ESCAPE.length), 'base64url').toString('utf8');
}

/** Throws RangeError for what S3 would not take for a key either. */
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

function nameFromSegment(segment: string): string {
  if (isOrdinary(segment)) return segment;
  let rest = Buffer.from(segment, 'utf8').toString('base64url');
  const names: string[] = [];
  while (rest.length > CONTINUED_CHARACTERS) {
    names.push(CONTINUED + rest.slice(0, CONTINUED_CHARACTERS));
    rest = rest.slice(CONTINUED_CHARACTERS);
  }
  return [...names, ESCAPE + rest].join('/');
}

function isOrdinary(segment: string): boolean {
  return (
    !['', '.', '..'].includes(segment) &&
    !segment.startsWith(ESCAPE) &&
    !segment.startsWith(TEMPORARY_PREFIX) &&
    !UNSAFE_CHARACTERS.test(segment) &&
    Buffer.byteLength(segment) <= MAX_NAME_BYTES
  );
}
