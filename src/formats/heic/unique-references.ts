/**
 * Files whose references name an item more than once. libheif up to 1.23.2 refuses them
 * (Box_iref::check_for_double_references), libheif 1.23.5 does not: a grid or an overlay may
 * repeat a part (ISO/IEC 23008-12, section 6.6.2), and in other references it has no meaning.
 */
import { memoryReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { type Box, readBoxes } from '../boxes.ts';
import { unsupported } from '../header-bytes.ts';
import { type HeifMeta, readHeifMeta, type Reference } from './heif-boxes.ts';

/** A further number of an item. */
interface Alias {
  readonly id: number;
  readonly of: number;
}

/**
 * The file, or a copy in which no reference names an item twice: repeated parts have numbers of
 * their own with the same data and properties, other repetitions are left out. The copy has a new
 * metadata box at its end; no data are moved. Throws RejectedImageError.
 */
export async function withUniqueReferences(bytes: Uint8Array): Promise<Uint8Array> {
  const reader = memoryReader(bytes);
  const { references, types, locations } = await readHeifMeta(reader);
  if (references.every(({ to }) => new Set(to).size === to.length)) return bytes;
  const unique = uniqueReferences(references, Math.max(...types.keys()) + 1);
  const rewrite: Readonly<Record<string, (content: Uint8Array) => Uint8Array | Promise<Uint8Array>>> = {
    iref: (content) => writeReferences(content, unique.references),
    iinf: (content) => withEntries(content, unique.aliases),
    iloc: (content) => withLocations(content, unique.aliases, locations),
    iprp: (content) => withProperties(content, unique.aliases),
  };
  const top = await readBoxes(reader, 0, bytes.length);
  const old = top.find(({ type }) => type === 'meta');
  const parts: Uint8Array[] = [bytes.slice(old?.start, (old?.start ?? 0) + 4)];
  for (const { type, start, end } of old ? await readBoxes(reader, old.start + 4, old.end) : []) {
    const content = bytes.subarray(start, end);
    parts.push(boxOf(type, (await rewrite[type]?.(content)) ?? content));
  }
  return join([withoutMeta(bytes, top), boxOf('meta', ...parts)]);
}

function uniqueReferences(references: readonly Reference[], firstFree: number) {
  const aliases: Alias[] = [];
  const aliasOf = (item: number): number => {
    const id = firstFree + aliases.length;
    if (id > 0xffff) throw unsupported('a grid that repeats more parts than there are numbers for');
    aliases.push({ id, of: item });
    return id;
  };
  const unique = references.map(({ type, from, to }) => {
    const seen = new Set<number>();
    const isNew = (item: number): boolean => seen.size < seen.add(item).size;
    return {
      type,
      from,
      to: type === 'dimg' ? to.map((item) => (isNew(item) ? item : aliasOf(item))) : [...new Set(to)],
    };
  });
  // A repeated part may itself have parts.
  const ofAliases = aliases.flatMap(({ id, of }) =>
    unique.filter(({ type, from }) => type === 'dimg' && from === of).map((reference) => ({ ...reference, from: id })),
  );
  return { references: [...unique, ...ofAliases], aliases };
}

/** The content of an item reference box (ISO/IEC 14496-12, section 8.11.12). */
function writeReferences(content: Uint8Array, references: readonly Reference[]): Uint8Array {
  const id = content[0] === 0 ? u16 : u32;
  const boxes = references.map(({ type, from, to }) => boxOf(type, id(from), u16(to.length), ...to.map(id)));
  return join([content.subarray(0, 4), ...boxes]);
}

/** The content of an item information box (section 8.11.6) with entries for the aliases. */
async function withEntries(content: Uint8Array, aliases: readonly Alias[]): Promise<Uint8Array> {
  const countBytes = content[0] === 0 ? 2 : 4;
  const entries = await readBoxes(memoryReader(content), 4 + countBytes, content.length);
  const byItem = new Map<number, Box>();
  for (const entry of entries) {
    const view = viewOf(content.subarray(entry.start, entry.end));
    byItem.set(view.getUint8(0) < 3 ? view.getUint16(4) : view.getUint32(4), entry);
  }
  const added = aliases.flatMap(({ id, of }) => {
    const entry = byItem.get(of);
    if (!entry) return [];
    const bytes = content.slice(entry.start, entry.end);
    bytes.set(viewOf(bytes).getUint8(0) < 3 ? u16(id) : u32(id), 4);
    return [boxOf(entry.type, bytes)];
  });
  return join([withCount(content, 4, countBytes, added.length), ...added]);
}

/** The content of an item location box (section 8.11.3) with locations for the aliases. */
function withLocations(content: Uint8Array, aliases: readonly Alias[], locations: HeifMeta['locations']): Uint8Array {
  const isLong = (content[0] ?? 0) >= 2;
  const byItem = new Map(locations.map(({ item, entry }) => [item, entry]));
  const added = aliases.flatMap(({ id, of }) => {
    const entry = byItem.get(of);
    if (!entry) return [];
    const bytes = content.slice(entry.offset, entry.offset + entry.length);
    bytes.set(isLong ? u32(id) : u16(id));
    return [bytes];
  });
  return join([withCount(content, 6, isLong ? 4 : 2, added.length), ...added]);
}

/**
 * The content of an item properties box (ISO/IEC 23008-12, section 9.3) with associations for the
 * aliases.
 */
async function withProperties(content: Uint8Array, aliases: readonly Alias[]): Promise<Uint8Array> {
  const boxes = await readBoxes(memoryReader(content), 0, content.length);
  return join(
    boxes.map(({ type, start, end }) => {
      const bytes = content.subarray(start, end);
      return boxOf(type, type === 'ipma' ? withAssociations(bytes, aliases) : bytes);
    }),
  );
}

function withAssociations(content: Uint8Array, aliases: readonly Alias[]): Uint8Array {
  const view = viewOf(content);
  const idBytes = view.getUint8(0) === 0 ? 2 : 4;
  const indexBytes = (view.getUint8(3) & 1) + 1;
  const byItem = new Map<number, Uint8Array>();
  let at = 8;
  for (let entry = view.getUint32(4); entry > 0; entry--) {
    const item = idBytes === 2 ? view.getUint16(at) : view.getUint32(at);
    const end = at + idBytes + 1 + view.getUint8(at + idBytes) * indexBytes;
    byItem.set(item, content.subarray(at + idBytes, end));
    at = end;
  }
  const added = aliases.flatMap(({ id, of }) => {
    const associations = byItem.get(of);
    return associations ? [join([idBytes === 2 ? u16(id) : u32(id), associations])] : [];
  });
  return join([withCount(content, 4, 4, added.length), ...added]);
}

/**
 * The file with its metadata box marked as free space, so that another one may follow at its end.
 */
function withoutMeta(bytes: Uint8Array, top: readonly Box[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const view = viewOf(copy);
  let header = 0;
  for (const { type, end } of top) {
    if (type === 'meta') copy.set(ascii('free'), header + 4);
    // A length of zero means up to the end of the file.
    if (view.getUint32(header) === 0) view.setUint32(header, end - header);
    header = end;
  }
  return copy.subarray(0, header);
}

/** A copy in which the count at `at`, of 2 or 4 bytes, is greater by `more`. */
function withCount(content: Uint8Array, at: number, bytes: number, more: number): Uint8Array {
  const copy = Uint8Array.from(content);
  const view = viewOf(copy);
  if (bytes === 2) view.setUint16(at, view.getUint16(at) + more);
  else view.setUint32(at, view.getUint32(at) + more);
  return copy;
}

function boxOf(type: string, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 8);
  return join([u32(length), ascii(type), ...content]);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Buffer.concat(parts);
}

const ascii = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const u16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 0xff);
const u32 = (value: number): Uint8Array => Uint8Array.of(value >>> 24, value >> 16, value >> 8, value);
