import type { RangeReader } from '../../bytes/range-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import type { Warnings } from '../../metadata/warnings.ts';
import { type DirectFormat, type Identified, signature } from '../format.ts';
import { describeLibvipsHeader, FIRST_READ_BYTES, readLibvipsHeader } from '../libvips-header.ts';
import { assertDecodableFrame } from './frame.ts';
import { findInJpeg } from './metadata.ts';
import { hasJpegEnd, readJpegStructure, withFillBytes } from './structure.ts';

/** ITU-T T.81. */
export const jpeg = {
  kind: 'direct',
  name: 'jpeg',
  title: 'JPEG',
  matches: signature('\xff\xd8\xff'),
  header: readJpegHeader,
  isWhole: hasJpegEnd,
  metadata: findInFilledJpeg,
} as const satisfies DirectFormat;

/** Largest number of gaps between segments that are filled. */
const MAX_GAPS = 64;

async function readJpegHeader(reader: RangeReader): Promise<Identified> {
  const { frame, stray } = await readJpegStructure(reader);
  if (frame) assertDecodableFrame(frame);
  const gaps = stray.slice(0, MAX_GAPS);
  const header = await readLibvipsHeader(withFillBytes(reader, gaps), FIRST_READ_BYTES, hasJpegEnd);
  const identified = await describeLibvipsHeader('jpeg', header, reader.size);
  if (gaps.length === 0) return identified;
  return {
    ...identified,
    image: { ...identified.image, gaps },
    warnings: ['the JPEG has bytes between its segments that belong to none; they are ignored'],
  };
}

async function findInFilledJpeg(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const structure = await warnings.attempt('JPEG segments', () => readJpegStructure(reader));
  return findInJpeg(withFillBytes(reader, structure?.stray ?? []), warnings);
}
