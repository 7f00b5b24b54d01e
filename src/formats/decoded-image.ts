/** The size and the samples of an image as it is decoded, upright. */
export interface ImageShape {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Colour bands without alpha: 1 is grey, 3 is RGB, 4 is CMYK. */
  readonly bands: 1 | 3 | 4;
  /** Three bands are L*a*b* of 16 bits as in TIFF: a* and b* are signed. */
  readonly isLab?: true;
  /** Straight (unassociated) alpha as the last sample of a pixel. */
  readonly alpha: boolean;
  /** Bits of a decoded sample; samples of fewer bits are widened to 8 or to 16. */
  readonly bitDepth: 8 | 16;
  /** Pixels that a decoder holds, where the image is cut out of more than its own. */
  readonly decodedPixels?: number;
  /** Deviations from the format that leave no pixel in doubt, for the sidecar. */
  readonly warnings?: readonly string[];
  /** Number of pages of a document of several. */
  readonly pages?: number;
}

/** Pixels per unit. */
export interface PixelDensity {
  readonly x: number;
  readonly y: number;
  readonly unit: 'inch' | 'centimetre';
}

/** Decoded pixels. The orientation that the file states has been applied. */
export interface DecodedImage extends ImageShape {
  /**
   * `width · height · samplesPerPixel` samples, rows from the top, interleaved; 16-bit samples in
   * native byte order.
   */
  readonly data: Uint8Array | Uint16Array;
  readonly iccProfile?: Uint8Array;
  readonly resolution?: PixelDensity;
}

/** Colour bands and alpha. */
export function samplesPerPixel(shape: Pick<ImageShape, 'bands' | 'alpha'>): number {
  return shape.bands + (shape.alpha ? 1 : 0);
}

/** Size of the decoded samples. Bytes. */
export function decodedBytes(shape: ImageShape): number {
  return shape.width * shape.height * samplesPerPixel(shape) * (shape.bitDepth / 8);
}
