import { MalformedTiffError } from '../../errors.ts';

/**
 * PackBits decompression (TIFF 6.0, section 9) until `target` is full. Returns whether its last run
 * goes on beyond that. Throws MalformedTiffError when the runs end before.
 */
export function unpackPackBits(packed: Uint8Array, target: Uint8Array): boolean {
  let at = 0;
  let from = 0;
  while (at < target.length) {
    const control = packed[from++];
    if (control === undefined) {
      throw new MalformedTiffError(`Expected ${target.length} bytes of PackBits data but received ${at}`);
    }
    if (control === 128) continue;
    const isLiteral = control < 128;
    const length = isLiteral ? control + 1 : 257 - control;
    const kept = Math.min(length, target.length - at);
    if (isLiteral) target.set(packed.subarray(from, from + kept), at);
    else target.fill(packed[from] ?? 0, at, at + kept);
    if (from + (isLiteral ? kept : 1) > packed.length) {
      throw new MalformedTiffError(`Expected ${target.length} bytes of PackBits data but received ${at}`);
    }
    from += isLiteral ? length : 1;
    at += kept;
    if (kept < length) return true;
  }
  return false;
}
