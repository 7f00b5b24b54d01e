import type { Resolution } from '../metadata/embedded-metadata.ts';
import type { Description } from '../tiff/pyramid-fields.ts';

/** Largest number of a RATIONAL. */
const MAX_LONG = 2 ** 32 - 1;

/** A positive number as a RATIONAL, with a denominator of at most 10,000. */
export function asRational(value: number): [number, number] {
  if (value >= MAX_LONG) return [MAX_LONG, 1];
  if (Number.isInteger(value)) return [value, 1];
  const denominator = Math.min(10_000, Math.floor(MAX_LONG / value));
  return [Math.max(1, Math.round(value * denominator)), denominator];
}

/** The resolution of embedded metadata as fields of a TIFF. */
export function describedResolution({ x, y, unit }: Resolution): NonNullable<Description['resolution']> {
  return { x: asRational(x), y: asRational(y), unit: { none: 1, inch: 2, cm: 3 }[unit] };
}
