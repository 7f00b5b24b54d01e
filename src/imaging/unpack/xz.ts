/**
 * Streams of xz with the filters LZMA2 and Delta, as libtiff writes them
 * (doc/xz-file-format.txt).
 */
import { MalformedTiffError } from '../../errors.ts';
import { unpackLzma2 } from './lzma2.ts';

const HEADER_BYTES = 12;
const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const LZMA2 = 0x21;
const DELTA = 0x03;

/**
 * Decompresses the first block until `target` is full. Does not compare the checks after the data.
 * Throws MalformedTiffError for damaged data, for fewer bytes and for other filters.
 */
export function unpackXz(packed: Uint8Array, target: Uint8Array): void {
  if (!MAGIC.every((byte, at) => packed[at] === byte)) damaged('no stream of xz');
  const { end, distance } = readBlockHeader(packed);
  const written = unpackLzma2(packed, end, target);
  if (written < target.length) {
    throw new MalformedTiffError(`Expected ${target.length} bytes of LZMA data but received ${written}`);
  }
  for (let at = distance; distance > 0 && at < target.length; at++) {
    target[at] = (target[at] ?? 0) + (target[at - distance] ?? 0);
  }
}

function damaged(what: string): never {
  throw new MalformedTiffError(`Expected LZMA data in a stream of xz but received ${what}`);
}

/** End of the header, and the distance of the filter Delta; 0 without it. */
function readBlockHeader(packed: Uint8Array): { readonly end: number; readonly distance: number } {
  const size = packed[HEADER_BYTES] ?? 0;
  const end = HEADER_BYTES + (size + 1) * 4;
  if (size === 0 || end > packed.length) damaged('no block');
  const flags = packed[HEADER_BYTES + 1] ?? 0;
  let at = HEADER_BYTES + 2;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = packed[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
    }
    return value;
  };
  // Sizes of the block, which are not needed.
  if (flags & 0x40) number();
  if (flags & 0x80) number();
  const filters = Array.from({ length: (flags & 3) + 1 }, () => {
    const id = number();
    const length = number();
    at += length;
    return { id, first: packed[at - length] ?? 0 };
  });
  const last = filters.at(-1);
  const others = filters.slice(0, -1);
  if (last?.id !== LZMA2 || others.length > 1 || others.some(({ id }) => id !== DELTA)) {
    damaged(`the filters ${filters.map(({ id }) => id).join(', ')}`);
  }
  return { end, distance: others[0] ? others[0].first + 1 : 0 };
}
