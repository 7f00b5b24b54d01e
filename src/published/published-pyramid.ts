/** One version of a published pyramid: levels, colours, and the byte ranges of its tiles. */
import { MalformedTiffError, ServiceUnavailableError } from '../errors.ts';
import type { ProfileKind } from '../imaging/profile-check.ts';
import { forEachParallel } from '../parallel.ts';
import type { TileRect } from '../pyramid/blocks.ts';
import type { Level } from '../pyramid/levels.ts';
import type { ObjectInfo, ObjectRef, ObjectStore } from '../storage/object-store.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';

/** A level of a published pyramid. Pixels, tiles. */
export interface PublishedLevel extends Level {
  readonly tilesAcross: number;
  readonly tilesDown: number;
  /** Offset in the file and length of a tile by its number, row by row. Bytes. */
  readonly tileOffset: (tile: number) => number;
  readonly tileBytes: (tile: number) => number;
}

/** Position of a tile in a level. */
export interface TilePosition {
  readonly level: PublishedLevel;
  readonly column: number;
  readonly row: number;
}

/** What the directories of a published pyramid state. */
export interface PublishedHeader {
  readonly ref: ObjectRef;
  readonly info: ObjectInfo;
  /** Full size first. */
  readonly levels: readonly [PublishedLevel, ...PublishedLevel[]];
  /** Side of a tile. Pixels. */
  readonly tileSize: number;
  readonly encoding: TileEncoding;
  readonly iccProfile: Uint8Array | undefined;
  /** `none` where there is no profile, `srgb` where it makes no visible difference. */
  readonly profile: ProfileKind;
  /**
   * The licence of Creative Commons or the statement of RightsStatements.org that the XMP packet
   * names as xmpRights:WebStatement.
   */
  readonly rights: string | undefined;
  /** Memory that the tile tables and the profile occupy. Bytes. */
  readonly memory: number;
}

interface ReadTilesOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Number of ranges of one request that are read concurrently. */
const CONCURRENT_READS = 8;
/** Largest read of several adjacent tiles. Bytes. */
const MAX_READ_BYTES = 8 * 2 ** 20;

/** Reads fail with PreconditionFailedError once the object has been replaced. */
export class PublishedPyramid {
  readonly header: PublishedHeader;
  readonly #store: ObjectStore;

  constructor(store: ObjectStore, header: PublishedHeader) {
    this.#store = store;
    this.header = header;
  }

  get width(): number {
    return this.header.levels[0].width;
  }

  get height(): number {
    return this.header.levels[0].height;
  }

  /** Changes whenever the content changes. */
  get etag(): string {
    return this.header.info.etag;
  }

  /** Samples a pixel, with alpha. */
  get samples(): number {
    return this.header.encoding.bitsPerSample.length;
  }

  get isGrey(): boolean {
    return this.samples <= 2;
  }

  get bitDepth(): 8 | 16 {
    return this.header.encoding.bitsPerSample[0] === 16 ? 16 : 8;
  }

  /** Length of an encoded tile. Bytes. Throws MalformedTiffError for an impossible entry. */
  tileBytes(position: TilePosition): number {
    return this.#range(position).length;
  }

  /** Fills `target` with one encoded tile. */
  async readTile(position: TilePosition, target: Uint8Array, options: ReadTilesOptions = {}): Promise<void> {
    await this.#fill(target, this.#range(position).offset, options);
  }

  /**
   * Lengths of the tiles of a rectangle of the tile grid, row by row. Bytes. Throws as `tileBytes`.
   */
  byteCounts(level: PublishedLevel, tiles: TileRect): number[] {
    return positionsIn(level, tiles).map((position) => this.#range(position).length);
  }

  /**
   * Fills `target` with the tiles of a rectangle of the tile grid, row by row, without gaps. Tiles
   * that follow one another in the file are read together.
   */
  async readTiles(
    level: PublishedLevel,
    tiles: TileRect,
    target: Uint8Array,
    options: ReadTilesOptions = {},
  ): Promise<void> {
    const ranges = positionsIn(level, tiles).map((position) => this.#range(position));
    await forEachParallel(joinAdjacent(ranges), CONCURRENT_READS, ({ offset, length, at }) =>
      this.#fill(target.subarray(at, at + length), offset, options),
    );
  }

  #range({ level, column, row }: TilePosition): { offset: number; length: number } {
    const tile = row * level.tilesAcross + column;
    const [offset, length] = [level.tileOffset(tile), level.tileBytes(tile)];
    const { size } = this.header.info;
    if (length > 0 && Number.isSafeInteger(offset) && offset + length <= size) return { offset, length };
    throw new MalformedTiffError(
      `Expected bytes within ${size} for tile ${tile} of level ${level.index} but received ${length} at 0x${offset.toString(16)}`,
    );
  }

  async #fill(target: Uint8Array, offset: number, { signal }: ReadTilesOptions): Promise<void> {
    const { ref } = this.header;
    const range = { offset, length: target.length };
    const bytes = await this.#store.read(ref, { ifMatch: this.etag, range, into: target, signal });
    if (bytes.length === target.length) return;
    throw new ServiceUnavailableError(
      `Expected ${target.length} bytes at ${offset} of ${ref.key} but received ${bytes.length}`,
    );
  }
}

function positionsIn(level: PublishedLevel, { column, row, across, down }: TileRect): TilePosition[] {
  return Array.from({ length: across * down }, (_, index) => ({
    level,
    column: column + (index % across),
    row: row + Math.floor(index / across),
  }));
}

/** Ranges with their offset `at` in the joined bytes; those adjacent in the file are merged. */
function joinAdjacent(
  ranges: readonly { readonly offset: number; readonly length: number }[],
): { offset: number; length: number; at: number }[] {
  const joined: { offset: number; length: number; at: number }[] = [];
  let at = 0;
  for (const { offset, length } of ranges) {
    const last = joined.at(-1);
    if (last && last.offset + last.length === offset && last.length + length <= MAX_READ_BYTES) last.length += length;
    else joined.push({ offset, length, at });
    at += length;
  }
  return joined;
}
