/** Decoded rows whose samples become unsigned samples of 8 or 16 bits. */
import { mappedSample, type SampleMapping } from '../../tiff/sample-mapping.ts';

interface Rows {
  /** Samples of a row. */
  readonly samples: number;
  readonly littleEndian: boolean;
  readonly mapping: SampleMapping;
}

/** Bytes of a stored row, which ends with a whole byte. */
export function storedRowBytes({ samples, mapping }: Pick<Rows, 'samples' | 'mapping'>): number {
  return Math.ceil((samples * mapping.bits) / 8);
}

/** Maps whole rows from `stored` to `target`, both in the byte order of the file. */
export function mapSamples(stored: Uint8Array, target: Uint8Array, rows: Rows): void {
  const { samples, littleEndian, mapping } = rows;
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const rowBytes = storedRowBytes(rows);
  const map = mapper(mapping);
  let at = 0;
  for (let start = 0; start < stored.length; start += rowBytes) {
    const next = sampleReader(stored.subarray(start, start + rowBytes), mapping, littleEndian);
    for (let sample = 0; sample < samples; sample++) {
      const value = map(next());
      if (mapping.to === 8) target[at++] = value;
      else {
        view.setUint16(at, value, littleEndian);
        at += 2;
      }
    }
  }
}

/** Most bits of a sample whose mapped values are held in a table. */
const TABLE_BITS = 16;

function mapper(mapping: SampleMapping): (value: number) => number {
  if (mapping.format === 'float' || mapping.bits > TABLE_BITS) return (value) => mappedSample(mapping, value);
  const lowest = mapping.format === 'signed' ? -(2 ** (mapping.bits - 1)) : 0;
  const table = Uint16Array.from({ length: 2 ** mapping.bits }, (_, index) => mappedSample(mapping, index + lowest));
  return (value) => table[value - lowest] ?? 0;
}

/** Returns a function that reads one sample of a stored row after the other. */
export function sampleReader(row: Uint8Array, { bits, format }: SampleMapping, little: boolean): () => number {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  let at = 0;
  const step = bits / 8;
  const whole = (read: (offset: number) => number) => (): number => {
    const value = read(at);
    at += step;
    return value;
  };
  if (format === 'float') {
    if (bits === 16) return whole((offset) => halfFloat(view.getUint16(offset, little)));
    return bits === 32 ? whole((o) => view.getFloat32(o, little)) : whole((o) => view.getFloat64(o, little));
  }
  const isSigned = format === 'signed';
  if (bits === 8) return whole((offset) => (isSigned ? view.getInt8(offset) : view.getUint8(offset)));
  if (bits === 16) return whole((o) => (isSigned ? view.getInt16(o, little) : view.getUint16(o, little)));
  if (bits === 32) return whole((o) => (isSigned ? view.getInt32(o, little) : view.getUint32(o, little)));
  const next = bits === 24 ? whole((offset) => threeBytes(row, offset, little)) : bitReader(row, bits);
  return isSigned ? () => withSign(next(), bits) : next;
}

function threeBytes(row: Uint8Array, at: number, little: boolean): number {
  const [first = 0, second = 0, third = 0] = row.subarray(at, at + 3);
  return little ? first | (second << 8) | (third << 16) : (first << 16) | (second << 8) | third;
}

/** Samples that are not whole bytes are stored from the highest bit on, in either byte order. */
function bitReader(row: Uint8Array, bits: number): () => number {
  let at = 0;
  let held = 0;
  let value = 0;
  return () => {
    while (held < bits) {
      value = value * 256 + (row[at++] ?? 0);
      held += 8;
    }
    held -= bits;
    const sample = Math.floor(value / 2 ** held);
    value -= sample * 2 ** held;
    return sample;
  };
}

function withSign(value: number, bits: number): number {
  return value >= 2 ** (bits - 1) ? value - 2 ** bits : value;
}

/** IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
