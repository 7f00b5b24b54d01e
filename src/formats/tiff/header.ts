import { RejectedImageError } from '../../errors.ts';
import { describeDirectory, type DirectoryInfo, readChunkTable } from '../../tiff/directory-info.ts';
import type { Description } from '../../tiff/pyramid-fields.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { type Directory, readBytes, readNumber, readTiff, type TiffFile } from '../../tiff/read.ts';
import { Compression, Photometric, Tag } from '../../tiff/tags.ts';
import type { HeaderOptions, Identified } from '../format.ts';
import { describeTiffPixels, type Pixels } from './pixels.ts';

/** Compressions of TIFF that the prebuilt libvips decodes. */
const decodable: ReadonlySet<number> = new Set([
  Compression.none,
  Compression.ccittRle,
  Compression.ccittT4,
  Compression.ccittT6,
  Compression.lzw,
  Compression.jpeg,
  Compression.deflate,
  Compression.packbits,
  Compression.adobeDeflate,
  Compression.webp,
]);

/** Reads the first directory of a TIFF master. Throws MalformedTiffError or RejectedImageError. */
export async function identifyTiff(reader: RangeReader, options: HeaderOptions): Promise<Identified> {
  const file = await readTiff(reader, 1);
  const [directory] = file.directories;
  if (!directory) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  const info = await describeDirectory(file, directory);
  const profile = await readBytes(file, directory, Tag.IccProfile);
  assertDecodable(info);
  const pixels = await describeTiffPixels(file, directory, info, profile, options);
  await assertWhole(file, directory, info);
  const { kind, width, height } = info.chunks;
  return {
    image: {
      format: 'tiff',
      width: info.width,
      height: info.height,
      ...pixels,
      orientation: info.orientation >= 1 && info.orientation <= 8 ? info.orientation : 1,
      progressive: false,
      uncompressed:
        info.compression === Compression.none && kind === 'strips' && !info.planar && isOfWholeBytes(info, pixels),
      chunks: { kind, width, height },
      fileSize: reader.size,
    },
    description: await readDescription(file, directory, profile),
    warnings: warningsOf(pixels),
  };
}

function warningsOf({ ignoredSamples = [] }: Pixels): string[] {
  const count = ignoredSamples.length;
  if (count === 0) return [];
  const [samples, are, their] = count === 1 ? ['a sample', 'is', 'its'] : [`${count} samples`, 'are', 'their'];
  return [`${samples} of each pixel beside its colours ${are} left out: the file does not state ${their} meaning`];
}

function isOfWholeBytes({ bitsPerSample }: DirectoryInfo, { model }: Pixels): boolean {
  return (model === 'grey' || model === 'rgb') && (bitsPerSample[0] ?? 0) >= 8;
}

function assertDecodable({ compression, planar, photometric }: DirectoryInfo): void {
  const refuse = (what: string): never => {
    throw new RejectedImageError(
      'UNSUPPORTED_PIXELS',
      `${what} has no decoder here; send it uncompressed, LZW, deflate or JPEG`,
    );
  };
  if (planar && photometric === Photometric.yCbCr) refuse('YCbCr in separate planes');
  if (!decodable.has(compression)) refuse(`TIFF compression ${compression}`);
}

/**
 * Refuses a file that ends before one of its strips or tiles does, before any pixels are decoded.
 */
async function assertWhole(file: TiffFile, directory: Directory, info: DirectoryInfo): Promise<void> {
  const table = await readChunkTable(file, directory, info);
  const needed = info.chunks.across * info.chunks.down * (info.planar ? info.samplesPerPixel : 1);
  for (let index = 0; index < needed; index++) {
    const end = (table.offsets[index] ?? 0) + (table.byteCounts[index] ?? 0);
    if (end > file.reader.size) {
      const where = `${info.chunks.kind.slice(0, -1)} ${index} ends at byte ${end}`;
      throw new RejectedImageError('TRUNCATED', `${where}, the file has ${file.reader.size}`);
    }
  }
}

async function readDescription(
  file: TiffFile,
  directory: Directory,
  icc: Uint8Array | undefined,
): Promise<Description> {
  const rational = async (tag: number): Promise<readonly [number, number] | undefined> => {
    const bytes = await readBytes(file, directory, tag);
    if (bytes?.length !== 8) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
    return [view.getUint32(0, file.littleEndian), view.getUint32(4, file.littleEndian)];
  };
  const x = await rational(Tag.XResolution);
  const y = await rational(Tag.YResolution);
  const unit = await readNumber(file, directory, Tag.ResolutionUnit, 2);
  return {
    ...(icc ? { iccProfile: Buffer.from(icc).toString('base64') } : {}),
    ...(x && y ? { resolution: { x, y, unit } } : {}),
  };
}
