/** Handwritten BMP files of every layout that the decoder supports. Little-endian. */

export interface HandBmp {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  /** 12, 16 to 64, 108 or 124; 40 when not given. */
  readonly headerBytes?: number;
  readonly compression?: number;
  /** Rows are stored from the top. */
  readonly topDown?: boolean;
  /** Red, green, blue of each entry. */
  readonly palette?: readonly (readonly number[])[];
  /** Red, green, blue and perhaps alpha. */
  readonly masks?: readonly number[];
  readonly pixelsPerMetre?: number;
  /** An embedded profile; the header must have 124 bytes. */
  readonly profile?: Uint8Array;
  /** Pixels as they are stored, rows from the top of the picture, each without padding; or runs. */
  readonly rows: readonly (readonly number[])[];
}

/** A BMP file; with compression 1 or 2 the rows are inserted unchanged. */
export function bmp(image: HandBmp): Uint8Array {
  const { headerBytes = 40, compression = 0, palette = [], masks = [], profile } = image;
  const isCoded = compression === 1 || compression === 2;
  const rows = isCoded || image.topDown ? image.rows : [...image.rows].reverse();
  const pixels = rows.flatMap((row) => (isCoded ? [...row] : padded(packed(row, image.bitsPerPixel))));
  const entries = palette.flatMap(([red = 0, green = 0, blue = 0]) => [
    blue,
    green,
    red,
    ...(headerBytes === 12 ? [] : [0]),
  ]);
  const behind = headerBytes === 40 ? masks.flatMap((mask) => little(4, mask)) : [];
  const pixelsAt = 14 + headerBytes + behind.length + entries.length;
  const end = pixelsAt + pixels.length;
  return Uint8Array.from([
    ...[0x42, 0x4d, ...little(4, end + (profile?.length ?? 0)), 0, 0, 0, 0, ...little(4, pixelsAt)],
    ...header(image, headerBytes, end - 14),
    ...behind,
    ...entries,
    ...pixels,
    ...(profile ?? []),
  ]);
}

function header(image: HandBmp, length: number, profileAt: number): number[] {
  const { width, height, bitsPerPixel, compression = 0, topDown = false, palette = [], masks = [] } = image;
  if (length === 12) {
    return [...little(4, 12), ...little(2, width), ...little(2, height), 1, 0, ...little(2, bitsPerPixel)];
  }
  const resolution = little(4, image.pixelsPerMetre ?? 0);
  const common = [
    ...[...little(4, length), ...little(4, width), ...little(4, topDown ? -height : height), 1, 0],
    ...[...little(2, bitsPerPixel), ...little(4, compression), ...little(4, 0), ...resolution, ...resolution],
    ...[...little(4, palette.length), ...little(4, 0)],
  ];
  const more = new Array<number>(Math.max(0, length - 40)).fill(0);
  if (length > 40) masks.flatMap((mask) => little(4, mask)).forEach((byte, at) => (more[at] = byte));
  if (image.profile) {
    [0x44, 0x45, 0x42, 0x4d].forEach((byte, at) => (more[16 + at] = byte));
    [...little(4, profileAt), ...little(4, image.profile.length)].forEach((byte, at) => (more[72 + at] = byte));
  }
  return [...common, ...more].slice(0, length);
}

function packed(row: readonly number[], bits: number): number[] {
  if (bits >= 8) return row.flatMap((pixel) => little(bits / 8, pixel));
  const bytes = new Array<number>(Math.ceil((row.length * bits) / 8)).fill(0);
  row.forEach((pixel, x) => {
    const byte = Math.floor((x * bits) / 8);
    bytes[byte] = (bytes[byte] ?? 0) | (pixel << (8 - bits - ((x * bits) % 8)));
  });
  return bytes;
}

function padded(row: readonly number[]): number[] {
  return [...row, ...new Array<number>((4 - (row.length % 4)) % 4).fill(0xaa)];
}

function little(bytes: number, value: number): number[] {
  return Array.from(
    { length: bytes },
    (_, index) => Math.floor((value < 0 ? value + 2 ** 32 : value) / 256 ** index) % 256,
  );
}
