/**
 * The meta box of a HEIF file (ISO/IEC 14496-12, section 8.11, and ISO/IEC 23008-12): items and
 * their properties.
 */
import { RejectedImageError } from '../../errors.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { type Box, boxTitle, readBoxes, readContent } from '../boxes.ts';
import { corrupt, textOf, unsupported, withinBytes } from '../header-bytes.ts';
import { type ItemLocation, readItemLocations } from './item-locations.ts';

/**
 * A property of items, such as ispe. Its content includes version and flags where its type has
 * them.
 */
export interface Property {
  readonly type: string;
  readonly content: DataView;
  /** Offset of the content in the file. Bytes. */
  readonly at: number;
}

export interface Reference {
  readonly type: string;
  readonly from: number;
  readonly to: readonly number[];
}

export interface HeifMeta {
  readonly primary: number;
  /** Item types, four characters, by item. */
  readonly types: ReadonlyMap<number, string>;
  readonly references: readonly Reference[];
  /** Where the data of items are in the file. Items may be missing. */
  readonly locations: readonly ItemLocation[];
  /** The properties of an item, in the order in which they apply. */
  properties(item: number): readonly Property[];
}

/** Reads the meta box: one ranged read a box, no pixels. Throws RejectedImageError. */
export async function readHeifMeta(reader: RangeReader): Promise<HeifMeta> {
  const top = await readBoxes(reader, 0, reader.size);
  const meta = top.find(({ type }) => type === 'meta');
  if (!meta) {
    if (top.some(({ type }) => type === 'moov')) throw unsupported('an image sequence without a still image');
    throw new RejectedImageError('TRUNCATED', 'the file ends before its metadata box');
  }
  // Version and flags precede its boxes.
  const boxes = await readBoxes(reader, meta.start + 4, meta.end);
  const find = (type: string): Box | undefined => boxes.find((candidate) => candidate.type === type);
  const need = (type: string): Box => {
    const box = find(type);
    if (!box) throw corrupt(`Expected ${boxTitle(type)}`, 'none');
    return box;
  };
  const primary = await readContent(reader, need('pitm'), 6);
  const [references, locations] = [find('iref'), find('iloc')];
  const properties = await readProperties(reader, need('iprp'));
  return {
    primary: withinBytes(boxTitle('pitm'), () =>
      primary.getUint8(0) === 0 ? primary.getUint16(4) : primary.getUint32(4),
    ),
    types: await readTypes(reader, need('iinf')),
    references: references ? await readReferences(reader, references) : [],
    locations: locations ? await readLocations(reader, locations, find('idat')?.start) : [],
    properties: (item) => properties.get(item) ?? [],
  };
}

async function readTypes(reader: RangeReader, box: Box): Promise<Map<number, string>> {
  const header = await readContent(reader, box, 6);
  const countBytes = header.getUint8(0) === 0 ? 2 : 4;
  const types = new Map<number, string>();
  for (const entry of await readBoxes(reader, box.start + 4 + countBytes, box.end)) {
    if (entry.type !== 'infe') continue;
    const view = await readContent(reader, entry, 12);
    const version = view.getUint8(0);
    if (version === 2) types.set(view.getUint16(4), textOf(view, 8));
    if (version === 3)
      types.set(
        view.getUint32(4),
        withinBytes(boxTitle('infe'), () => textOf(view, 10)),
      );
  }
  return types;
}

/** Extents of all items; files have one or two an item. */
const MAX_EXTENTS = 2 ** 18;

function readLocations(reader: RangeReader, box: Box, idat: number | undefined): Promise<ItemLocation[]> {
  let left = MAX_EXTENTS;
  return readItemLocations(reader, box, idat, (extents) => {
    left -= extents;
    if (left < 0) throw corrupt(`Expected at most ${MAX_EXTENTS} extents of items`, 'more');
  });
}

/** The references between items (ISO/IEC 14496-12, section 8.11.12). Throws RejectedImageError. */
export async function readReferences(reader: RangeReader, box: Box): Promise<Reference[]> {
  const version = (await readContent(reader, box, 4)).getUint8(0);
  const idBytes = version === 0 ? 2 : 4;
  const references: Reference[] = [];
  for (const { type, start, end } of await readBoxes(reader, box.start + 4, box.end)) {
    const view = await readContent(reader, { type, start, end }, idBytes + 2);
    const id = (at: number): number => (idBytes === 2 ? view.getUint16(at) : view.getUint32(at));
    references.push(
      withinBytes(boxTitle('iref'), () => ({
        type,
        from: id(0),
        to: Array.from({ length: view.getUint16(idBytes) }, (_, index) => id(idBytes + 2 + idBytes * index)),
      })),
    );
  }
  return references;
}

/** Content of all properties, which are read as a whole: profiles and codec settings. Bytes. */
const MAX_PROPERTIES_BYTES = 32 * 2 ** 20;

async function readProperties(reader: RangeReader, box: Box): Promise<Map<number, Property[]>> {
  const inner = await readBoxes(reader, box.start, box.end);
  const container = inner.find(({ type }) => type === 'ipco');
  if (!container) throw corrupt('Expected the property list box', 'none');
  const properties: Property[] = [];
  let left = MAX_PROPERTIES_BYTES;
  for (const property of await readBoxes(reader, container.start, container.end)) {
    left -= property.end - property.start;
    if (left < 0) throw corrupt(`Expected at most ${MAX_PROPERTIES_BYTES} bytes of properties`, 'more');
    properties.push({ type: property.type, content: await readContent(reader, property, 0), at: property.start });
  }
  const byItem = new Map<number, Property[]>();
  for (const association of inner.filter(({ type }) => type === 'ipma')) {
    const view = await readContent(reader, association, 8);
    withinBytes(boxTitle('ipma'), () => {
      parseAssociations(view, properties, byItem);
    });
  }
  return byItem;
}

function parseAssociations(view: DataView, properties: readonly Property[], byItem: Map<number, Property[]>): void {
  const isLongId = view.getUint8(0) >= 1;
  const isLongIndex = (view.getUint8(3) & 1) === 1;
  let at = 8;
  for (let entry = view.getUint32(4); entry > 0; entry--) {
    const item = isLongId ? view.getUint32(at) : view.getUint16(at);
    at += isLongId ? 4 : 2;
    const count = view.getUint8(at++);
    const own = byItem.get(item) ?? [];
    for (let index = 0; index < count; index++) {
      const number = isLongIndex ? view.getUint16(at) & 0x7fff : view.getUint8(at) & 0x7f;
      at += isLongIndex ? 2 : 1;
      // Property indexes start from 1; 0 means no property.
      const property = properties[number - 1];
      if (property) own.push(property);
    }
    byItem.set(item, own);
  }
}
