import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { decodeBmp } from './bmp/decode.ts';
import { decodeHeic } from './heic/decode.ts';
import { decodeJp2 } from './jp2/decode.ts';
import type { DecodedImage } from './decoded-image.ts';
import { decodeGif } from './gif/gif.ts';
import { decodePdf } from './pdf/pdf.ts';

export interface DecodeOptions {
  /** Of a PDF, in pixels per inch; other formats have pixels of their own. */
  readonly dpi: number;
  /** What pages and transparent frames are drawn on, like #ffffff; JP2, BMP and HEIC keep their alpha. */
  readonly background: string;
}

/**
 * Decodes the first picture of a master, upright. Ask `probe` and `assertAffordable` before.
 * Throws RejectedImageError when the file is cut short, broken or of a kind that has no decoder here.
 */
export function decode(format: ConvertibleFormat, bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage> {
  switch (format) {
    case 'jp2':
      return decodeJp2(bytes);
    case 'heic':
      return decodeHeic(bytes);
    case 'gif':
      return decodeGif(bytes, options);
    case 'bmp':
      return decodeBmp(bytes);
    case 'pdf':
      return decodePdf(bytes, options);
  }
}
