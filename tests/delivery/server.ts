/** The image server over published pictures, asked without a network. */
import sharp from 'sharp';
import { createDelivery, type DeliveryOptions } from '../../src/delivery/delivery.ts';
import type { PublishedPipeline } from '../support/published.ts';
import type { Level } from '../support/pixels.ts';

export interface Server {
  /** Asks for a path such as `/iiif/3/ID/info.json`. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The decoded picture of a path; fails unless the answer is 200. */
  picture(path: string): Promise<Level>;
}

export function startServer(
  { store, config }: Pick<PublishedPipeline, 'store' | 'config'>,
  options: Partial<DeliveryOptions> = {},
): Server {
  const app = createDelivery({ store, publishedBucket: config.publishedBucket, ...options });
  const ask = async (path: string, init?: RequestInit) => app.request(`http://images.test${path}`, init);
  return {
    ask,
    async picture(path) {
      const answer = await ask(path);
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return decoded(new Uint8Array(await answer.arrayBuffer()));
    },
  };
}

/** The samples of a picture as they are stored. */
export async function decoded(bytes: Uint8Array): Promise<Level> {
  const { channels } = await sharp(bytes).metadata();
  const { data, info } = await sharp(bytes, { ignoreIcc: true })
    .toColourspace(channels <= 2 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, pixels: data };
}

/**
 * The pixels of a rectangle of a level of 8 bits, beyond whose edge the last column and row are
 * repeated.
 */
export function partOf(level: Level, left: number, top: number, across: number, down: number): Level {
  const { width, height, channels, pixels } = level;
  const rows = Array.from({ length: down }, (_, y) => Math.min(height - 1, y + top));
  const columns = Array.from({ length: across }, (_, x) => Math.min(width - 1, x + left));
  const part = rows.flatMap((y) =>
    columns.map((x) => pixels.subarray((y * width + x) * channels, (y * width + x + 1) * channels)),
  );
  return { width: across, height: down, channels, pixels: Buffer.concat(part) };
}

/** The pixels of a level of 8 bits, each taken from the position that `from` gives. */
export function moved(
  { width, channels, pixels }: Level,
  size: readonly [number, number],
  from: (x: number, y: number) => readonly [number, number],
): Level {
  const places = Array.from({ length: size[0] * size[1] }, (_, index) =>
    from(index % size[0], Math.floor(index / size[0])),
  );
  const part = places.map(([x, y]) => pixels.subarray((y * width + x) * channels, (y * width + x + 1) * channels));
  return { width: size[0], height: size[1], channels, pixels: Buffer.concat(part) };
}
