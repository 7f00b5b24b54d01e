/** Writes numbers as the values of a TIFF field, in little-endian byte order. */
import { FieldType } from './tags.ts';

/** Writes one number at offset `at` of `view`. */
export type ValueWriter = (view: DataView, at: number, value: number) => void;

/**
 * The writer for a field type; for RATIONAL, the writer of a numerator or a denominator.
 * Throws RangeError for a type that is not written from numbers.
 */
export function valueWriter(type: number): ValueWriter {
  switch (type) {
    case FieldType.BYTE:
      return (view, at, value) => {
        view.setUint8(at, value);
      };
    case FieldType.SHORT:
      return (view, at, value) => {
        view.setUint16(at, value, true);
      };
    case FieldType.LONG:
    case FieldType.RATIONAL:
      return (view, at, value) => {
        view.setUint32(at, value, true);
      };
    case FieldType.LONG8:
      // Written as two 32-bit halves: converting to BigInt dominates the time of a table of
      // millions.
      return (view, at, value) => {
        view.setUint32(at, value % 2 ** 32, true);
        view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
      };
    case FieldType.FLOAT:
      return (view, at, value) => {
        view.setFloat32(at, value, true);
      };
    default:
      throw new RangeError(`Expected a numeric type for the TIFF field but received field type ${type}`);
  }
}
