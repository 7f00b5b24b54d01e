import { type Box, readBoxes, readContent } from '../boxes.ts';
import { textOf } from '../header-bytes.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';
import { type ByteRange, joinedReader, readExactly } from '../../metadata/bounded-reader.ts';
import { MAX_CONTAINER_PARTS } from '../../metadata/bounds.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';
import { readItemLocations } from './item-locations.ts';

/**
 * Locates the metadata items of a HEIF file (ISO/IEC 23008-12, annex A): Exif, and XMP as a MIME
 * item.
 */
export async function findInHeic(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const meta = (await readBoxes(reader, 0, reader.size)).find(({ type }) => type === 'meta');
  if (!meta) return {};
  const boxes = await readBoxes(reader, meta.start + 4, meta.end);
  const box = (type: string): Box | undefined => boxes.find((candidate) => candidate.type === type);
  const [information, locations] = [box('iinf'), box('iloc')];
  if (!information || !locations) return {};
  const items = await readItems(reader, information);
  const locationOf = await readLocations(reader, locations, box('idat')?.start);
  const properties = box('iprp');
  const item = (matches: (kind: string) => boolean): RangeReader | undefined => {
    const [number] = [...items].find(([, kind]) => matches(kind)) ?? [];
    const ranges = number === undefined ? undefined : locationOf.get(number);
    return ranges && joinedReader(reader, ranges);
  };
  const exif = item((kind) => kind === 'Exif');
  return {
    exif: exif && (await warnings.attempt('Exif', () => tiffWithin(exif))),
    xmp: item((kind) => kind === 'mime application/rdf+xml'),
    icc: properties && (await warnings.attempt('ICC profile', () => findProfile(reader, properties))),
  };
}

/** The first profile among the properties (ISO/IEC 14496-12, section 12.1.5). */
async function findProfile(reader: RangeReader, { start, end }: Box): Promise<RangeReader | undefined> {
  const container = (await readBoxes(reader, start, end)).find(({ type }) => type === 'ipco');
  for (const box of container ? await readBoxes(reader, container.start, container.end) : []) {
    if (box.type !== 'colr' || box.end - box.start < 4) continue;
    const kind = latin1(await readExactly(reader, box.start, 4));
    if (kind === 'prof' || kind === 'rICC')
      return joinedReader(reader, [{ offset: box.start + 4, length: box.end - box.start - 4 }]);
  }
  return undefined;
}

/** The first four bytes of the block state how many bytes precede its TIFF structure. */
async function tiffWithin(block: RangeReader): Promise<RangeReader> {
  const offset = 4 + viewOf(await readExactly(block, 0, 4)).getUint32(0);
  if (offset > block.size) throw new MalformedMetadataError(`Expected an Exif block of more than ${offset} bytes`);
  return joinedReader(block, [{ offset, length: block.size - offset }]);
}

/**
 * The type of every item by its number: four characters, for MIME items followed by their content
 * type.
 */
async function readItems(reader: RangeReader, box: Box): Promise<Map<number, string>> {
  const isLong = (await readContent(reader, box, 6)).getUint8(0) > 0;
  const items = new Map<number, string>();
  for (const entry of await readBoxes(reader, box.start + 4 + (isLong ? 4 : 2), box.end)) {
    const view = await readContent(reader, entry, 12);
    const version = view.getUint8(0);
    if (entry.type !== 'infe' || version < 2) continue;
    const at = version === 2 ? 8 : 10;
    const kind = textOf(view, at);
    // The item's name and its content type follow, each terminated by NUL.
    const texts = latin1(new Uint8Array(view.buffer, view.byteOffset + at + 4, view.byteLength - at - 4)).split('\0');
    const number = version === 2 ? view.getUint16(4) : view.getUint32(4);
    items.set(number, kind === 'mime' ? `mime ${texts[1] ?? ''}` : kind);
  }
  return items;
}

/** The byte ranges of items, except of items that are constructed from others. */
async function readLocations(
  reader: RangeReader,
  box: Box,
  idat: number | undefined,
): Promise<Map<number, readonly ByteRange[]>> {
  let extentsLeft = MAX_CONTAINER_PARTS;
  const charge = (extents: number): void => {
    extentsLeft -= Math.max(1, extents);
    if (extentsLeft < 0) throw new MalformedMetadataError(`Expected at most ${MAX_CONTAINER_PARTS} item extents`);
  };
  const locations = new Map<number, readonly ByteRange[]>();
  for (const { item, extents } of await readItemLocations(reader, box, idat, charge)) {
    if (extents?.every(({ offset, length }) => offset + length <= reader.size)) locations.set(item, extents);
  }
  return locations;
}
