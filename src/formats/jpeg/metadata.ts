import type { RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';
import { type ByteRange, joinedReader } from '../../metadata/bounded-reader.ts';
import { MAX_CONTAINER_PARTS } from '../../metadata/bounds.ts';
import { type Carriers, EXIF_SIGNATURE, type ExtendedXmpPortion } from '../../metadata/carriers.ts';
import type { Resolution } from '../../metadata/embedded-metadata.ts';
import { resolutionOf } from '../../metadata/exif.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';

const APP0 = 0xe0;
const APP1 = 0xe1;
const APP2 = 0xe2;
const APP13 = 0xed;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/** The text at the start of an application segment that identifies its content. */
const Signature = {
  jfif: 'JFIF\0',
  exif: EXIF_SIGNATURE,
  xmp: 'http://ns.adobe.com/xap/1.0/\0',
  extendedXmp: 'http://ns.adobe.com/xmp/extension/\0',
  icc: 'ICC_PROFILE\0',
  photoshop: 'Photoshop 3.0\0',
};

/** Enough for a marker, a length, the longest signature and the numbers after it. Bytes. */
const SEGMENT_START_BYTES = 96;

/** The content of a segment. */
interface Segment extends ByteRange {
  readonly marker: number;
  /** The first bytes of the content, at most `SEGMENT_START_BYTES - 4`. */
  readonly start: Uint8Array;
}

/** Locates the application segments before the first scan. */
export async function findInJpeg(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const segments: Segment[] = [];
  await warnings.attempt('JPEG segments', () => walkSegments(reader, segments));
  const after = (marker: number, signature: string): ByteRange[] =>
    segments
      .filter((segment) => isSigned(segment, marker, signature))
      .map((segment) => skipped(segment, signature.length));
  const first = (ranges: readonly ByteRange[]): RangeReader | undefined =>
    ranges[0] && joinedReader(reader, ranges.slice(0, 1));
  const all = (ranges: readonly ByteRange[]): RangeReader | undefined =>
    ranges.length > 0 ? joinedReader(reader, ranges) : undefined;
  const jfif = segments.find((segment) => isSigned(segment, APP0, Signature.jfif));
  return {
    exif: first(after(APP1, Signature.exif)),
    xmp: first(after(APP1, Signature.xmp)) ?? first(packetsOfOtherSignatures(segments, warnings)),
    extendedXmp: segments.flatMap(extendedXmpPortion),
    icc: all(profileChunks(segments)),
    photoshop: all(after(APP13, Signature.photoshop)),
    resolution: jfif && jfifDensity(jfif.start),
  };
}

function isSigned({ marker, start }: Segment, expected: number, signature: string): boolean {
  return marker === expected && latin1(start).startsWith(signature);
}

/**
 * XMP packets behind another signature than that of the specification, which some writers omit or
 * shorten. ExifTool reads them with a warning too.
 */
function packetsOfOtherSignatures(segments: readonly Segment[], warnings: Warnings): ByteRange[] {
  const packets = segments.flatMap((segment) => {
    const isKnown = [Signature.exif, Signature.xmp, Signature.extendedXmp].some((known) =>
      isSigned(segment, APP1, known),
    );
    const at = segment.marker === APP1 && !isKnown ? latin1(segment.start).search(PACKET_START) : -1;
    return at < 0 ? [] : [skipped(segment, at)];
  });
  if (packets.length > 0) warnings.add('XMP: read from a segment with a non-standard signature');
  return packets;
}

/** How XMP packets start, with or without their wrapper (ISO 16684-1, section 7). */
const PACKET_START = /<\?xpacket|<x(?:mp)?:xmpmeta|<x:xapmeta|<rdf:RDF/u;

function skipped({ offset, length }: ByteRange, bytes: number): ByteRange {
  return { offset: offset + bytes, length: Math.max(0, length - bytes) };
}

/**
 * ICC.1:2022, section B.4: after the signature, one byte numbers the chunks of a profile and
 * another counts them.
 */
function profileChunks(segments: readonly Segment[]): ByteRange[] {
  const numberAt = Signature.icc.length;
  return segments
    .filter((segment) => isSigned(segment, APP2, Signature.icc))
    .sort((a, b) => (a.start[numberAt] ?? 0) - (b.start[numberAt] ?? 0))
    .map((segment) => skipped(segment, numberAt + 2));
}

/**
 * ITU-T T.81, section B.1.1: segments consist of a marker and a length that counts itself; fill
 * bytes may come first.
 */
async function walkSegments(reader: RangeReader, segments: Segment[]): Promise<void> {
  for (let at = 2, walked = 0; at + 4 <= reader.size; walked++) {
    if (walked === MAX_CONTAINER_PARTS)
      throw new MalformedMetadataError(`Expected at most ${MAX_CONTAINER_PARTS} segments`);
    const bytes = await reader.read(at, SEGMENT_START_BYTES);
    const marker = bytes[1] ?? 0;
    if (bytes[0] !== 0xff) throw new MalformedMetadataError(`Expected a marker at 0x${at.toString(16)}`);
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === START_OF_SCAN || marker === END_OF_IMAGE) return;
    const length = viewOf(bytes).getUint16(2);
    if (length < 2) throw new MalformedMetadataError(`Expected a length at 0x${at.toString(16)}`);
    if (at + 2 + length > reader.size) throw new MalformedMetadataError('Expected a scan but the file ends before');
    if (marker >= APP0) {
      segments.push({ marker, offset: at + 4, length: length - 2, start: bytes.slice(4, 2 + length) });
    }
    at += 2 + length;
  }
  throw new MalformedMetadataError('Expected a scan but the file ends before');
}

/**
 * After the signature stand the digest (32 characters), the packet's length and the portion's
 * offset (4 bytes each).
 */
function extendedXmpPortion({ marker, start, offset, length }: Segment): ExtendedXmpPortion[] {
  const signature = Signature.extendedXmp.length;
  const header = signature + 32 + 8;
  if (marker !== APP1 || length < header || !latin1(start).startsWith(Signature.extendedXmp)) return [];
  const view = viewOf(start);
  return [
    {
      digest: latin1(start.subarray(signature, signature + 32)).toUpperCase(),
      offset: view.getUint32(signature + 36),
      range: { offset: offset + header, length: length - header },
    },
  ];
}

/**
 * JFIF 1.02: units at byte 7 (0 states an aspect ratio, not a resolution), densities at 8 and 10.
 */
function jfifDensity(segment: Uint8Array): Resolution | undefined {
  if (segment.length < 12) return undefined;
  const view = viewOf(segment);
  const unit = ([undefined, 'inch', 'cm'] as const)[view.getUint8(7)];
  return resolutionOf(view.getUint16(8), view.getUint16(10), unit);
}
