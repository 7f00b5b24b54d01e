import { RejectedImageError } from '../../errors.ts';
import { MAX_PROFILE_BYTES } from '../../limits.ts';
import { usableProfile } from '../../metadata/icc.ts';
import { describeDirectory, type DirectoryInfo } from '../../tiff/directory-info.ts';
import { describeRange, type MappedRange } from '../../pyramid/mapped-range.ts';
import type { Description } from '../../tiff/pyramid-fields.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { type Directory, readBytes, readNumber, readTiff, type TiffFile } from '../../tiff/read.ts';
import { withCurrentJpeg } from '../../tiff/old-jpeg.ts';
import { Compression, FieldType, Photometric, Tag } from '../../tiff/tags.ts';
import type { HeaderOptions, Identified } from '../format.ts';
import { validOrientation } from '../orientation.ts';
import { asRational } from '../resolution.ts';
import { checkChunks } from './chunks.ts';
import { describeTiffPixels, type Pixels } from './pixels.ts';

/** Compressions of TIFF that the prebuilt libvips decodes, and those that are decoded here. */
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
  Compression.zstd,
  Compression.lzma,
]);

/** Compressions without a decoder, for their refusal. */
const undecoded: Readonly<Record<number, string>> = {
  [Compression.aperioJp2Ycc]: 'JPEG 2000 in TIFF',
  [Compression.aperioJp2Rgb]: 'JPEG 2000 in TIFF',
  [Compression.jp2]: 'JPEG 2000 in TIFF',
};

/** Reads the first directory of a TIFF master. Throws MalformedTiffError or RejectedImageError. */
export async function identifyTiff(master: RangeReader, options: HeaderOptions): Promise<Identified> {
  const file = await readTiff(await withCurrentJpeg(master), 1);
  const [directory] = file.directories;
  if (!directory) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  const info = await describeDirectory(file, directory);
  const profile = await readProfile(file, directory);
  assertDecodable(info);
  const pixels = await describeTiffPixels(file, directory, info, profile, options);
  const unusual = await checkChunks(file, directory, info);
  const mappedRange = statedRange(info);
  const { kind, width, height } = info.chunks;
  return {
    image: {
      format: 'tiff',
      width: info.width,
      height: info.height,
      ...pixels,
      ...(mappedRange ? { mappedRange } : {}),
      ...(info.mapping?.range === 'unknown' ? { unmeasured: true } : {}),
      orientation: validOrientation(info.orientation) ?? 1,
      progressive: false,
      uncompressed:
        info.compression === Compression.none && kind === 'strips' && !info.planar && isOfWholeBytes(info, pixels),
      chunks: { kind, width, height },
      fileSize: master.size,
    },
    statesOrientation: directory.has(Tag.Orientation) && validOrientation(info.orientation) !== undefined,
    description: await readDescription(file, directory, profile),
    warnings: [...warningsOf(pixels), ...(mappedRange ? describeRange(mappedRange) : []), ...unusual],
  };
}

function warningsOf({ ignoredSamples = [] }: Pixels): string[] {
  const count = ignoredSamples.length;
  if (count === 0) return [];
  const [samples, are, their] = count === 1 ? ['a sample', 'is', 'its'] : [`${count} samples`, 'are', 'their'];
  return [`${samples} of each pixel beside its colours ${are} left out: the file does not state ${their} meaning`];
}

/** The range of the samples, where the header states one. */
function statedRange({ mapping }: DirectoryInfo): MappedRange | undefined {
  if (!mapping?.range || mapping.range === 'unknown') return undefined;
  const { format, bits, range } = mapping;
  return { format, bits, ...range, from: 'header' };
}

async function readProfile(file: TiffFile, directory: Directory): Promise<Uint8Array | undefined> {
  const bytes = directory.get(Tag.IccProfile)?.bytes ?? 0;
  return bytes > MAX_PROFILE_BYTES ? undefined : usableProfile(await readBytes(file, directory, Tag.IccProfile));
}

function isOfWholeBytes({ bitsPerSample, mapping, ycc }: DirectoryInfo, { model }: Pixels): boolean {
  return !mapping && !ycc && (model === 'grey' || model === 'rgb') && (bitsPerSample[0] ?? 0) >= 8;
}

function assertDecodable({ compression, planar, photometric, ycc }: DirectoryInfo): void {
  const refuse = (what: string): never => {
    throw new RejectedImageError(
      'UNSUPPORTED_PIXELS',
      `${what} has no decoder here; send it uncompressed, LZW, deflate or JPEG`,
    );
  };
  if (planar && photometric === Photometric.yCbCr && !ycc) refuse('YCbCr of JPEG or other depths in separate planes');
  if (decodable.has(compression)) return;
  const name = undecoded[compression];
  refuse(name === undefined ? `TIFF compression ${compression}` : `${name} (compression ${compression})`);
}

async function readDescription(
  file: TiffFile,
  directory: Directory,
  icc: Uint8Array | undefined,
): Promise<Description> {
  const x = await readDensity(file, directory, Tag.XResolution);
  const y = await readDensity(file, directory, Tag.YResolution);
  const unit = await readNumber(file, directory, Tag.ResolutionUnit, INCH);
  const isResolution = x !== undefined && y !== undefined && [NO_UNIT, INCH, CENTIMETRE].includes(unit);
  return {
    ...(icc ? { iccProfile: Buffer.from(icc).toString('base64') } : {}),
    ...(isResolution ? { resolution: { x, y, unit } } : {}),
  };
}

/** Values of ResolutionUnit (TIFF 6.0, section 8). */
const [NO_UNIT, INCH, CENTIMETRE] = [1, 2, 3];

/** Pixels per unit as a fraction; undefined unless positive and finite. */
async function readDensity(
  file: TiffFile,
  directory: Directory,
  tag: number,
): Promise<readonly [number, number] | undefined> {
  const value = await readNumber(file, directory, tag, 0);
  if (!Number.isFinite(value) || value <= 0) return undefined;
  const bytes = await readBytes(file, directory, tag);
  if (directory.get(tag)?.type !== FieldType.RATIONAL || !bytes) return asRational(value);
  const view = viewOf(bytes);
  return [view.getUint32(0, file.littleEndian), view.getUint32(4, file.littleEndian)];
}
