/** AVIF files: pictures that libaom codes without loss, in boxes made by hand. */
import sharp from 'sharp';
import { codedColours, extents, type HeicItem, heic } from './heic-fixtures.ts';
import { box } from './jp2-fixtures.ts';

export interface AvifPicture {
  readonly width: number;
  readonly height: number;
  /** 3 is RGB, 4 has alpha. */
  readonly channels: 3 | 4;
  readonly samples: Uint8Array;
}

/** A file as libheif writes it, lossless. */
export function avifOf({ width, height, channels, samples }: AvifPicture): Promise<Buffer> {
  return sharp(samples, { raw: { width, height, channels } })
    .avif({ lossless: true, chromaSubsampling: '4:4:4', effort: 0 })
    .toBuffer();
}

/** The same of 10 or 12 bits, from samples of 16 bits of which the highest are coded. */
export function deepAvifOf(
  { width, height, channels, samples }: Omit<AvifPicture, 'samples'> & { readonly samples: Uint16Array },
  bitdepth: 10 | 12,
): Promise<Buffer> {
  return sharp(samples, { raw: { width, height, channels } })
    .toColourspace('rgb16')
    .avif({ bitdepth, lossless: true, chromaSubsampling: '4:4:4', effort: 0 })
    .toBuffer();
}

/** The coded item of a file of one picture without alpha, with more properties. */
export async function av1Item(
  picture: AvifPicture & { readonly channels: 3 },
  ...more: readonly Uint8Array[]
): Promise<HeicItem> {
  const file = await avifOf(picture);
  const configuration = box('av1C', content(file, 'av1C'));
  return {
    type: 'av01',
    data: content(file, 'mdat'),
    properties: [extents(picture), configuration, codedColours(0), ...more],
  };
}

export function avif(items: readonly HeicItem[], brand = 'avif'): Uint8Array {
  return heic({ items, brand });
}

/** The content of the first box of a type, wherever it is. */
function content(file: Buffer, type: string): Uint8Array {
  const at = file.indexOf(type, 0, 'latin1');
  return Uint8Array.from(file.subarray(at + 4, at - 4 + file.readUInt32BE(at - 4)));
}
