/** Recipes with outputs beside the TIFF, what sharp makes of the same pixels, and the tiles of both. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { Pipeline } from './pipeline.ts';

export interface OutputSettings {
  readonly outputs: readonly string[];
  readonly iiif?: Readonly<Record<string, unknown>>;
  readonly deepzoom?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Writes a recipe into a folder. */
export async function writeRecipe(folder: string, name: string, settings: OutputSettings): Promise<void> {
  const recipe = {
    name,
    version: 1,
    description: 'Outputs beside the TIFF',
    tileSize: 128,
    encoding: { compression: 'jpeg', quality: 80 },
    colour: 'srgb',
    depth: 8,
    background: '#ffffff',
    ...settings,
  };
  // JSON is YAML.
  await writeFile(path.join(folder, `${name}.yml`), JSON.stringify(recipe));
}

/** The tiles that sharp writes, by path below its folder. */
export async function sharpTiles(
  picture: Sharp,
  folder: string,
  options: Parameters<Sharp['tile']>[0] & { layout: 'dz' | 'iiif3'; format: 'jpeg' | 'png'; quality?: number },
): Promise<Map<string, Buffer>> {
  const { format, quality = 80, ...tile } = options;
  const encoded = format === 'png' ? picture.png() : picture.jpeg({ quality });
  const target = path.join(folder, options.layout === 'dz' ? 'image.dz' : 'image');
  await encoded.tile(tile).toFile(target);
  const root = options.layout === 'dz' ? path.join(folder, 'image_files') : target;
  const tiles = new Map<string, Buffer>();
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (/\.(jpe?g|png)$/u.test(entry.name)) {
      tiles.set(path.relative(root, file).replace(/\.jpeg$/u, '.jpg'), await readFile(file));
    }
  }
  return tiles;
}

/** Published objects below a prefix, by the rest of their keys. */
export async function publishedObjects(
  { store, config }: Pick<Pipeline, 'store' | 'config'>,
  prefix: string,
): Promise<Map<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>();
  for await (const { key } of store.list(config.publishedBucket, prefix)) {
    objects.set(key.slice(prefix.length), await store.read({ bucket: config.publishedBucket, key }));
  }
  return objects;
}

/** Size, bands and samples of an encoded image. */
export async function decoded(bytes: Uint8Array): Promise<string> {
  const { data, info } = await sharp(bytes).raw().toBuffer({ resolveWithObject: true });
  return [info.width, info.height, info.channels, data.toString('base64')].join(' ');
}

/** Names of tiles that are missing or decode to other samples. */
export async function differingTiles(
  expected: ReadonlyMap<string, Uint8Array>,
  actual: ReadonlyMap<string, Uint8Array>,
): Promise<string[]> {
  const differing: string[] = [];
  for (const [name, bytes] of expected) {
    const own = actual.get(name);
    if (!own || (await decoded(own)) !== (await decoded(bytes))) differing.push(name);
  }
  return differing;
}
