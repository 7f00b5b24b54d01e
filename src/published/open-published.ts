/** Reads the directories of a published pyramid. */
import { MalformedTiffError } from '../errors.ts';
import { profileKind } from '../imaging/profile-check.ts';
import { mainProperties } from '../metadata/xmp-properties.ts';
import { planLevels, type Size, tileGrid } from '../pyramid/levels.ts';
import type { DescribedBytes, ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { describeDirectory, type DirectoryInfo } from '../tiff/directory-info.ts';
import { readTileEncoding } from '../tiff/encoded-tiles.ts';
import { type Directory, readBytes, readTable, readTiff, type TiffFile } from '../tiff/read.ts';
import { Compression, Tag } from '../tiff/tags.ts';
import { HeaderBytes } from './header-bytes.ts';
import { PublishedPyramid, type PublishedHeader, type PublishedLevel } from './published-pyramid.ts';

/**
 * Length of the first read, which holds the directories of four gigapixels in tiles of 512, or one
 * in tiles of 256. Bytes.
 */
const FIRST_READ_BYTES = 256 * 2 ** 10;

/** Bytes that a directory needs beside its tile table: entries, resolution, JPEG tables. */
const DIRECTORY_BYTES = 4_096;

const encodedBy: ReadonlySet<number> = new Set([
  Compression.none,
  Compression.jpeg,
  Compression.deflate,
  Compression.adobeDeflate,
  Compression.lzw,
  Compression.webp,
]);

export interface OpenOptions {
  /** Length of the first read. Bytes. */
  readonly firstRead?: number | undefined;
}

/**
 * Opens the current version of a published pyramid. Its directories, which come first in the file,
 * take one read, or a second one if their tile tables are longer than the first.
 * Throws ObjectNotFoundError, PreconditionFailedError when the object is replaced between the two
 * reads, and MalformedTiffError for a file that is not a tiled pyramid of halved levels.
 */
export async function openPublished(
  store: ObjectStore,
  ref: ObjectRef,
  { firstRead = FIRST_READ_BYTES }: OpenOptions = {},
): Promise<PublishedPyramid> {
  const first = await store.readDescribed(ref, { range: { offset: 0, length: firstRead } });
  const { info } = first;
  const bytes = new HeaderBytes(first.bytes, info.size, (offset, length) =>
    store.read(ref, { ifMatch: info.etag, range: { offset, length } }),
  );
  return new PublishedPyramid(store, await readPublishedHeader(ref, first, bytes));
}

async function readPublishedHeader(
  ref: ObjectRef,
  { info }: DescribedBytes,
  bytes: HeaderBytes,
): Promise<PublishedHeader> {
  const start = await readTiff(bytes, 1);
  const full = await describeTiled(start, start.directories[0]);
  await bytes.extendTo(endOfDirectories(start, full));
  const file = await readTiff(bytes);
  const levels = await Promise.all(file.directories.map((directory, index) => readLevel(file, directory, index, full)));
  const expected = planLevels(full, full.chunks.width).length;
  const [first, ...others] = levels;
  if (!first || levels.length !== expected) {
    throw new MalformedTiffError(`Expected ${expected} levels for ${ref.key} but received ${levels.length}`);
  }
  const directory = file.directories[0] ?? new Map();
  const icc = await readBytes(file, directory, Tag.IccProfile);
  // A copy, because the bytes are a view of all directories.
  const iccProfile = icc && Uint8Array.from(icc);
  return {
    ref,
    info,
    levels: [first, ...others],
    tileSize: full.chunks.width,
    encoding: await readTileEncoding(file, directory, full),
    iccProfile,
    rights: rightsOf(await readBytes(file, directory, Tag.Xmp)),
    profile: await profileKind(iccProfile, full.samplesPerPixel <= 2 ? 'grey' : 'rgb'),
    memory: tableBytes(file) + (iccProfile?.length ?? 0) + DIRECTORY_BYTES,
  };
}

async function describeTiled(file: TiffFile, directory: Directory | undefined): Promise<DirectoryInfo> {
  if (!directory) throw new MalformedTiffError('Expected a directory but received none');
  const info = await describeDirectory(file, directory);
  const { chunks, planar, compression } = info;
  if (chunks.kind !== 'tiles' || planar || chunks.width !== chunks.height || !encodedBy.has(compression)) {
    throw new MalformedTiffError(
      `Expected square tiles of interleaved samples but received ${chunks.kind} of ${chunks.width} × ${chunks.height}, compression ${compression}`,
    );
  }
  return info;
}

/**
 * Upper limit of the end of all directories, which have the coding fields of the first; only the
 * first has descriptive fields. Bytes.
 */
function endOfDirectories({ directories: [first = new Map()] }: TiffFile, full: DirectoryInfo): number {
  const lengthOf = (...tags: readonly number[]): number =>
    tags.reduce((sum, tag) => sum + (first.get(tag)?.bytes ?? 0), 0);
  const perTile = lengthOf(...tableTags) / (full.chunks.across * full.chunks.down);
  const repeated = DIRECTORY_BYTES + lengthOf(Tag.IccProfile, Tag.JpegTables);
  const descriptive = lengthOf(...first.keys()) - lengthOf(...tableTags);
  return planLevels(full, full.chunks.width).reduce((end, level) => {
    const { across, down } = tileGrid(level, full.chunks.width);
    return end + repeated + across * down * perTile;
  }, descriptive);
}

const tableTags: readonly number[] = [Tag.TileOffsets, Tag.TileByteCounts];

const rightsUri = /^https?:\/\/(creativecommons\.org|rightsstatements\.org)\/\S+$/u;

/** Published packets were read before, so that one which cannot be read has no rights either. */
function rightsOf(packet: Uint8Array | undefined): string | undefined {
  if (!packet) return undefined;
  try {
    const statement = mainProperties(new TextDecoder().decode(packet))['xmpRights:WebStatement'];
    return typeof statement === 'string' && rightsUri.test(statement) ? statement : undefined;
  } catch {
    return undefined;
  }
}

async function readLevel(
  file: TiffFile,
  directory: Directory,
  index: number,
  full: Size & Pick<DirectoryInfo, 'chunks'>,
): Promise<PublishedLevel> {
  const { width, height, chunks } = await describeTiled(file, directory);
  const expected = planLevels(full, full.chunks.width)[index];
  if (chunks.width !== full.chunks.width || width !== expected?.width || height !== expected.height) {
    throw new MalformedTiffError(
      `Expected ${expected?.width ?? 0} × ${expected?.height ?? 0} for level ${index} but received ${width} × ${height}`,
    );
  }
  const offsets = await readTable(file, directory, Tag.TileOffsets);
  const byteCounts = await readTable(file, directory, Tag.TileByteCounts);
  const tiles = chunks.across * chunks.down;
  if (!offsets || !byteCounts || offsets.count < tiles || byteCounts.count < tiles) {
    throw new MalformedTiffError(`Expected ${tiles} tiles for level ${index} but received ${offsets?.count ?? 0}`);
  }
  return {
    index,
    width,
    height,
    tilesAcross: chunks.across,
    tilesDown: chunks.down,
    tileOffset: offsets.value,
    tileBytes: byteCounts.value,
  };
}

function tableBytes({ directories }: TiffFile): number {
  return directories.reduce(
    (sum, directory) => sum + tableTags.reduce((bytes, tag) => bytes + (directory.get(tag)?.bytes ?? 0), 0),
    0,
  );
}
