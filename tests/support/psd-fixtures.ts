/** Photoshop documents made by hand, with a flattened picture and without layers. */

export interface HandPsd {
  readonly width: number;
  readonly height: number;
  /** 0 bitmap, 1 grey, 2 palette, 3 RGB, 4 CMYK … */
  readonly mode: number;
  readonly bits: number;
  /** One stored plane after the other, each row by row, in bytes. */
  readonly planes: readonly Uint8Array[];
  /** 0 raw, 1 run lengths. */
  readonly coding?: number;
  /** 1 is PSD, 2 is PSB. */
  readonly version?: 1 | 2;
  /** All reds, greens and blues. */
  readonly palette?: Uint8Array;
  readonly resources?: readonly (readonly [number: number, content: Uint8Array])[];
}

export function psd(image: HandPsd): Uint8Array {
  const { width, height, mode, bits, planes, version = 1, palette = new Uint8Array(), resources = [] } = image;
  const blocks = resources.flatMap(([number, content]) => [
    ...[...Buffer.from('8BIM'), ...short(number), 0, 0, ...long(content.length), ...content],
    ...new Array<number>(content.length % 2).fill(0),
  ]);
  return Uint8Array.from([
    ...[...Buffer.from('8BPS'), ...short(version), 0, 0, 0, 0, 0, 0, ...short(planes.length), ...long(height)],
    ...[...long(width), ...short(bits), ...short(mode)],
    ...[...long(palette.length), ...palette, ...long(blocks.length), ...blocks],
    ...(version === 1 ? long(0) : [...long(0), ...long(0)]),
    ...pictureOf(image),
  ]);
}

/** Samples of 16 bits, of which each is stored with its high byte first. */
export function bigEndian(samples: readonly number[]): Uint8Array {
  return Uint8Array.from(samples.flatMap(short));
}

function pictureOf({ width, height, bits, planes, coding = 0, version = 1 }: HandPsd): number[] {
  if (coding !== 1) return [...short(coding), ...planes.flatMap((plane) => [...plane])];
  const rowBytes = Math.ceil((width * bits) / 8);
  const rows = planes.flatMap((plane) =>
    Array.from({ length: height }, (_, y) => packed(plane.subarray(y * rowBytes, (y + 1) * rowBytes))),
  );
  const lengths = rows.flatMap(({ length }) => (version === 1 ? short(length) : long(length)));
  return [...short(1), ...lengths, ...rows.flat()];
}

/** Runs of equal bytes, and literals of up to two bytes. */
function packed(row: Uint8Array): number[] {
  const bytes: number[] = [];
  for (let at = 0; at < row.length;) {
    let end = at + 1;
    while (end < row.length && end - at < 128 && row[end] === row[at]) end++;
    if (end - at > 1) bytes.push(257 - (end - at), row[at] ?? 0);
    else {
      end = Math.min(row.length, at + 2);
      // A code of 128 has no meaning and is skipped.
      bytes.push(128, end - at - 1, ...row.subarray(at, end));
    }
    at = end;
  }
  return bytes;
}

function short(value: number): number[] {
  return [(value >> 8) & 255, value & 255];
}

function long(value: number): number[] {
  return [...short(value >>> 16), ...short(value & 0xffff)];
}
