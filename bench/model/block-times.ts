/** CPU time of one block on this machine, which other load affects little. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { Arena } from '../../src/imaging/arena.ts';
import { halve } from '../../src/imaging/halve.ts';
import type { Raster } from '../../src/imaging/raster.ts';
import { median } from '../targets.ts';
import { makeTexture } from '../texture.ts';

export interface BlockTimes {
  readonly pixels: number;
  /** CPU seconds. */
  readonly decode: number;
  readonly halve: number;
  readonly encode: number;
  readonly write: number;
  /** Encoded tiles of all the block's levels, in bytes. */
  readonly tileBytes: number;
}

const QUALITY = 75;
const TILE = 512;

/**
 * Decodes, halves, encodes and writes a block of `width` × `height` pixels, `runs` times after one
 * that is not counted.
 */
export async function measureBlock(
  size: { width: number; height: number },
  levels: number,
  runs: number,
): Promise<BlockTimes> {
  sharp.concurrency(1);
  sharp.cache(false);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-model-'));
  try {
    const master = await paintedTiff(size);
    const all: BlockTimes[] = [];
    for (let run = -1; run < runs; run++) {
      const times = await once(master, size, levels, path.join(folder, 'tiles'));
      if (run >= 0) all.push(times);
    }
    const of = (quantity: keyof BlockTimes): number => median(all.map((times) => times[quantity]));
    return {
      pixels: of('pixels'),
      decode: of('decode'),
      halve: of('halve'),
      encode: of('encode'),
      write: of('write'),
      tileBytes: of('tileBytes'),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function once(
  master: Uint8Array,
  size: { width: number; height: number },
  levels: number,
  file: string,
): Promise<BlockTimes> {
  const spent = stopwatch();
  const data = await sharp(master, { limitInputPixels: false }).raw().toBuffer();
  const decode = spent();
  const arena = new Arena();
  const rasters: Raster[] = [{ ...size, bands: 3, data }];
  for (let level = 1; level < levels; level++) {
    const below = rasters.at(-1);
    if (below) rasters.push(halve(below, arena));
  }
  const halved = spent();
  const encoded: Buffer[] = [];
  for (const { width, height, data: pixels } of rasters) {
    const raw = { width, height, channels: 3 } as const;
    const tile = { tile: true, tileWidth: TILE, tileHeight: TILE } as const;
    encoded.push(
      await sharp(pixels, { raw, limitInputPixels: false })
        .tiff({ ...tile, compression: 'jpeg', quality: QUALITY })
        .toBuffer(),
    );
  }
  const encode = spent();
  await writeFile(file, encoded);
  const write = spent();
  const tileBytes = encoded.reduce((sum, { length }) => sum + length, 0);
  return { pixels: size.width * size.height, decode, halve: halved, encode, write, tileBytes };
}

/** CPU seconds since the previous call. */
function stopwatch(): () => number {
  let last = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    return (user + system) / 1e6;
  };
}

/** A TIFF of uncompressed strips with texture. */
async function paintedTiff({ width, height }: { width: number; height: number }): Promise<Uint8Array> {
  const texture = makeTexture(1);
  const pixels = new Uint8ClampedArray(width * height * 3);
  const row = new Uint8ClampedArray(width * 3);
  for (let y = 0; y < height; y++) {
    texture.fillRow(row, 0, y, width);
    pixels.set(row, y * row.length);
  }
  const raw = { width, height, channels: 3 } as const;
  return sharp(pixels, { raw, limitInputPixels: false }).tiff({ compression: 'none' }).toBuffer();
}
