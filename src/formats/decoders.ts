/**
 * The decoders of the converted formats. A table of its own, so that bundles of functions that
 * convert nothing contain no decoders, and a decoding process loads nothing else.
 */
import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { avifDecoder } from './avif/avif.ts';
import { bmpDecoder } from './bmp/bmp.ts';
import type { Decoder } from './format.ts';
import { gifDecoder } from './gif/gif.ts';
import { heicDecoder } from './heic/heic.ts';
import { jp2Decoder } from './jp2/jp2.ts';
import { pdfDecoder } from './pdf/pdf.ts';
import { psdDecoder } from './psd/psd.ts';

export type Decoders = Readonly<Record<ConvertibleFormat, Decoder>>;

export const decoders: Decoders = {
  jp2: jp2Decoder,
  pdf: pdfDecoder,
  bmp: bmpDecoder,
  heic: heicDecoder,
  avif: avifDecoder,
  gif: gifDecoder,
  psd: psdDecoder,
};
