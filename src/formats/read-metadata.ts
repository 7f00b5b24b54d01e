import type { RangeReader } from '../bytes/range-reader.ts';
import { type BoundedReader, boundedReader } from '../metadata/bounded-reader.ts';
import type { Carriers } from '../metadata/carriers.ts';
import { descriptiveOf } from '../metadata/descriptive.ts';
import type { EmbeddedMetadata, Xmp } from '../metadata/embedded-metadata.ts';
import { type ExifBlock, readExif } from '../metadata/exif.ts';
import { readIcc } from '../metadata/icc.ts';
import { type Iptc, readIptc } from '../metadata/iptc.ts';
import { findPhotoshopResource, IPTC_RESOURCE } from '../metadata/photoshop.ts';
import { toBase64 } from '../metadata/text.ts';
import { Warnings } from '../metadata/warnings.ts';
import { mainProperties } from '../metadata/xmp-properties.ts';
import { readXmp, withExtendedXmp } from '../metadata/xmp.ts';
import type { ConvertibleFormat, SourceFormat } from '../pyramid/source-image.ts';
import { type Registry, registry as defaultRegistry } from './registry.ts';

/**
 * Reads the embedded metadata of a master: at most 16 MiB of ranged reads, none for formats without
 * metadata. What cannot be read is left out and named in `warnings`; metadata never rejects a
 * master. Throws errors of the storage only.
 */
export async function readEmbeddedMetadata(
  source: RangeReader,
  format: SourceFormat | ConvertibleFormat,
  { direct, converted }: Registry = defaultRegistry,
): Promise<EmbeddedMetadata> {
  const reader = boundedReader(source);
  const warnings = new Warnings(reader.storageFailure);
  const formats = { ...direct, ...converted };
  const carriers = (await warnings.attempt(format, () => formats[format].metadata?.(reader, warnings))) ?? {};
  const { exif, icc: profile, text, resolution } = carriers;
  const block = exif && (await warnings.attempt('Exif', () => readExif(exif, warnings)));
  const iptc = await warnings.attempt('IPTC', () => iptcOf(carriers, warnings));
  const xmp = await warnings.attempt('XMP', () => xmpOf(carriers, reader, warnings));
  const icc = profile && (await warnings.attempt('ICC profile', () => readIcc(profile)));
  return assemble(block, iptc, { xmp, icc, text, resolution }, warnings);
}

/**
 * The metadata of a picture behind other directories. What its own directory does not state is
 * taken from the first directory of the file, in which cameras describe the whole; its profile and
 * its resolution are those of other pixels.
 */
export function withFileMetadata(own: EmbeddedMetadata, file: EmbeddedMetadata): EmbeddedMetadata {
  const gps = own.gps ?? file.gps;
  const xmp = own.xmp ?? file.xmp;
  return {
    ...own,
    exif: { ...file.exif, ...own.exif },
    iptc: Object.keys(own.iptc).length > 0 ? own.iptc : file.iptc,
    ...(gps ? { gps } : {}),
    ...(xmp ? { xmp } : {}),
    descriptive: { ...file.descriptive, ...own.descriptive },
    warnings: [...new Set([...own.warnings, ...file.warnings])],
  };
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
  return { ...metadata, descriptive: descriptiveOf(metadata, iptc && toBase64(iptc.bytes)) };
}

/** The IPTC datasets in a carrier of their own, else those among the Photoshop resources. */
async function iptcOf({ iptc, photoshop }: Carriers, warnings: Warnings): Promise<Iptc | undefined> {
  const own = iptc && (await warnings.attempt('IPTC', () => readIptc(iptc, warnings)));
  if (own || !photoshop) return own;
  const resource = await findPhotoshopResource(photoshop, IPTC_RESOURCE);
  return resource && readIptc(resource, warnings);
}

/** The XMP packet, merged with its extension where there is one. */
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
