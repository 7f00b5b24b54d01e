/**
 * The header of a Photoshop document: PSD (version 1) and PSB (version 2). Big-endian. Adobe
 * Photoshop File Formats Specification, November 2019,
 * https://www.adobe.com/devnet-apps/photoshop/fileformatashtml/
 */
import type { RangeReader } from '../../bytes/range-reader.ts';
import { viewOf } from '../../bytes/views.ts';
import { RejectedImageError } from '../../errors.ts';
import type { ByteRange } from '../../metadata/bounded-reader.ts';
import { joinedReader } from '../../metadata/bounded-reader.ts';
import { findPhotoshopResource } from '../../metadata/photoshop.ts';
import type { ImageShape, PixelDensity } from '../decoded-image.ts';
import { corrupt, unsupported } from '../header-bytes.ts';

export interface PsdHeader {
  readonly shape: ImageShape;
  /** Bits of a stored sample. */
  readonly bits: 1 | 8 | 16;
  /** Stored planes: those of the colours, then opacity and selections. */
  readonly channels: number;
  /** Bytes of a length of a row under run-length coding. */
  readonly lengthBytes: 2 | 4;
  /** All reds, all greens, all blues of 256 entries; undefined without a palette. */
  readonly palette: Uint8Array | undefined;
  readonly resources: ByteRange;
  /** Offset of the flattened picture. Bytes. */
  readonly pictureAt: number;
  readonly resolution: PixelDensity | undefined;
}

const HEADER_BYTES = 26;
const PALETTE_BYTES = 768;
/** Colour modes that are decoded; duotones are stored as grey. */
const modes: Readonly<Record<number, { readonly colours: 1 | 3; readonly bits: readonly number[] }>> = {
  0: { colours: 1, bits: [1] },
  1: { colours: 1, bits: [8, 16] },
  2: { colours: 1, bits: [8] },
  3: { colours: 3, bits: [8, 16] },
  8: { colours: 1, bits: [8, 16] },
};
const INDEXED = 2;
const otherModes: Readonly<Record<number, string>> = {
  4: 'a Photoshop document in CMYK',
  7: 'a Photoshop document of several inks',
  9: 'a Photoshop document in L*a*b*',
};

/** Numbers of resources. */
const RESOLUTION = 1_005;
const VERSION_INFO = 1_057;

/**
 * Reads the header: a few ranged reads. Throws RejectedImageError, UNSUPPORTED_PIXELS for other
 * colour models and for a document that was saved without its flattened picture.
 */
export async function readPsdHeader(reader: RangeReader): Promise<PsdHeader> {
  const fixed = await wholeRead(reader, 0, HEADER_BYTES);
  const version = fixed.getUint16(4);
  if (version !== 1 && version !== 2) throw corrupt('Expected version 1 or 2 of a Photoshop document', version);
  const height = fixed.getUint32(14);
  const width = fixed.getUint32(18);
  if (width === 0 || height === 0) throw corrupt('Expected at least one pixel', `${width} × ${height}`);
  const { mode, bits, colours } = samplesOf(fixed);
  const channels = fixed.getUint16(12);
  if (channels < colours) throw corrupt(`Expected at least ${colours} channels`, channels);
  const modeData = await sectionAt(reader, HEADER_BYTES, 4);
  const resources = await sectionAt(reader, modeData.offset + modeData.length, 4);
  const layers = await sectionAt(reader, resources.offset + resources.length, version === 1 ? 4 : 8);
  await assertFlattened(reader, resources);
  return {
    shape: { width, height, bands: mode === INDEXED ? 3 : colours, alpha: false, bitDepth: bits === 16 ? 16 : 8 },
    bits,
    channels,
    lengthBytes: version === 1 ? 2 : 4,
    palette: mode === INDEXED ? await readPalette(reader, modeData) : undefined,
    resources,
    pictureAt: layers.offset + layers.length,
    resolution: await readDensity(reader, resources),
  };
}

function samplesOf(fixed: DataView): { mode: number; bits: PsdHeader['bits']; colours: 1 | 3 } {
  const mode = fixed.getUint16(24);
  const bits = fixed.getUint16(22);
  const known = modes[mode];
  if (!known) throw unsupported(otherModes[mode] ?? `a Photoshop document of colour mode ${mode}`);
  if (!known.bits.includes(bits)) throw unsupported(`a Photoshop document of ${bits} bits a sample`);
  return { mode, bits: bits === 1 ? 1 : bits === 16 ? 16 : 8, colours: known.colours };
}

/** The content of a section behind its length, which has 4 or 8 bytes. */
async function sectionAt(reader: RangeReader, at: number, lengthBytes: 4 | 8): Promise<ByteRange> {
  const view = await wholeRead(reader, at, lengthBytes);
  const length = lengthBytes === 4 ? view.getUint32(0) : Number(view.getBigUint64(0));
  const section = { offset: at + lengthBytes, length };
  if (section.offset + length <= reader.size) return section;
  throw new RejectedImageError('TRUNCATED', `a section ends at byte ${section.offset + length} of ${reader.size}`);
}

async function readPalette(reader: RangeReader, { offset, length }: ByteRange): Promise<Uint8Array> {
  if (length < PALETTE_BYTES) throw corrupt(`Expected a palette of ${PALETTE_BYTES} bytes`, length);
  const view = await wholeRead(reader, offset, PALETTE_BYTES);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** Photoshop leaves the flattened picture white if "Maximize Compatibility" is off. */
async function assertFlattened(reader: RangeReader, resources: ByteRange): Promise<void> {
  const info = await resourceOf(reader, resources, VERSION_INFO);
  if (info && info.byteLength >= 5 && info.getUint8(4) === 0) {
    throw new RejectedImageError(
      'UNSUPPORTED_PIXELS',
      'the Photoshop document was saved without its flattened picture; save it with maximum compatibility',
    );
  }
}

/** Pixels per inch as 16.16 fixed point, across and down. */
async function readDensity(reader: RangeReader, resources: ByteRange): Promise<PixelDensity | undefined> {
  const info = await resourceOf(reader, resources, RESOLUTION);
  if (!info || info.byteLength < 12) return undefined;
  const x = info.getUint32(0) / 65_536;
  const y = info.getUint32(8) / 65_536;
  return x > 0 && y > 0 ? { x, y, unit: 'inch' } : undefined;
}

/** Longest resource that this reader needs. Bytes. */
const RESOURCE_BYTES = 64;

/** The start of a resource; undefined when there is none or when the resources are malformed. */
async function resourceOf(reader: RangeReader, resources: ByteRange, number: number): Promise<DataView | undefined> {
  const found = await findPhotoshopResource(joinedReader(reader, [resources]), number).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'MalformedMetadataError') return undefined;
    throw error;
  });
  return found && viewOf(await found.read(0, Math.min(found.size, RESOURCE_BYTES)));
}

async function wholeRead(reader: RangeReader, at: number, length: number): Promise<DataView> {
  const bytes = await reader.read(at, length);
  if (bytes.length === length) return viewOf(bytes);
  throw new RejectedImageError('TRUNCATED', `the file ends at byte ${reader.size}, within its header`);
}
