import type { RangeReader } from '../../bytes/range-reader.ts';
import { joinedReader, latin1, type Place, readExactly, viewOf } from '../../metadata/bounded-reader.ts';
import { MAX_SEGMENTS } from '../../metadata/bounds.ts';
import type { Carriers, ExtendedXmpPortion } from '../../metadata/carriers.ts';
import type { Resolution } from '../../metadata/embedded-metadata.ts';
import { resolutionOf } from '../../metadata/exif.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';

const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP13 = 0xed;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** What starts an application segment, and so names what follows. */
const Signature = {
  jfif: 'JFIF\0',
  exif: 'Exif\0\0',
  xmp: 'http://ns.adobe.com/xap/1.0/\0',
  extendedXmp: 'http://ns.adobe.com/xmp/extension/\0',
  icc: 'ICC_PROFILE\0',
  photoshop: 'Photoshop 3.0\0',
};

interface Segment extends Place {
  readonly marker: number;
  /** As much of its beginning as signatures and their numbers take. */
  readonly head: Uint8Array;
}

/** The application segments of a JPEG before its first scan. */
export async function findInJpeg(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const segments: Segment[] = [];
  await warnings.attempt('JPEG segments', () => walkSegments(reader, segments));
  const behind = (marker: number, signature: string): Place[] =>
    segments
      .filter((segment) => isSigned(segment, marker, signature))
      .map((segment) => after(segment, signature.length));
  const first = (places: readonly Place[]): RangeReader | undefined =>
    places[0] && joinedReader(reader, places.slice(0, 1));
  const all = (places: readonly Place[]): RangeReader | undefined =>
    places.length > 0 ? joinedReader(reader, places) : undefined;
  const jfif = segments.find((segment) => isSigned(segment, APP0, Signature.jfif));
  return {
    exif: first(behind(APP1, Signature.exif)),
    xmp: first(behind(APP1, Signature.xmp)),
    extendedXmp: segments.flatMap(extendedXmpPortion),
    icc: all(profileChunks(segments)),
    photoshop: all(behind(APP13, Signature.photoshop)),
    resolution: jfif && jfifDensity(jfif.head),
  };
}

function isSigned({ marker, head }: Segment, expected: number, signature: string): boolean {
  return marker === expected && latin1(head).startsWith(signature);
}

function after({ offset, length }: Place, skipped: number): Place {
  return { offset: offset + skipped, length: Math.max(0, length - skipped) };
}

/** ICC.1:2022, section B.4: a byte numbers each chunk of a profile, another counts them. */
function profileChunks(segments: readonly Segment[]): Place[] {
  const numberAt = Signature.icc.length;
  return segments
    .filter((segment) => isSigned(segment, APP2, Signature.icc))
    .sort((a, b) => (a.head[numberAt] ?? 0) - (b.head[numberAt] ?? 0))
    .map((segment) => after(segment, numberAt + 2));
}

/** ITU-T T.81, section B.1.1: a marker and, but for those without, a length that counts itself. */
async function walkSegments(reader: RangeReader, segments: Segment[]): Promise<void> {
  for (let at = 2, walked = 0; at + 4 <= reader.size; walked++) {
    if (walked === MAX_SEGMENTS) throw new MalformedMetadataError(`Expected at most ${MAX_SEGMENTS} segments`);
    const head = await reader.read(at, 96);
    const marker = head[1] ?? 0;
    if (head[0] !== 0xff) throw new MalformedMetadataError(`Expected a marker at 0x${at.toString(16)}`);
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE) return;
    const length = viewOf(head).getUint16(2);
    if (length < 2) throw new MalformedMetadataError(`Expected a length at 0x${at.toString(16)}`);
    if (at + 2 + length > reader.size) throw new MalformedMetadataError('Expected a scan but the file ends before');
    if (marker >= APP0) segments.push({ marker, offset: at + 4, length: length - 2, head: head.slice(4, 2 + length) });
    at += 2 + length;
  }
  throw new MalformedMetadataError('Expected a scan but the file ends before');
}

function extendedXmpPortion({ marker, head, offset, length }: Segment): ExtendedXmpPortion[] {
  const signature = Signature.extendedXmp.length;
  const header = signature + 32 + 8;
  if (marker !== APP1 || length < header || !latin1(head).startsWith(Signature.extendedXmp)) return [];
  const view = viewOf(head);
  return [
    {
      digest: latin1(head.subarray(signature, signature + 32)).toUpperCase(),
      length: view.getUint32(signature + 32),
      offset: view.getUint32(signature + 36),
      place: { offset: offset + header, length: length - header },
    },
  ];
}

/** JFIF 1.02: units at byte 7 (0 is an aspect ratio, no resolution), densities at 8 and 10. */
function jfifDensity(head: Uint8Array): Resolution | undefined {
  if (head.length < 12) return undefined;
  const view = viewOf(head);
  const unit = ([undefined, 'inch', 'cm'] as const)[view.getUint8(7)];
  return resolutionOf(view.getUint16(8), view.getUint16(10), unit);
}

/** The Exif block behind the signature that some writers put before it in other formats too. */
export async function withoutExifSignature(reader: RangeReader): Promise<RangeReader> {
  const signature = Signature.exif.length;
  if (reader.size < signature || latin1(await readExactly(reader, 0, signature)) !== Signature.exif) return reader;
  return joinedReader(reader, [{ offset: signature, length: reader.size - signature }]);
}
