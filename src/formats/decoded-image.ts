/** What every decoder of this folder gives, and what is known of it before anything is decoded. */

/** The size and the samples of an image as it will be decoded, upright. */
export interface ImageShape {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Colour bands, without alpha: 1 is grey, 3 is RGB. */
  readonly bands: 1 | 3;
  /** Straight, as the last sample of a pixel. */
  readonly alpha: boolean;
  /** Of a sample as it is decoded; fewer bits are widened to 8 or to 16. */
  readonly bitDepth: 8 | 16;
}

/** Pixels per unit. */
export interface Resolution {
  readonly x: number;
  readonly y: number;
  readonly unit: 'inch' | 'centimetre';
}

/** Decoded pixels: upright, whatever the file said of its orientation, so none is left to apply. */
export interface DecodedImage extends ImageShape {
  /** `width · height · samplesPerPixel` samples, rows from the top, interleaved; 16-bit samples in native byte order. */
  readonly data: Uint8Array | Uint16Array;
  readonly iccProfile?: Uint8Array;
  readonly resolution?: Resolution;
}

/** Colour bands and alpha. */
export function samplesPerPixel(shape: Pick<ImageShape, 'bands' | 'alpha'>): number {
  return shape.bands + (shape.alpha ? 1 : 0);
}

/** Of the decoded samples. */
export function rasterBytes(shape: ImageShape): number {
  return shape.width * shape.height * samplesPerPixel(shape) * (shape.bitDepth / 8);
}
