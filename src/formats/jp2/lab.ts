/** CIE L*a*b* of JPEG 2000 (ISO/IEC 15444-2, M.11.7.4) as L*a*b* of TIFF. */
import { viewOf } from '../../bytes/views.ts';
import { unsupported } from '../header-bytes.ts';

/** Range and offset of L*, a* and b*; the offset is the sample of value 0. */
export interface LabRanges {
  readonly ranges: readonly [number, number, number];
  readonly offsets: readonly [number, number, number];
}

/** Seven numbers of 32 bits: range and offset of L*, a* and b*, and the illuminant. Bytes. */
const FIELD_BYTES = 28;
/** CIE illuminant D50 as the file states it: 0, "D50". */
const D50 = 0x00_44_35_30;

/**
 * The parameters of the colour specification; undefined where it has none. Throws
 * RejectedImageError for an illuminant other than D50.
 */
export function parseLabRanges(bytes: Uint8Array): LabRanges | undefined {
  if (bytes.length < FIELD_BYTES) return undefined;
  const view = viewOf(bytes);
  const field = (index: number): number => view.getUint32(4 * index);
  if (field(6) !== D50) throw unsupported('the white of its CIE L*a*b* is not D50');
  return { ranges: [field(0), field(2), field(4)], offsets: [field(1), field(3), field(5)] };
}

/** What holds where the file states no parameters. */
function defaultRanges(bits: number): LabRanges {
  return { ranges: [100, 170, 200], offsets: [0, 2 ** (bits - 1), 2 ** (bits - 2) + 2 ** (bits - 3)] };
}

/**
 * Three samples a pixel of `bits` bits as L*a*b* of 16 bits with signed a* and b* (TIFF 6.0,
 * section 23), whose steps are finer than those of any 8 bits; a* and b* are clipped to ±128.
 */
export function asTiffLab(
  samples: Uint8Array | Uint16Array,
  bits: number,
  stated: LabRanges | undefined,
  target: Uint16Array,
): void {
  const { ranges, offsets } = stated ?? defaultRanges(bits);
  const top = 2 ** bits - 1;
  const value = (at: number, band: 0 | 1 | 2): number =>
    (((samples[at + band] ?? 0) - offsets[band]) * ranges[band]) / top;
  for (let at = 0; at + 2 < samples.length; at += 3) {
    target[at] = Math.min(65_535, Math.max(0, Math.round((value(at, 0) / 100) * 65_535)));
    for (const band of [1, 2] as const) {
      target[at + band] = Math.min(32_767, Math.max(-32_768, Math.round(value(at, band) * 256))) & 0xffff;
    }
  }
}
