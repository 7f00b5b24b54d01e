/** Checks of the strips or tiles of a TIFF, before any pixels are decoded. */
import { RejectedImageError } from '../../errors.ts';
import { joinedReader } from '../../metadata/bounded-reader.ts';
import { chunkCount, type NumberedChunk, storedChunk } from '../../tiff/chunk-ranges.ts';
import { type DirectoryInfo, readChunkTable } from '../../tiff/directory-info.ts';
import type { Directory, TiffFile } from '../../tiff/read.ts';
import { Compression, Tag } from '../../tiff/tags.ts';
import { assertDecodableFrame } from '../jpeg/frame.ts';
import { readJpegStructure } from '../jpeg/structure.ts';

/**
 * Refuses a file that ends before one of its chunks does, and JPEG data of a kind that has no
 * decoder here. Returns warnings about chunks whose pixels are not in doubt. Throws
 * MalformedTiffError for a chunk whose place or length is not determined.
 */
export async function checkChunks(file: TiffFile, directory: Directory, info: DirectoryInfo): Promise<string[]> {
  const { offsets, byteCounts } = await readChunkTable(file, directory, info);
  const needed = chunkCount(info);
  let holes = 0;
  let isEstimated = false;
  let first: NumberedChunk | undefined;
  for (let index = 0; index < needed; index++) {
    const stated = { index, offset: offsets[index] ?? 0, byteCount: byteCounts[index] ?? 0 };
    const chunk = storedChunk(info, file.reader.size, stated);
    assertWithinFile(file, info, chunk);
    isEstimated ||= chunk.byteCount !== stated.byteCount;
    if (chunk.byteCount === 0) holes++;
    else first ??= chunk;
  }
  if (first && info.compression === Compression.jpeg) await assertDecodableJpeg(file, first);
  if (holes > 0) assertDecodableHoles(info);
  return [
    ...(isEstimated ? [`the ${info.chunks.kind} have no lengths; these follow from the file`] : []),
    ...(holes > 0 ? [holesWarning(holes, needed, directory, info)] : []),
  ];
}

function assertWithinFile(
  { reader }: TiffFile,
  { chunks }: DirectoryInfo,
  { index, offset, byteCount }: NumberedChunk,
): void {
  const end = offset + byteCount;
  if (end <= reader.size) return;
  const where = `${chunks.kind.slice(0, -1)} ${index} ends at byte ${end}`;
  throw new RejectedImageError('TRUNCATED', `${where}, the file has ${reader.size}`);
}

/** All chunks of an image are of the same kind. */
async function assertDecodableJpeg({ reader }: TiffFile, { offset, byteCount }: NumberedChunk): Promise<void> {
  const { frame } = await readJpegStructure(joinedReader(reader, [{ offset, length: byteCount }]));
  if (frame) assertDecodableFrame(frame);
}

/** Strips of separate planes cannot be decoded one by one where the last of a plane is shorter. */
function assertDecodableHoles({ compression, planar, chunks, height }: DirectoryInfo): void {
  const isLossy = compression === Compression.jpeg || compression === Compression.webp;
  if (!isLossy || !planar || chunks.kind === 'tiles' || height % chunks.height === 0) return;
  throw new RejectedImageError(
    'UNSUPPORTED_PIXELS',
    'some of its JPEG strips of separate planes are not stored; save it with interleaved samples and send that',
  );
}

function holesWarning(holes: number, all: number, directory: Directory, { chunks }: DirectoryInfo): string {
  const value = directory.has(Tag.GdalNoData) ? "GDAL's value for no data" : '0';
  return `${holes} of ${all} ${chunks.kind} are not stored; their samples are ${value}`;
}
