/**
 * Widens a sample of `bits` bits to 8 or 16 bits by repeating its bits in the lower bits, so that
 * zero stays zero and the maximum becomes the maximum.
 */
export function widenSample(value: number, bits: number, bitDepth: 8 | 16): number {
  let wide = 0;
  for (let shift = bitDepth - bits; shift > -bits; shift -= bits) {
    wide |= shift >= 0 ? value << shift : value >> -shift;
  }
  return wide;
}
