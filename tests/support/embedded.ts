/**
 * Writes embedded metadata, valid or not: Exif blocks, IPTC records, Photoshop resources, and their
 * carriers.
 */
import sharp from 'sharp';
import { crc32 } from 'node:zlib';
import { type HandField, handTiff, type HandTiff, long } from './tiff-bytes.ts';

export const text = (tag: number, value: string, encoding: BufferEncoding = 'utf8'): HandField => ({
  tag,
  type: 2,
  values: [...Buffer.from(`${value}\0`, encoding)],
});

export const blob = (tag: number, value: Uint8Array, type = 7): HandField => ({ tag, type, values: [...value] });

/** RATIONALs from numerators and denominators. */
export const rational = (tag: number, ...values: number[]): HandField => ({ tag, type: 5, values });

export interface ExifDirectories extends Omit<HandTiff, 'directories' | 'lastPoints'> {
  readonly image?: readonly HandField[];
  readonly exif?: readonly HandField[];
  readonly gps?: readonly HandField[];
}

/** A TIFF structure whose first directory points to an Exif and a GPS directory. */
export function exifBlock({ image = [], exif, gps, ...shape }: ExifDirectories): Uint8Array {
  const subordinate = [
    { tag: 34_665, fields: exif },
    { tag: 34_853, fields: gps },
  ].flatMap(({ tag, fields }) => (fields ? [{ tag, fields }] : []));
  const write = (places: readonly number[]): Uint8Array => {
    const pointers = subordinate.map(({ tag }, index) => long(tag, places[index] ?? 0));
    const first = [...image, ...pointers].sort((a, b) => a.tag - b.tag);
    return handTiff({ ...shape, directories: [first, ...subordinate.map(({ fields }) => fields)] });
  };
  // The writer chains directories; the offsets are taken from the chain of a first draft.
  return write(chainOf(write([]), shape.littleEndian ?? true, shape.bigTiff ?? false).slice(1));
}

function chainOf(bytes: Uint8Array, little: boolean, big: boolean): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const pointer = (at: number): number => (big ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const places: number[] = [];
  for (let place = pointer(big ? 8 : 4); place !== 0;) {
    places.push(place);
    const fields = big ? Number(view.getBigUint64(place, little)) : view.getUint16(place, little);
    place = pointer(place + (big ? 8 + 20 * fields : 2 + 12 * fields));
  }
  return places;
}

/** IPTC-IIM datasets: record, number, value. */
export function iptcRecord(...datasets: readonly (readonly [number, number, string | Uint8Array])[]): Buffer {
  return Buffer.concat(
    datasets.map(([record, number, value]) => {
      const bytes = Buffer.from(value);
      const header = Buffer.from([0x1c, record, number, 0, 0]);
      header.writeUInt16BE(bytes.length, 3);
      return Buffer.concat([header, bytes]);
    }),
  );
}

/** Photoshop image resources: number, value. */
export function photoshopResources(...resources: readonly (readonly [number, Uint8Array])[]): Buffer {
  return Buffer.concat(
    resources.map(([number, value]) => {
      const header = Buffer.alloc(12);
      header.write('8BIM', 'latin1');
      header.writeUInt16BE(number, 4);
      header.writeUInt32BE(value.length, 8);
      return Buffer.concat([header, value, Buffer.alloc(value.length % 2)]);
    }),
  );
}

/** An application segment of a JPEG: marker, signature and content. */
export function jpegSegment(marker: number, ...content: readonly (string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const header = Buffer.from([0xff, marker, 0, 0]);
  header.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([header, body]);
}

/** These segments behind the start of a JPEG. */
export function jpegWith(jpeg: Uint8Array, ...segments: readonly Uint8Array[]): Buffer {
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)]);
}

/** The segments of an extended XMP packet, cut into portions, the last first. */
export function extendedXmpSegments(digest: string, packet: Uint8Array, portionBytes: number): Buffer[] {
  const segments: Buffer[] = [];
  for (let offset = 0; offset < packet.length; offset += portionBytes) {
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(packet.length, 0);
    numbers.writeUInt32BE(offset, 4);
    const portion = packet.subarray(offset, offset + portionBytes);
    segments.unshift(jpegSegment(0xe1, 'http://ns.adobe.com/xmp/extension/\0', digest, numbers, portion));
  }
  return segments;
}

export function pngChunk(type: string, ...content: readonly (string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(content.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  const chunk = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), body, Buffer.alloc(4)]);
  chunk.writeUInt32BE(body.length, 0);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}

/** These chunks behind the header of a PNG, or before its end. */
export function pngWith(png: Uint8Array, place: 'start' | 'end', ...chunks: readonly Uint8Array[]): Buffer {
  const at = place === 'start' ? 33 : png.length - 12;
  return Buffer.concat([png.subarray(0, at), ...chunks, png.subarray(at)]);
}

/** These chunks behind the pixels of a WebP. */
export function webpWith(webp: Uint8Array, ...chunks: readonly (readonly [string, Uint8Array])[]): Buffer {
  const added = chunks.map(([name, value]) => {
    const header = Buffer.from(`${name}\0\0\0\0`, 'latin1');
    header.writeUInt32LE(value.length, 4);
    return Buffer.concat([header, value, Buffer.alloc(value.length % 2)]);
  });
  const whole = Buffer.concat([webp, ...added]);
  whole.writeUInt32LE(whole.length - 8, 4);
  return whole;
}

/** An XMP packet of one description: its attributes, and the properties in it. */
export function xmpPacket(properties: string, attributes = ''): string {
  return [
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>',
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">',
    ' <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">',
    '  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"',
    '    xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"',
    '    xmlns:aux="http://ns.adobe.com/exif/1.0/aux/" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"',
    `    xmlns:xmpNote="http://ns.adobe.com/xmp/note/" ${attributes}>`,
    properties,
    '  </rdf:Description>',
    ' </rdf:RDF>',
    '</x:xmpmeta>',
    ' '.repeat(200),
    '<?xpacket end="w"?>',
  ].join('\n');
}

/** A picture of one colour to embed metadata in. */
export const picture = (): ReturnType<typeof sharp> =>
  sharp({ create: { width: 24, height: 16, channels: 3, background: '#806040' } });

/** An XMP packet with Dublin Core properties in two languages. */
export const dublinCore = xmpPacket(
  [
    '<dc:title><rdf:Alt><rdf:li xml:lang="de">Die Brücke</rdf:li>',
    '<rdf:li xml:lang="x-default">The bridge &amp; the river</rdf:li></rdf:Alt></dc:title>',
    '<dc:creator><rdf:Seq><rdf:li>Ada Muster</rdf:li><rdf:li>Ben Sample</rdf:li></rdf:Seq></dc:creator>',
    '<dc:subject><rdf:Bag><rdf:li>bridge</rdf:li></rdf:Bag></dc:subject>',
    '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">Public domain</rdf:li></rdf:Alt></dc:rights>',
  ].join(''),
  'photoshop:Credit="City archive" xmp:ModifyDate="2021-03-04T05:06:07+01:00"',
);
