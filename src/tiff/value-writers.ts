/** How numbers become the values of a field. */
import { FieldType } from './tags.ts';

/** Writes one number at a place. */
export type ValueWriter = (view: DataView, at: number, value: number) => void;

/** The writer for a type; for RATIONAL, of its halves. Throws RangeError for types that are not written from numbers. */
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
      // Two halves: a BigInt a tile would cost more than all else for a table of millions.
      return (view, at, value) => {
        view.setUint32(at, value % 2 ** 32, true);
        view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
      };
    case FieldType.FLOAT:
      return (view, at, value) => {
        view.setFloat32(at, value, true);
      };
    default:
      throw new RangeError(`Expected a field type that is written from numbers but received ${type}`);
  }
}
