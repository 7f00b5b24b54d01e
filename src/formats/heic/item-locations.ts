import { type Box, boxTitle, readContent } from '../boxes.ts';
import { withinBytes } from '../header-bytes.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import type { ByteRange } from '../../metadata/bounded-reader.ts';

export interface ItemLocation {
  readonly item: number;
  /** The ranges of the file with its data; absent where these are constructed or elsewhere. */
  readonly extents?: readonly ByteRange[];
  /** The part of the content of the box that locates it. */
  readonly entry: ByteRange;
}

/**
 * Reads the item locations (ISO/IEC 14496-12, section 8.11.3). `idat` is the offset of the content
 * of the item data box. `charge` is called with the number of extents of each item before they are
 * read. Throws RejectedImageError.
 */
export async function readItemLocations(
  reader: RangeReader,
  box: Box,
  idat: number | undefined,
  charge: (extents: number) => void = () => undefined,
): Promise<ItemLocation[]> {
  const view = await readContent(reader, box, 8);
  return withinBytes(boxTitle('iloc'), () => parseItemLocations(view, idat, charge));
}

function parseItemLocations(
  view: DataView,
  idat: number | undefined,
  charge: (extents: number) => void,
): ItemLocation[] {
  const version = view.getUint8(0);
  const [offsetBytes, lengthBytes] = [view.getUint8(4) >> 4, view.getUint8(4) & 15];
  const [baseBytes, indexBytes] = [view.getUint8(5) >> 4, version === 0 ? 0 : view.getUint8(5) & 15];
  let at = 6;
  const number = (bytes: number): number => {
    let value = 0;
    for (let byte = 0; byte < bytes; byte++) value = value * 256 + view.getUint8(at++);
    return value;
  };
  const locations: ItemLocation[] = [];
  for (let items = number(version < 2 ? 2 : 4); items > 0; items--) {
    const start = at;
    const item = number(version < 2 ? 2 : 4);
    const method = version === 0 ? 0 : number(2) & 15;
    const reference = number(2);
    const base = number(baseBytes) + (method === 1 ? (idat ?? NaN) : 0);
    const count = number(2);
    charge(count);
    const extents: ByteRange[] = [];
    for (let extent = 0; extent < count; extent++) {
      number(indexBytes);
      extents.push({ offset: base + number(offsetBytes), length: number(lengthBytes) });
    }
    const entry = { offset: start, length: at - start };
    const isOfFile = reference === 0 && method < 2;
    locations.push(isOfFile ? { item, entry, extents } : { item, entry });
  }
  return locations;
}
