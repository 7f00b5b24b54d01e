/** JPEG files that deviate from ITU-T T.81, or of kinds that few decoders read. */

interface Segment {
  readonly marker: number;
  /** Offset of the marker. */
  readonly at: number;
}

/** The segments before the first scan, and that of the scan. */
function segmentsOf(jpeg: Uint8Array): Segment[] {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const segments: Segment[] = [];
  for (let at = 2; ; at += 2 + view.getUint16(at + 2)) {
    const marker = view.getUint8(at + 1);
    segments.push({ marker, at });
    if (marker === 0xda) return segments;
  }
}

/** Inserts bytes before the second, the third, … segment: as many as `lengths` states. */
export function withStrayBytes(jpeg: Uint8Array, lengths: readonly number[]): Uint8Array {
  const places = segmentsOf(jpeg).slice(1);
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const [index, length] of lengths.entries()) {
    const at = places[index]?.at ?? 0;
    parts.push(jpeg.subarray(from, at), new Uint8Array(length).fill(index === 1 ? 0xff : 0x42, 0, length - 1));
    from = at;
  }
  return Uint8Array.from(Buffer.concat([...parts, jpeg.subarray(from)]));
}

/** A copy with another frame marker, precision or height. */
export function withFrame(
  jpeg: Uint8Array,
  { marker, precision, height }: { marker?: number; precision?: number; height?: number },
): Uint8Array {
  const copy = Uint8Array.from(jpeg);
  const view = new DataView(copy.buffer);
  const frame = segmentsOf(copy).find((segment) => segment.marker === 0xc0);
  if (!frame) throw new Error('Expected a baseline frame');
  if (marker !== undefined) view.setUint8(frame.at + 1, marker);
  if (precision !== undefined) view.setUint8(frame.at + 4, precision);
  if (height !== undefined) view.setUint16(frame.at + 5, height);
  return copy;
}
