import { RejectedImageError } from '../errors.ts';
import { planLevels } from '../pyramid/levels.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import { describeDirectory, type DirectoryInfo, readSegmentTable } from '../tiff/directory-info.ts';
import type { Description } from '../tiff/pyramid-fields.ts';
import type { RangeReader } from '../tiff/range-reader.ts';
import { type Directory, readBytes, readNumber, readTiff, type TiffFile } from '../tiff/read.ts';
import { Compression, Photometric, Tag } from '../tiff/tags.ts';

/** What the prebuilt libvips decodes inside a TIFF; names are for the refusal of the others. */
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

/** Far more directories than a pyramid has levels; a document of more pages is refused all the same. */
const MAX_DIRECTORIES = 256;

/** A master that is a TIFF. Throws MalformedTiffError or RejectedImageError. */
export async function identifyTiff(reader: RangeReader): Promise<{ image: SourceImage; description: Description }> {
  const file = await readTiff(reader, MAX_DIRECTORIES);
  const [directory, ...others] = file.directories;
  if (!directory) throw new RejectedImageError('CORRUPT_HEADER', 'the TIFF has no directory');
  const info = await describeDirectory(file, directory);
  const pixels = describePixels(info);
  await assertOnePicture(file, info, others);
  await assertWhole(file, directory, info);
  const { kind, width, height } = info.segments;
  return {
    image: {
      format: 'tiff',
      width: info.width,
      height: info.height,
      ...pixels,
      orientation: info.orientation >= 1 && info.orientation <= 8 ? info.orientation : 1,
      progressive: false,
      plain: info.compression === Compression.none && kind === 'strips' && !info.planar,
      segments: { kind, width, height },
      fileSize: reader.size,
    },
    description: await readDescription(file, directory),
  };
}

/** For the refusal of those that are not grey or RGB. */
const colourModels: Readonly<Record<number, string>> = {
  [Photometric.palette]: 'a palette',
  [Photometric.mask]: 'a mask',
  [Photometric.cmyk]: 'CMYK',
  [Photometric.yCbCr]: 'YCbCr without JPEG',
  [Photometric.cieLab]: 'CIE L*a*b*',
};

type Pixels = Pick<SourceImage, 'bands' | 'alpha' | 'bitDepth'>;

function describePixels(info: DirectoryInfo): Pixels {
  const refuse = (what: string): never => {
    throw new RejectedImageError('UNSUPPORTED_PIXELS', `${what}; send grey or RGB of 8 or 16 unsigned bits`);
  };
  if (info.planar && info.segments.kind === 'tiles') refuse('tiles of separate colour planes have no decoder here');
  if (!decodable.has(info.compression)) refuse(`TIFF compression ${info.compression} has no decoder here`);
  const bands =
    colourBands(info) ??
    refuse(`the colour model is ${colourModels[info.photometric] ?? `number ${info.photometric}`}`);
  const depth = info.bitsPerSample[0];
  const even = info.bitsPerSample.every((bits) => bits === depth) && info.sampleFormat.every((format) => format === 1);
  if (!even || (depth !== 8 && depth !== 16)) {
    return refuse(`samples of ${info.bitsPerSample.join(', ')} bits (format ${info.sampleFormat.join(', ')})`);
  }
  const extra = info.samplesPerPixel - bands;
  const alpha = extra === 1 && info.extraSamples[0] === UNASSOCIATED_ALPHA;
  if (extra !== 0 && !alpha) refuse(`${info.samplesPerPixel} samples a pixel where ${bands} are colour`);
  return { bands, alpha, bitDepth: depth };
}

/** TIFF 6.0, section 18: alpha that the colours are not multiplied with. */
const UNASSOCIATED_ALPHA = 2;

function colourBands(info: DirectoryInfo): 1 | 3 | undefined {
  if (info.photometric === Photometric.whiteIsZero || info.photometric === Photometric.blackIsZero) return 1;
  if (info.photometric === Photometric.rgb) return 3;
  if (info.photometric === Photometric.yCbCr && info.compression === Compression.jpeg) return 3;
  return undefined;
}

/** The first page counts only when the others are its reduced versions or its masks. */
async function assertOnePicture(file: TiffFile, first: DirectoryInfo, others: readonly Directory[]): Promise<void> {
  const halvings = planLevels(first, 1).map((level) => `${level.width} × ${level.height}`);
  for (const [index, other] of others.entries()) {
    const info = await describeDirectory(file, other);
    const isReducedOrMask = (info.subfileType & 0b101) !== 0;
    const isHalving = halvings.slice(1).includes(`${info.width} × ${info.height}`);
    if (!isReducedOrMask && !isHalving) {
      const pages = file.more ? `more than ${file.directories.length}` : `${file.directories.length}`;
      throw new RejectedImageError('MULTI_PAGE', `${pages} pages, and page ${index + 2} is a picture of its own`);
    }
  }
}

/** Every strip or tile must lie within the file, so that a cut file is refused before a pixel is decoded. */
async function assertWhole(file: TiffFile, directory: Directory, info: DirectoryInfo): Promise<void> {
  const table = await readSegmentTable(file, directory, info);
  const needed = info.segments.across * info.segments.down * (info.planar ? info.samplesPerPixel : 1);
  for (let index = 0; index < needed; index++) {
    const end = (table.offsets[index] ?? 0) + (table.byteCounts[index] ?? 0);
    if (end > file.reader.size) {
      const where = `${info.segments.kind.slice(0, -1)} ${index} ends at byte ${end}`;
      throw new RejectedImageError('TRUNCATED', `${where}, the file has ${file.reader.size}`);
    }
  }
}

async function readDescription(file: TiffFile, directory: Directory): Promise<Description> {
  const icc = await readBytes(file, directory, Tag.IccProfile);
  const rational = async (tag: number): Promise<readonly number[] | undefined> => {
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
