import type { RangeReader } from '../bytes/range-reader.ts';
import { type BoundedReader, boundedReader } from '../metadata/bounded-reader.ts';
import type { Carriers } from '../metadata/carriers.ts';
import { describe } from '../metadata/descriptive.ts';
import type { EmbeddedMetadata, Xmp } from '../metadata/embedded-metadata.ts';
import { type ExifBlock, readExif } from '../metadata/exif.ts';
import { findInHeic } from './heic/metadata.ts';
import { readIcc } from '../metadata/icc.ts';
import { type Iptc, readIptc } from '../metadata/iptc.ts';
import { findInJp2 } from './jp2/metadata.ts';
import { findInJpeg } from './jpeg/metadata.ts';
import { findIptcResource } from '../metadata/photoshop.ts';
import { findInPng } from './png/metadata.ts';
import { toBase64 } from '../metadata/text.ts';
import { findInTiff } from './tiff/metadata.ts';
import { Warnings } from '../metadata/warnings.ts';
import { findInWebp } from './webp/metadata.ts';
import { readXmp, withExtendedXmp } from '../metadata/xmp.ts';
import { mainProperties } from '../metadata/xmp-properties.ts';

/** Formats whose metadata is read. */
export type MetadataFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'jp2' | 'heic';

const finders: Readonly<
  Record<MetadataFormat, (reader: RangeReader, warnings: Warnings) => Promise<Carriers> | Carriers>
> = {
  jpeg: findInJpeg,
  png: findInPng,
  webp: findInWebp,
  jp2: findInJp2,
  heic: findInHeic,
  // A TIFF is itself the structure that an Exif block is in other formats.
  tiff: (reader) => ({ exif: reader }),
};

/**
 * Reads what a master says of itself, by at most 16 MiB of ranged reads. What cannot be read is named in `warnings` and
 * left out: no master fails here. Only errors of the storage are thrown.
 */
export async function readEmbeddedMetadata(source: RangeReader, format: MetadataFormat): Promise<EmbeddedMetadata> {
  const reader = boundedReader(source);
  const warnings = new Warnings(reader.storageFailure);
  const carriers = (await warnings.attempt(format, () => finders[format](reader, warnings))) ?? {};
  const exifReader = carriers.exif;
  const block = exifReader && (await warnings.attempt('Exif', () => readExif(exifReader, warnings)));
  const found = format === 'tiff' && block ? findInTiff(block.stream, block.ifd0) : carriers;
  const iptc = await warnings.attempt('IPTC', () => iptcOf(found, warnings));
  const xmp = await warnings.attempt('XMP', () => xmpOf(found, reader, warnings));
  const profile = found.icc;
  const icc = profile && (await warnings.attempt('ICC profile', () => readIcc(profile)));
  return assemble(block, iptc, { xmp, icc, text: found.text, resolution: found.resolution }, warnings);
}

function assemble(
  block: ExifBlock | undefined,
  iptc: Iptc | undefined,
  { xmp, icc, text, resolution }: { [Key in 'xmp' | 'icc' | 'text' | 'resolution']: EmbeddedMetadata[Key] | undefined },
  warnings: Warnings,
): EmbeddedMetadata {
  const resolved = block?.resolution ?? resolution;
  const metadata = {
    exif: block?.exif ?? {},
    ...(block?.gps ? { gps: block.gps } : {}),
    iptc: iptc?.fields ?? {},
    ...(xmp ? { xmp } : {}),
    ...(text ? { text } : {}),
    ...(icc ? { icc } : {}),
    ...(resolved ? { resolution: resolved } : {}),
    warnings: warnings.list(),
  };
  return { ...metadata, descriptive: describe(metadata, iptc && toBase64(iptc.bytes)) };
}

/** The record of its own, or the one among Photoshop's resources. */
async function iptcOf({ iptc, photoshop }: Carriers, warnings: Warnings): Promise<Iptc | undefined> {
  const own = iptc && (await warnings.attempt('IPTC', () => readIptc(iptc, warnings)));
  if (own || !photoshop) return own;
  const resource = await findIptcResource(photoshop);
  return resource && readIptc(resource, warnings);
}

async function xmpOf(carriers: Carriers, reader: BoundedReader, warnings: Warnings): Promise<Xmp | undefined> {
  const main = carriers.xmp && (await readXmp(carriers.xmp, warnings));
  const portions = carriers.extendedXmp ?? [];
  const packet = main?.packet;
  if (packet === undefined || portions.length === 0) return main;
  const merged = await warnings.attempt('extended XMP', async () => {
    const whole = await withExtendedXmp(packet, reader, portions);
    return { packet: whole, fields: mainProperties(whole) };
  });
  return merged ?? main;
}
