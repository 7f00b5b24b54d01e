/**
 * A contestant: sharp (libvips) writes each pyramid in one pass, one file per core at a time.
 *
 *     node bench/single-pass.ts <file or folder> <out folder> <tileSize> jpeg <quality> | deflate
 */
import { readdir, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp, { type TiffOptions } from 'sharp';

const [, , input = '', out = '', tileSize, compression, quality] = process.argv;

const options: TiffOptions = {
  pyramid: true,
  tile: true,
  tileWidth: Number(tileSize),
  tileHeight: Number(tileSize),
  ...(compression === 'jpeg' ? { compression: 'jpeg', quality: Number(quality) } : { compression: 'deflate' }),
};

const folder = (await stat(input)).isDirectory();
const files = folder ? (await readdir(input)).map((name) => path.join(input, name)) : [input];
const waiting = files.values();
const workers = Math.min(files.length, os.availableParallelism());
await Promise.all(
  Array.from({ length: workers }, async () => {
    for (const file of waiting) {
      const target = path.join(out, `${path.parse(file).name}.tif`);
      await sharp(file, { limitInputPixels: false, sequentialRead: true }).tiff(options).toFile(target);
    }
  }),
);
