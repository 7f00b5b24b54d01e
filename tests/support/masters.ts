/** Masters of every accepted format and kind, made by sharp alone. */
import { pictureOf } from './pixels.ts';

export interface Master {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The same picture in each format that is accepted. */
export async function mastersOf(width: number, height: number): Promise<Master[]> {
  const image = pictureOf(width, height);
  const grey = pictureOf(width, height, 1);
  const made: Readonly<Record<string, Promise<Buffer>>> = {
    JPEG: image.clone().jpeg({ quality: 90 }).toBuffer(),
    'progressive JPEG': image.clone().jpeg({ progressive: true }).toBuffer(),
    'grey JPEG': grey.clone().jpeg().toBuffer(),
    PNG: image.clone().png().toBuffer(),
    'interlaced PNG': image.clone().png({ progressive: true }).toBuffer(),
    '16-bit PNG': image.clone().toColourspace('rgb16').png().toBuffer(),
    WebP: image.clone().webp({ quality: 90 }).toBuffer(),
    'lossless WebP': image.clone().webp({ lossless: true }).toBuffer(),
    'TIFF of strips': image.clone().tiff({ compression: 'none' }).toBuffer(),
    'TIFF of LZW strips': image.clone().tiff({ compression: 'lzw' }).toBuffer(),
    'TIFF of deflate tiles': image.clone().tiff({ compression: 'deflate', tile: true }).toBuffer(),
    'TIFF of JPEG tiles': image.clone().tiff({ compression: 'jpeg', tile: true }).toBuffer(),
    BigTIFF: image.clone().tiff({ compression: 'none', bigtiff: true }).toBuffer(),
    '16-bit TIFF': image.clone().toColourspace('rgb16').tiff({ compression: 'deflate' }).toBuffer(),
  };
  return Promise.all(Object.entries(made).map(async ([name, bytes]) => ({ name, bytes: await bytes })));
}
