/**
 * Masters made with sharp: every accepted format, depth and layout, at sizes that exercise edge
 * cases.
 */
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';

export interface Master {
  /** Without extension: the published file is called `<name>.tif`. */
  readonly name: string;
  readonly extension: string;
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly bands: 1 | 3;
  readonly bitDepth: 8 | 16;
}

interface Made extends Master {
  readonly write: (image: Sharp) => Sharp;
  /** Size as stored, if the orientation tag swaps width and height. */
  readonly stored?: { readonly width: number; readonly height: number };
}

const stripped = (compression: 'none' | 'lzw' | 'packbits') => (image: Sharp) => image.tiff({ compression });
const tiled = (compression: 'none' | 'deflate', side: number) => (image: Sharp) =>
  image.tiff({ compression, tile: true, tileWidth: side, tileHeight: side });

function made(
  name: string,
  extension: string,
  [width, height]: readonly [number, number],
  [bands, bitDepth]: readonly [1 | 3, 8 | 16],
  write: (image: Sharp) => Sharp,
): Made {
  return { name, extension, width, height, bands, bitDepth, write };
}

const rgb = [3, 8] as const;
const grey = [1, 8] as const;
const rgb16 = [3, 16] as const;
const grey16 = [1, 16] as const;

const all: readonly Made[] = [
  made('one-pixel', 'png', [1, 1], rgb, (image) => image.png()),
  made('one-pixel-grey', 'tif', [1, 1], grey, stripped('none')),
  made('one-column', 'png', [1, 700], rgb, (image) => image.png()),
  made('one-row', 'tif', [1300, 1], grey, stripped('lzw')),
  made('primes', 'tif', [509, 1021], rgb, stripped('none')),
  made('tile-255x257', 'jpg', [255, 257], grey, (image) => image.jpeg({ quality: 90 })),
  made('tile-257x255', 'png', [257, 255], rgb, (image) => image.png()),
  made('tile-511x513', 'webp', [511, 513], rgb, (image) => image.webp({ quality: 90 })),
  made('tile-513x511', 'tif', [513, 511], rgb, tiled('none', 256)),
  made('tile-512x1024', 'jpg', [512, 1024], rgb, (image) => image.jpeg({ quality: 95, chromaSubsampling: '4:4:4' })),
  made('odd-tiled', 'tif', [2501, 1999], rgb, tiled('deflate', 240)),
  made('odd-stripped', 'tif', [3001, 2003], rgb, stripped('lzw')),
  made('odd-grey', 'tif', [3333, 1777], grey, stripped('packbits')),
  made('odd-progressive', 'jpg', [2047, 1535], rgb, (image) => image.jpeg({ progressive: true })),
  made('deep-stripped', 'tif', [1999, 1501], rgb16, stripped('none')),
  made('deep-png', 'png', [777, 1033], rgb16, (image) => image.png()),
  made('deep-grey-tiled', 'tif', [1025, 1023], grey16, tiled('deflate', 512)),
  {
    ...made('on-its-side', 'jpg', [701, 1301], rgb, (image) => image.jpeg().withMetadata({ orientation: 6 })),
    stored: { width: 1301, height: 701 },
  },
  made('many-blocks-tiled', 'tif', [5003, 7919], rgb, tiled('deflate', 512)),
  made('tall', 'tif', [701, 33_001], grey, stripped('none')),
  made('hundred-megapixels', 'tif', [11_000, 9091], rgb, stripped('none')),
];

/** Writes every master into the folder, sequentially: the largest needs 300 MB of pixels. */
export async function writeMasters(folder: string): Promise<Master[]> {
  for (const master of all) {
    const { width, height } = master.stored ?? master;
    await master.write(pictureOf(width, height, master)).toFile(fileOf(folder, master));
  }
  return [...all];
}

export function fileOf(folder: string, master: Master): string {
  return path.join(folder, `${master.name}.${master.extension}`);
}

function pictureOf(width: number, height: number, { bands, bitDepth }: Master): Sharp {
  const samples = paint(width * bands, height, bitDepth);
  const picture = sharp(samples, { raw: { width, height, channels: bands }, limitInputPixels: false });
  return picture.toColourspace(colourspaceOf(bands, bitDepth));
}

/** sharp's name for grey or RGB of 8 or 16 bits. */
export function colourspaceOf(bands: number, bitDepth: number): string {
  return bitDepth === 16 ? (bands === 1 ? 'grey16' : 'rgb16') : bands === 1 ? 'b-w' : 'srgb';
}

/**
 * Gradients in both directions, a pattern of edges and some noise. Every row is different, so that
 * a misplaced row is detected.
 */
function paint(across: number, rows: number, bitDepth: 8 | 16): Uint8Array | Uint16Array {
  const samples = bitDepth === 16 ? new Uint16Array(across * rows) : new Uint8Array(across * rows);
  const scale = bitDepth === 16 ? 251 : 1;
  let grain = 1;
  for (let y = 0, at = 0; y < rows; y++) {
    const down = 60 + ((y >> 3) % 90);
    for (let x = 0; x < across; x++, at++) {
      grain = (Math.imul(grain, 1_664_525) + 1_013_904_223) | 0;
      samples[at] = (down + ((x >> 4) % 60) + (((x >> 7) ^ (y >> 6)) & 1) * 30 + (grain >>> 28)) * scale;
    }
  }
  return samples;
}
