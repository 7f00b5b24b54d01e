/**
 * Inserts an ICC profile unchanged, whatever the pixels are; encoders would convert or refuse it.
 */
import { crc32, deflateSync } from 'node:zlib';
import { type HandField, handTiff, long, short } from './tiff-bytes.ts';

/** Puts an iCCP chunk behind the header of a PNG (ISO/IEC 15948, 11.3.3.3). */
export function pngWithProfile(png: Buffer, profile: Uint8Array): Buffer {
  return pngWithChunk(png, 'iCCP', Buffer.concat([Buffer.from('profile\0\0', 'latin1'), deflateSync(profile)]));
}

/** Puts a chunk behind the header of a PNG. */
export function pngWithChunk(png: Buffer, name: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  const headerEnd = 33;
  return Buffer.concat([png.subarray(0, headerEnd), length, body, check, png.subarray(headerEnd)]);
}

/**
 * Puts an APP2 segment behind the first marker of a JPEG (ICC.1:2022, B.4); the profile must fit in
 * one.
 */
export function jpegWithProfile(jpeg: Buffer, profile: Uint8Array): Buffer {
  const name = Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1');
  const marker = Buffer.from([0xff, 0xe2, 0, 0]);
  marker.writeUInt16BE(2 + name.length + profile.length, 2);
  return Buffer.concat([jpeg.subarray(0, 2), marker, name, profile, jpeg.subarray(2)]);
}

/** Photometric interpretations, TIFF 6.0 and Adobe's supplement. */
export const photometric = { whiteIsZero: 0, blackIsZero: 1, rgb: 2, palette: 3, cmyk: 5, lab: 8, iccLab: 9 } as const;

export interface SampledTiff {
  readonly width: number;
  readonly height: number;
  readonly photometric: number;
  readonly samplesPerPixel: number;
  readonly bits: number;
  /**
   * Rows of bytes, each starting at a byte of its own; samples of 16 bits in the file's byte order.
   */
  readonly data: Uint8Array;
  readonly littleEndian?: boolean;
  readonly rowsPerStrip?: number;
  readonly profile?: Uint8Array;
  readonly more?: readonly HandField[];
}

/** An uncompressed TIFF in strips, of any samples. */
export function sampledTiff(tiff: SampledTiff): Buffer {
  const { width, height, samplesPerPixel, bits, data, rowsPerStrip = height, profile, more = [] } = tiff;
  const rowBytes = Math.ceil((width * samplesPerPixel * bits) / 8);
  const tops = Array.from({ length: Math.ceil(height / rowsPerStrip) }, (_, strip) => strip * rowsPerStrip);
  const fields = [
    long(256, width),
    long(257, height),
    short(258, ...Array.from({ length: samplesPerPixel }, () => bits)),
    short(259, 1),
    short(262, tiff.photometric),
    long(273, ...tops.map((top) => 8 + top * rowBytes)),
    short(277, samplesPerPixel),
    long(278, rowsPerStrip),
    long(279, ...tops.map((top) => Math.min(rowsPerStrip, height - top) * rowBytes)),
    ...(profile ? [{ tag: 34_675, type: 7, values: Array.from(profile) }] : []),
    ...more,
  ].sort((a, b) => a.tag - b.tag);
  return Buffer.from(handTiff({ littleEndian: tiff.littleEndian ?? true, data, directories: [fields] }));
}

/** Samples of 16 bits as bytes. */
export function words(samples: readonly number[], littleEndian = true): Buffer {
  const bytes = Buffer.alloc(2 * samples.length);
  samples.forEach((sample, index) => {
    if (littleEndian) bytes.writeUInt16LE(sample, 2 * index);
    else bytes.writeUInt16BE(sample, 2 * index);
  });
  return bytes;
}
