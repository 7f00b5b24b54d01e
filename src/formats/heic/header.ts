/** The primary image of a HEIC file, as its boxes describe it. */
import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1 } from '../../bytes/views.ts';
import { corrupt, textOf, unsupported, withinBytes } from '../header-bytes.ts';
import type { ImageShape } from '../decoded-image.ts';
import { type HeifMeta, type Property, readHeifMeta } from './heif-boxes.ts';

export interface HeicHeader {
  /** After the crop, the rotation and the mirroring that the file states. */
  readonly shape: ImageShape;
  /** Bits of a coded sample, 8 to 16. */
  readonly bits: number;
  /** Bits of a coded sample of opacity; those of the colours where there is none. */
  readonly alphaBits: number;
  readonly iccProfile: Uint8Array | undefined;
}

/** Names of item types other than HEVC, for their refusal. */
const codings: Readonly<Record<string, string>> = {
  av01: 'an AV1 image (AVIF)',
  avc1: 'an AVC image',
  jpeg: 'a JPEG image within HEIF',
  j2k1: 'a JPEG 2000 image within HEIF',
  vvc1: 'a VVC image',
  unci: 'an uncompressed image within HEIF',
  iovl: 'an overlay of images',
};

/** Reads the header of a HEIC file: a few ranged reads. Throws RejectedImageError. */
export async function readHeicHeader(reader: RangeReader): Promise<HeicHeader> {
  const meta = await readHeifMeta(reader);
  const { primary } = meta;
  const properties = meta.properties(primary);
  const coded = codedItem(meta, primary, 0);
  const { bits, isGrey } = readCoding(meta.properties(coded));
  const opacity = alphaItem(meta);
  return {
    shape: {
      ...uprightSize(properties),
      bands: isGrey ? 1 : 3,
      alpha: opacity !== undefined,
      bitDepth: bits > 8 ? 16 : 8,
    },
    bits,
    alphaBits: opacity === undefined ? bits : readCoding(meta.properties(codedItem(meta, opacity, 0))).bits,
    iccProfile: profileOf(properties) ?? profileOf(meta.properties(coded)),
  };
}

/** The coded item: the image itself, or the first tile of a grid. */
function codedItem(meta: HeifMeta, item: number, depth: number): number {
  const type = meta.types.get(item);
  if (type === 'hvc1') return item;
  if ((type === 'grid' || type === 'iden') && depth < 4) {
    const parts = meta.references.find((reference) => reference.type === 'dimg' && reference.from === item);
    const [first] = parts?.to ?? [];
    if (first === undefined) throw corrupt('Expected parts for the primary image', 'none');
    return codedItem(meta, first, depth + 1);
  }
  if (type === undefined) throw corrupt('Expected the primary image among the items', 'none');
  throw unsupported(codings[type] ?? `a HEIF item of type ${type}`);
}

/** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 8.3.3.1). */
function readCoding(properties: readonly Property[]): { bits: number; isGrey: boolean } {
  const configuration = properties.find(({ type }) => type === 'hvcC')?.content;
  if (!configuration) throw corrupt('Expected a decoder configuration for the primary image', 'none');
  return withinBytes('box hvcC', () => {
    const bits = 8 + (configuration.getUint8(17) & 7);
    return { bits, isGrey: (configuration.getUint8(16) & 3) === 0 };
  });
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

function uprightSize(properties: readonly Property[]): { width: number; height: number } {
  const extents = properties.find(({ type }) => type === 'ispe')?.content;
  if (!extents) throw corrupt('Expected the size of the primary image', 'none');
  let width = withinBytes('box ispe', () => extents.getUint32(4));
  let height = withinBytes('box ispe', () => extents.getUint32(8));
  for (const { type, content } of properties) {
    if (type === 'clap') {
      width = withinBytes('box clap', () => Math.round(content.getUint32(0) / content.getUint32(4)));
      height = withinBytes('box clap', () => Math.round(content.getUint32(8) / content.getUint32(12)));
    }
    if (type === 'irot' && content.byteLength > 0 && content.getUint8(0) % 2 === 1) [width, height] = [height, width];
  }
  if (!(width >= 1) || !(height >= 1)) throw corrupt('Expected an image of at least one pixel', `${width} × ${height}`);
  return { width, height };
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
