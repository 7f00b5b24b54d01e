/** Masters of the benchmark, generated once and kept in a cache directory. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { writeSparse, writeStriped } from './master-tiff.ts';
import { makeTexture, type Texture } from './texture.ts';

export type InputKind = 'striped' | 'tiled-deflate' | 'jpeg' | 'folder' | 'sparse';

export interface InputSpec {
  readonly kind: InputKind;
  readonly width: number;
  readonly height: number;
  /** Number of files, for a folder. */
  readonly files?: number;
}

export interface Input {
  /** A file, or a folder of files. */
  readonly path: string;
  readonly pixels: number;
  readonly files: number;
}

/** In a sparse master one tile in this many has content (3 %). */
const EVERY = 32;

/** Part of the names. Raise it when the content of the masters changes. */
const VERSION = 2;

/** Generates the master unless the cache has it. */
export async function makeInput(cache: string, spec: InputSpec, note: (text: string) => void): Promise<Input> {
  const { kind, width, height, files = 1 } = spec;
  const extension = kind === 'folder' ? '' : kind === 'jpeg' ? '.jpg' : '.tif';
  const name = `v${VERSION}-${kind}-${width}x${height}${kind === 'folder' ? `-${files}` : ''}${extension}`;
  const target = path.join(cache, name);
  if (!existsSync(target)) {
    note(`making ${name}`);
    const unfinished = path.join(cache, `unfinished-${process.pid}-${name}`);
    await mkdir(cache, { recursive: true });
    await rm(unfinished, { recursive: true, force: true });
    await make(cache, spec, unfinished, note);
    await rename(unfinished, target);
  }
  return { path: target, pixels: width * height * files, files };
}

async function make(cache: string, spec: InputSpec, target: string, note: (text: string) => void): Promise<void> {
  const { kind, width, height, files = 1 } = spec;
  switch (kind) {
    case 'striped':
      return writeStriped(target, spec, makeTexture(1));
    case 'sparse':
      return writeSparse(target, spec, makeTexture(1), EVERY);
    case 'folder':
      return writeFolder(target, { width, height, files });
    case 'jpeg':
    case 'tiled-deflate': {
      const striped = await makeInput(cache, { kind: 'striped', width, height }, note);
      const image = sharp(striped.path, { limitInputPixels: false });
      const tile = { tile: true, tileWidth: 512, tileHeight: 512 } as const;
      await (
        kind === 'jpeg'
          ? image.jpeg({ quality: 90 })
          : image.tiff({ compression: 'deflate', predictor: 'horizontal', ...tile })
      ).toFile(target);
    }
  }
}

/** Photographs as a camera writes them, each of another part of the texture. */
async function writeFolder(folder: string, spec: { width: number; height: number; files: number }): Promise<void> {
  await mkdir(folder);
  const texture = makeTexture(2);
  const waiting = Array.from({ length: spec.files }, (_, index) => index).values();
  const work = async (): Promise<void> => {
    for (const index of waiting) {
      const data = paint(texture, spec, index);
      const raw = { width: spec.width, height: spec.height, channels: 3 } as const;
      const file = path.join(folder, `photo-${String(index).padStart(3, '0')}.jpg`);
      await sharp(data, { raw }).jpeg({ quality: 90 }).toFile(file);
    }
  };
  await Promise.all([work(), work()]);
}

function paint(
  texture: Texture,
  { width, height }: { width: number; height: number },
  index: number,
): Uint8ClampedArray {
  const data = new Uint8ClampedArray(width * height * 3);
  const row = new Uint8ClampedArray(width * 3);
  for (let y = 0; y < height; y++) {
    texture.fillRow(row, index * 733, y + index * 1009, width);
    data.set(row, y * row.length);
  }
  return data;
}
