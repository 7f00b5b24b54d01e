import { type YccLayout, yccPlaneSize } from '../../tiff/ycc-layout.ts';

/**
 * Converts the data units of a chunk to interleaved RGB of 8 bits; `rgb` holds `width` pixels a
 * row. Chroma is repeated for the pixels that share it, as libtiff and GDAL do.
 */
export function yccToRgbRows(units: Uint8Array, rgb: Uint8Array, width: number, layout: YccLayout): void {
  const { across, down } = layout;
  const height = rgb.length / (3 * width);
  const convert = converter(layout);
  const unitBytes = across * down + 2;
  const perRow = Math.ceil(width / across);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const unit = (Math.floor(y / down) * perRow + Math.floor(x / across)) * unitBytes;
      const luma = units[unit + (y % down) * across + (x % across)] ?? 0;
      const chroma = unit + across * down;
      convert(luma, units[chroma] ?? 0, units[chroma + 1] ?? 0, rgb, 3 * (y * width + x));
    }
  }
}

/** As `yccToRgbRows`, from separate planes of luma, Cb and Cr. */
export function yccPlanesToRgb(
  [luma, blue, red]: readonly [Uint8Array, Uint8Array, Uint8Array],
  rgb: Uint8Array,
  width: number,
  layout: YccLayout,
): void {
  const height = rgb.length / (3 * width);
  const convert = converter(layout);
  const perRow = yccPlaneSize(layout, 1, width, height).width;
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / layout.down) * perRow;
    for (let x = 0; x < width; x++) {
      const chroma = row + Math.floor(x / layout.across);
      convert(luma[y * width + x] ?? 0, blue[chroma] ?? 0, red[chroma] ?? 0, rgb, 3 * (y * width + x));
    }
  }
}

type Convert = (luma: number, blue: number, red: number, rgb: Uint8Array, at: number) => void;

/** Largest chroma of the coded range (TIFF 6.0, section 20, ReferenceBlackWhite). */
const CHROMA_RANGE = 127;

/** TIFF 6.0, section 21: the inverse of the conversion from RGB. */
function converter({ coefficients: [redShare, greenShare, blueShare], reference }: YccLayout): Convert {
  const [black = 0, white = 255, blueZero = 128, blueEnd = 255, redZero = 128, redEnd = 255] = reference;
  const table = (zero: number, end: number, range: number): Float64Array =>
    Float64Array.from({ length: 256 }, (_, code) => ((code - zero) * range) / (end - zero));
  const lumas = table(black, white, 255);
  const blues = table(blueZero, blueEnd, CHROMA_RANGE).map((value) => value * (2 - 2 * blueShare));
  const reds = table(redZero, redEnd, CHROMA_RANGE).map((value) => value * (2 - 2 * redShare));
  return (lumaCode, blueCode, redCode, rgb, at) => {
    const luma = lumas[lumaCode] ?? 0;
    const red = luma + (reds[redCode] ?? 0);
    const blue = luma + (blues[blueCode] ?? 0);
    rgb[at] = clamped(red);
    rgb[at + 1] = clamped((luma - redShare * red - blueShare * blue) / greenShare);
    rgb[at + 2] = clamped(blue);
  };
}

function clamped(value: number): number {
  return Math.min(255, Math.max(0, Math.round(value)));
}
