import type { RangeReader } from '../../bytes/range-reader.ts';
import { joinedReader } from '../../metadata/bounded-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import { findPhotoshopResource } from '../../metadata/photoshop.ts';
import { type ConvertedFormat, type Decoder, signature } from '../format.ts';
import { decodePsd } from './decode.ts';
import { readPsdHeader } from './header.ts';

/** Photoshop documents, PSD and PSB, of which the flattened picture is decoded. */
export const psd = {
  kind: 'converted',
  name: 'psd',
  title: 'PSD',
  matches: signature('8BPS'),
  metadata: findResources,
} as const satisfies ConvertedFormat;

/** Decodes with code of this folder. */
export const psdDecoder: Decoder = {
  header: async (reader) => (await readPsdHeader(reader)).shape,
  decode: decodePsd,
  memory: () => ({ heap: 0, rasterCopies: 1 }),
};

/** Numbers of the resources that hold metadata. */
const EXIF = 1_058;
const XMP = 1_060;
const ICC = 1_039;

async function findResources(reader: RangeReader): Promise<Carriers> {
  const { resources } = await readPsdHeader(reader);
  const block = joinedReader(reader, [resources]);
  const [exif, xmp, icc] = await Promise.all([EXIF, XMP, ICC].map((number) => findPhotoshopResource(block, number)));
  // IPTC is read from the block of resources, as in other formats.
  return { exif, xmp, icc, photoshop: block };
}
