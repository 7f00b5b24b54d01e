/** The primary image of a HEIC or AVIF file, as its boxes describe it. */
import { boxTitle } from '../boxes.ts';
import { RejectedImageError } from '../../errors.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1 } from '../../bytes/views.ts';
import { corrupt, textOf, unsupported, withinBytes } from '../header-bytes.ts';
import type { ImageShape } from '../decoded-image.ts';
import { codedColourWarnings } from './coded-colours.ts';
import { geometryOf, type HeicGeometry } from './geometry.ts';
import { type HeifMeta, type Property, readHeifMeta } from './heif-boxes.ts';

export interface HeifHeader extends HeicGeometry {
  /** After the crop, the rotation and the mirroring that the file states. */
  readonly shape: ImageShape;
  /** Bits of a coded sample, 8 to 16. */
  readonly bits: number;
  /** Bits of a coded sample of opacity; those of the colours where there is none. */
  readonly alphaBits: number;
  readonly iccProfile: Uint8Array | undefined;
}

/** The samples of a coded item. */
interface CodedSamples {
  readonly bits: number;
  readonly isGrey: boolean;
}

/** A coding of images within HEIF. */
export interface HeifCoding {
  /** Type of its items. */
  readonly item: string;
  /** Type of the property that has its decoder configuration. */
  readonly configuration: string;
  /** Reads that property; a RangeError tells that it is too short. */
  readonly samplesOf: (configuration: DataView) => CodedSamples;
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 8.3.3.1). */
const hevc: HeifCoding = {
  item: 'hvc1',
  configuration: 'hvcC',
  samplesOf: (record) => ({ bits: 8 + (record.getUint8(17) & 7), isGrey: (record.getUint8(16) & 3) === 0 }),
};

/** Names of the types of coded items, for their refusal. */
const codings: Readonly<Record<string, string>> = {
  hvc1: 'an HEVC image (HEIC)',
  av01: 'an AV1 image (AVIF)',
  avc1: 'an AVC image',
  jpeg: 'a JPEG image within HEIF',
  j2k1: 'a JPEG 2000 image within HEIF',
  vvc1: 'a VVC image',
  unci: 'an uncompressed image within HEIF',
  iovl: 'an overlay of images',
};

/**
 * Reads the header of a HEIC file, or of one of another coding: a few ranged reads. Throws
 * RejectedImageError.
 */
export async function readHeifHeader(reader: RangeReader, coding: HeifCoding = hevc): Promise<HeifHeader> {
  const meta = await readHeifMeta(reader);
  const { primary } = meta;
  const properties = meta.properties(primary);
  const coded = codedItem(meta, primary, coding);
  const { bits, isGrey } = readCoding(meta.properties(coded), coding);
  const opacity = alphaItem(meta);
  for (const item of [primary, ...(opacity === undefined ? [] : [opacity])]) assertWhole(meta, item, reader.size);
  const { full, crop, apertures } = geometryOf(properties);
  const ofOpacity = opacity === undefined ? [] : geometryOf(meta.properties(opacity)).apertures;
  const iccProfile = profileOf(properties) ?? profileOf(meta.properties(coded));
  const warnings = [
    ...(hasRepeatedReference(meta) ? [REPEATED_REFERENCE] : []),
    ...(iccProfile ? [] : codedColourWarnings([...properties, ...meta.properties(coded)])),
  ];
  return {
    shape: {
      width: crop.width,
      height: crop.height,
      ...(apertures.length > 0 ? { decodedPixels: full.width * full.height } : {}),
      bands: isGrey ? 1 : 3,
      alpha: opacity !== undefined,
      bitDepth: bits > 8 ? 16 : 8,
      ...(warnings.length > 0 ? { warnings } : {}),
    },
    bits,
    alphaBits:
      opacity === undefined ? bits : readCoding(meta.properties(codedItem(meta, opacity, coding)), coding).bits,
    full,
    crop,
    apertures: [...apertures, ...ofOpacity],
    iccProfile,
  };
}

/** The coded item: the image itself, or the first tile of a grid. */
function codedItem(meta: HeifMeta, item: number, coding: HeifCoding, depth = 0): number {
  const type = meta.types.get(item);
  if (type === coding.item) return item;
  if ((type === 'grid' || type === 'iden') && depth < 4) {
    const parts = meta.references.find((reference) => reference.type === 'dimg' && reference.from === item);
    const [first] = parts?.to ?? [];
    if (first === undefined) throw corrupt('Expected parts for the primary image', 'none');
    return codedItem(meta, first, coding, depth + 1);
  }
  if (type === undefined) throw corrupt('Expected the primary image among the items', 'none');
  throw unsupported(codings[type] ?? `a HEIF item of type ${type}`);
}

/**
 * Throws RejectedImageError TRUNCATED when data of the image, or of its parts, lie behind the end
 * of the file.
 */
function assertWhole({ references, locations }: HeifMeta, image: number, size: number): void {
  const parts = new Set([image]);
  for (const item of parts) {
    for (const { type, from, to } of references) {
      if (type === 'dimg' && from === item) to.forEach((part) => parts.add(part));
    }
  }
  const extents = locations.flatMap((location) => (parts.has(location.item) ? (location.extents ?? []) : []));
  const end = extents.reduce((last, { offset, length }) => Math.max(last, offset + length), 0);
  if (end > size) {
    throw new RejectedImageError('TRUNCATED', `the image data end at byte ${end}, the file has ${size}`);
  }
}

const REPEATED_REFERENCE = 'an item reference names the same item more than once; the further mentions are ignored';

/** Parts of a grid or an overlay may be repeated; in other references this has no meaning. */
function hasRepeatedReference({ references }: HeifMeta): boolean {
  return references.some(({ type, to }) => type !== 'dimg' && new Set(to).size < to.length);
}

function readCoding(properties: readonly Property[], { configuration, samplesOf }: HeifCoding): CodedSamples {
  const record = properties.find(({ type }) => type === configuration)?.content;
  if (!record) throw corrupt('Expected a decoder configuration for the primary image', 'none');
  return withinBytes(boxTitle(configuration), () => samplesOf(record));
}

const alphaKinds = new Set(['urn:mpeg:hevc:2015:auxid:1', 'urn:mpeg:mpegB:cicp:systems:auxiliary:alpha']);

/** The item that has the opacity of the primary image. */
function alphaItem(meta: HeifMeta): number | undefined {
  const { primary, references } = meta;
  const opacity = references
    .filter(({ type, to }) => type === 'auxl' && to.includes(primary))
    .find(({ from }) => alphaKinds.has(auxiliaryKind(meta.properties(from))))?.from;
  if (opacity !== undefined && references.some(({ type, from }) => type === 'prem' && from === primary)) {
    throw unsupported('colours premultiplied with alpha');
  }
  return opacity;
}

function auxiliaryKind(properties: readonly Property[]): string {
  const content = properties.find(({ type }) => type === 'auxC')?.content;
  if (!content || content.byteLength < 4) return '';
  const text = latin1(new Uint8Array(content.buffer, content.byteOffset + 4, content.byteLength - 4));
  return text.split('\0')[0] ?? '';
}

/** `colr` of type prof or rICC (ISO/IEC 14496-12, section 12.1.5). */
function profileOf(properties: readonly Property[]): Uint8Array | undefined {
  for (const { type, content } of properties) {
    if (type !== 'colr' || content.byteLength < 4) continue;
    const kind = textOf(content, 0);
    if (kind === 'prof' || kind === 'rICC') {
      return new Uint8Array(content.buffer, content.byteOffset + 4, content.byteLength - 4).slice();
    }
  }
  return undefined;
}
