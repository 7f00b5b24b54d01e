/** Serialises one IFD: its fields, their values and the tile table. */
import type { HeaderSection } from './header-pieces.ts';
import { FieldType, fieldBytes, Tag } from './tags.ts';
import type { TileGrid } from './tile-coverage.ts';
import type { TileTable } from './tile-table.ts';
import { valueWriter } from './value-writers.ts';

/**
 * One field to be written. `values` are numbers of the field type (RATIONAL: numerator,
 * denominator, …) or the raw bytes of the values.
 */
export interface Field {
  readonly tag: number;
  readonly type: number;
  readonly values: readonly number[] | Uint8Array;
}

/** Content of the IFD of one level. Pixels. */
export interface LevelTable extends TileGrid {
  readonly width: number;
  readonly height: number;
  /** All fields other than image size, tile size, TileOffsets and TileByteCounts. */
  readonly fields: readonly Field[];
}

/** A field with the header sections that write its values. */
interface WrittenField {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  readonly bytes: number;
  /** The values in order. `tilesAt`: offset of the first tile of the file. Bytes. */
  sections(tilesAt: number): HeaderSection[];
}

/** File offsets that an IFD needs. Bytes. */
interface DirectoryOffsets {
  /** The IFD itself. */
  readonly position: number;
  /** The next IFD; 0 for the last one. */
  readonly next: number;
  /** The first tile of the file. */
  readonly tilesAt: number;
}

/**
 * One IFD: its entries, followed by the values that do not fit into entries, each at an even
 * offset.
 */
export class WrittenDirectory {
  /** Length of the IFD and its values, which is even. Bytes. */
  readonly bytes: number;
  readonly #fields: readonly WrittenField[];
  readonly #bigTiff: boolean;

  /** Throws RangeError for a field of a type that cannot be written. */
  constructor(level: LevelTable, tileSize: number, table: TileTable, bigTiff: boolean) {
    this.#bigTiff = bigTiff;
    const long = (tag: number, value: number): Field => ({ tag, type: FieldType.LONG, values: [value] });
    const fields = [
      ...level.fields,
      long(Tag.ImageWidth, level.width),
      long(Tag.ImageLength, level.height),
      long(Tag.TileWidth, tileSize),
      long(Tag.TileLength, tileSize),
    ];
    this.#fields = [
      ...fields.map(writtenField),
      { tag: Tag.TileOffsets, ...table.offsets(bigTiff) },
      { tag: Tag.TileByteCounts, ...table.byteCounts() },
    ].sort((a, b) => a.tag - b.tag);
    this.bytes = this.#external.reduce((sum, { bytes }) => sum + even(bytes), this.#tableBytes);
  }

  /** The IFD and its values, in the order of the file. */
  sections(offsets: DirectoryOffsets): HeaderSection[] {
    const table: HeaderSection = {
      length: this.#tableBytes,
      write: (view, at) => {
        this.#writeTable(view, at, offsets);
      },
    };
    const values = this.#external.map((field) => {
      const sections = field.sections(offsets.tilesAt);
      return field.bytes % 2 === 0 ? sections : [...sections, padding];
    });
    return [table, ...values.flat()];
  }

  #writeTable(view: DataView, start: number, { position, next, tilesAt }: DirectoryOffsets): void {
    const big = this.#bigTiff;
    let entry = start + (big ? 8 : 2);
    let values = position + this.#tableBytes;
    if (big) view.setBigUint64(start, BigInt(this.#fields.length), true);
    else view.setUint16(start, this.#fields.length, true);
    for (const field of this.#fields) {
      const at = entry + (big ? 12 : 8);
      view.setUint16(entry, field.tag, true);
      view.setUint16(entry + 2, field.type, true);
      writePointer(view, entry + 4, field.count, big);
      if (field.bytes <= this.#inlineBytes) {
        for (const section of field.sections(tilesAt)) section.write(view, at);
      } else {
        writePointer(view, at, values, big);
        values += even(field.bytes);
      }
      entry += big ? 20 : 12;
    }
    writePointer(view, entry, next, big);
  }

  get #external(): readonly WrittenField[] {
    return this.#fields.filter(({ bytes }) => bytes > this.#inlineBytes);
  }

  get #inlineBytes(): number {
    return this.#bigTiff ? 8 : 4;
  }

  get #tableBytes(): number {
    return even(this.#bigTiff ? 8 + 20 * this.#fields.length + 8 : 2 + 12 * this.#fields.length + 4);
  }
}

function even(bytes: number): number {
  return bytes + (bytes % 2);
}

function bytesPerValue(type: number): number {
  const bytes = fieldBytes[type];
  if (bytes === undefined) throw new RangeError(`Expected a TIFF field type but received ${type}`);
  return bytes;
}

function valueCount(field: Field): number {
  if (field.values instanceof Uint8Array) return field.values.length / bytesPerValue(field.type);
  return isRational(field.type) ? field.values.length / 2 : field.values.length;
}

function valueBytes(field: Field): number {
  return valueCount(field) * bytesPerValue(field.type);
}

function isRational(type: number): boolean {
  return type === FieldType.RATIONAL || type === FieldType.SRATIONAL;
}

function writePointer(view: DataView, at: number, value: number, bigTiff: boolean): void {
  if (bigTiff) view.setBigUint64(at, BigInt(value), true);
  else view.setUint32(at, value, true);
}

/** The byte after values of odd length. */
const padding: HeaderSection = { length: 1, write: () => undefined };

function writtenField(field: Field): WrittenField {
  const { tag, type } = field;
  const bytes = valueBytes(field);
  const section: HeaderSection = { length: bytes, write: valuesWriter(field) };
  return { tag, type, count: valueCount(field), bytes, sections: () => [section] };
}

function valuesWriter({ type, values }: Field): HeaderSection['write'] {
  if (values instanceof Uint8Array) {
    return (view, at) => {
      new Uint8Array(view.buffer, view.byteOffset).set(values, at);
    };
  }
  const step = isRational(type) ? 4 : bytesPerValue(type);
  const write = valueWriter(type);
  return (view, at) => {
    values.forEach((value, index) => {
      write(view, at + index * step, value);
    });
  };
}
