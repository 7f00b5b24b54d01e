/** One IFD as it is written: its place in the file, its fields, and its tile table as that fills. */
import { FieldType, fieldBytes, Tag } from './tags.ts';

/** One field of an IFD: `values` are numbers of that type (RATIONAL: numerator, denominator, …) or raw bytes. */
export interface Field {
  readonly tag: number;
  readonly type: number;
  readonly values: readonly number[] | Float64Array | Uint32Array | Uint8Array;
}

/** What a level's IFD says. */
export interface LevelTable {
  readonly width: number;
  readonly height: number;
  readonly tilesAcross: number;
  readonly tilesDown: number;
  /** Everything but size, tile size, offsets and byte counts. */
  readonly fields: readonly Field[];
}

/** The tiles of one level within a segment: a rectangle of the level's tile grid, row by row, back to back. */
export interface TileRun {
  readonly level: number;
  readonly column: number;
  readonly row: number;
  readonly across: number;
  readonly down: number;
  /** Bytes of each tile, row by row; `across · down` of them. */
  readonly byteCounts: Uint32Array | readonly number[];
}

/** One IFD: where it and its values lie, and its tile table as it fills. */
export class WrittenDirectory {
  position = 0;
  readonly #fields: Field[];
  readonly #offsets: Float64Array;
  readonly #byteCounts: Uint32Array;
  readonly #level: LevelTable;
  readonly #bigTiff: boolean;

  constructor(level: LevelTable, tileSize: number, bigTiff: boolean) {
    const tiles = level.tilesAcross * level.tilesDown;
    this.#level = level;
    this.#bigTiff = bigTiff;
    this.#offsets = new Float64Array(tiles);
    this.#byteCounts = new Uint32Array(tiles);
    this.#fields = [
      ...level.fields,
      { tag: Tag.ImageWidth, type: FieldType.LONG, values: [level.width] },
      { tag: Tag.ImageLength, type: FieldType.LONG, values: [level.height] },
      { tag: Tag.TileWidth, type: FieldType.LONG, values: [tileSize] },
      { tag: Tag.TileLength, type: FieldType.LONG, values: [tileSize] },
      { tag: Tag.TileOffsets, type: bigTiff ? FieldType.LONG8 : FieldType.LONG, values: this.#offsets },
      { tag: Tag.TileByteCounts, type: FieldType.LONG, values: this.#byteCounts },
    ].sort((a, b) => a.tag - b.tag);
  }

  /** Takes its place at `position` (even); returns the first even position after its values. */
  place(position: number): number {
    this.position = position;
    const external = this.#fields.map(valueBytes).filter((bytes) => bytes > this.#inlineBytes);
    return external.reduce((end, bytes) => end + even(bytes), position + this.#tableBytes);
  }

  /** Puts a run's tiles into the table, back to back from `position`; returns where they end. */
  cover(run: TileRun, position: number): number {
    if (run.byteCounts.length !== run.across * run.down) {
      throw new RangeError(`Expected ${run.across * run.down} byte counts but received ${run.byteCounts.length}`);
    }
    let at = position;
    let index = 0;
    for (let row = run.row; row < run.row + run.down; row++) {
      for (let column = run.column; column < run.column + run.across; column++) {
        const tile = row * this.#level.tilesAcross + column;
        const bytes = run.byteCounts[index++] ?? 0;
        if (
          column < 0 ||
          column >= this.#level.tilesAcross ||
          row >= this.#level.tilesDown ||
          this.#offsets[tile] !== 0 ||
          bytes === 0
        ) {
          throw new RangeError(`Expected one tile with bytes for level ${run.level} at ${column}, ${row}`);
        }
        this.#offsets[tile] = at;
        this.#byteCounts[tile] = bytes;
        at += bytes;
      }
    }
    return at;
  }

  assertCovered(level: number): void {
    const missing = this.#offsets.indexOf(0);
    if (missing >= 0) throw new RangeError(`Expected every tile of level ${level} but tile ${missing} is missing`);
  }

  write(view: DataView, next: number): void {
    const { position } = this;
    const big = this.#bigTiff;
    let entry = position + (big ? 8 : 2);
    let values = position + this.#tableBytes;
    if (big) view.setBigUint64(position, BigInt(this.#fields.length), true);
    else view.setUint16(position, this.#fields.length, true);
    for (const field of this.#fields) {
      const bytes = valueBytes(field);
      const inline = bytes <= this.#inlineBytes;
      const at = entry + (big ? 12 : 8);
      view.setUint16(entry, field.tag, true);
      view.setUint16(entry + 2, field.type, true);
      writePointer(view, entry + 4, valueCount(field), big);
      if (!inline) writePointer(view, at, values, big);
      writeValues(view, inline ? at : values, field);
      if (!inline) values += even(bytes);
      entry += big ? 20 : 12;
    }
    writePointer(view, entry, next, big);
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

function writeValues(view: DataView, at: number, field: Field): void {
  if (field.values instanceof Uint8Array) {
    new Uint8Array(view.buffer, view.byteOffset).set(field.values, at);
    return;
  }
  const step = isRational(field.type) ? 4 : bytesPerValue(field.type);
  const write = valueWriter(view, field.type);
  field.values.forEach((value: number, index: number) => {
    write(at + index * step, value);
  });
}

function valueWriter(view: DataView, type: number): (at: number, value: number) => void {
  switch (type) {
    case FieldType.BYTE:
      return (at, value) => {
        view.setUint8(at, value);
      };
    case FieldType.SHORT:
      return (at, value) => {
        view.setUint16(at, value, true);
      };
    case FieldType.LONG:
    case FieldType.RATIONAL:
      return (at, value) => {
        view.setUint32(at, value, true);
      };
    case FieldType.LONG8:
      // Two halves: a BigInt a tile would cost more than all else for a table of millions.
      return (at, value) => {
        view.setUint32(at, value % 2 ** 32, true);
        view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
      };
    case FieldType.FLOAT:
      return (at, value) => {
        view.setFloat32(at, value, true);
      };
    default:
      throw new RangeError(`Expected a field type that is written from numbers but received ${type}`);
  }
}
