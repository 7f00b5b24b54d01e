/** Damaged files of every accepted format, the same in every run. */
import sharp from 'sharp';
import { bmp } from './bmp-fixtures.ts';
import { codedItem, heic } from './heic-fixtures.ts';
import { encodeHevc } from './hevc-pcm.ts';
import { j2k, jp2 } from './jp2-fixtures.ts';
import { pdf } from './pdf-fixtures.ts';
import { picture } from './pixels.ts';

/** A multiple of HEVC's block size, several strips and tiles. */
const size = { width: 192, height: 160 };

async function soundFiles(): Promise<Readonly<Record<string, Uint8Array>>> {
  const rgb = picture(size.width, size.height, 3);
  const grey = picture(size.width, size.height, 1);
  const image = () => sharp(rgb, { raw: { ...size, channels: 3 } });
  const tile = { tile: true, tileWidth: 64, tileHeight: 64 };
  const palette = Array.from({ length: 256 }, (_, level) => [level, 0, 255 - level]);
  const stream = encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] });
  return {
    'baseline.jpg': await image().jpeg().toBuffer(),
    'progressive.jpg': await image().jpeg({ progressive: true }).toBuffer(),
    'plain.png': await image().png().toBuffer(),
    'interlaced.png': await image().png({ progressive: true }).toBuffer(),
    'lossy.webp': await image().webp().toBuffer(),
    'lossless.webp': await image().webp({ lossless: true }).toBuffer(),
    'deflate.tif': await image().tiff({ compression: 'deflate' }).toBuffer(),
    'lzw.tif': await image()
      .tiff({ compression: 'lzw', ...tile })
      .toBuffer(),
    'jpeg.tif': await image()
      .tiff({ compression: 'jpeg', ...tile })
      .toBuffer(),
    'webp.tif': await image()
      .tiff({ compression: 'webp', ...tile })
      .toBuffer(),
    'picture.gif': await image().gif().toBuffer(),
    'picture.jp2': jp2(await j2k({ ...size, bits: [8], samples: grey, tile: 64 }), {
      ...size,
      components: 1,
      colour: 17,
    }),
    'picture.heic': heic({ items: [codedItem(stream, size)] }),
    'picture.bmp': bmp({
      ...size,
      bitsPerPixel: 8,
      compression: 1,
      palette,
      rows: Array.from({ length: size.height }, (_, y) => [size.width, y, 0, 0]),
    }),
    'page.pdf': pdf({ pages: [{ ...size, content: '192 0 0 160 0 0 cm /Picture Do', picture: { ...size, rgb } }] }),
  };
}

/** A file cut short, or with a few bytes replaced, by the number of the damage. */
function damaged(file: Uint8Array, damage: number): Uint8Array {
  const share = ((damage * 37) % 97) / 97;
  if (damage % 3 === 0) return file.slice(0, Math.max(16, Math.floor(file.length * share)));
  const broken = Uint8Array.from(file);
  // The first bytes are the signature.
  const at = 16 + Math.floor((file.length - 48) * (damage % 3 === 1 ? share : share / 8));
  for (let byte = 0; byte < 8; byte++) broken[at + byte] = (damage * 53 + byte * 101) % 256;
  return broken;
}

/** `count` damaged files with their names, the formats in turn. */
export async function brokenFiles(count: number): Promise<readonly (readonly [name: string, bytes: Uint8Array])[]> {
  const sound = Object.entries(await soundFiles());
  return Array.from({ length: count }, (_, index) => {
    const [name, bytes] = sound[index % sound.length] ?? ['', new Uint8Array()];
    return [`${index}-${name}`, damaged(bytes, index)] as const;
  });
}
