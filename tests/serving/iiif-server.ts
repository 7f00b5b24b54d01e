/** iiif-processor over one published object, set up the way serverless-iiif sets it up over S3. */
import { Readable } from 'node:stream';
import { type DimensionFunction, Processor } from 'iiif-processor';
import sharp, { type Sharp } from 'sharp';
import type { ObjectRef, ObjectStore } from '../../src/storage/object-store.ts';

export type ApiVersion = 2 | 3;

/** The user metadata that sizes are read from: names without a prefix, with one, or none. */
export type MetadataNames = 'plain' | 'iiif-' | 'none';

export interface Info {
  readonly width: number;
  readonly height: number;
  readonly sizes: readonly { readonly width: number; readonly height: number }[];
  readonly tiles: readonly { readonly width: number; readonly height: number; readonly scaleFactors: number[] }[];
}

export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly pixels: Buffer;
}

export interface IiifServer {
  info(version: ApiVersion): Promise<Info>;
  /** The encoded image of `region/size/rotation/quality.format`. */
  image(version: ApiVersion, parameters: string): Promise<{ contentType: string; body: Buffer }>;
  /** The same, decoded. */
  raster(version: ApiVersion, parameters: string): Promise<Raster>;
  /** Bytes of the object streamed since the last call. */
  takeBytesRead(): number;
}

export async function serveIiif(
  store: ObjectStore,
  published: ObjectRef,
  {
    names = 'plain',
    bytes: given,
  }: {
    names?: MetadataNames;
    /** Bytes served in place of the published ones. */
    bytes?: Uint8Array;
  } = {},
): Promise<IiifServer> {
  const bytes = given ?? (await store.read(published));
  const { metadata } = await store.head(published);
  let bytesRead = 0;
  function* chunks(): Generator<Buffer> {
    for (let at = 0; at < bytes.length; at += 65_536) {
      const chunk = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(65_536, bytes.length - at));
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  const ask = async (version: ApiVersion, request: string) => {
    const result = await new Processor(
      `http://iiif.test/iiif/${version}/picture/${request}`,
      () => Promise.resolve(Readable.from(chunks())),
      names === 'none' ? {} : { dimensionFunction: dimensionsIn(metadata, names === 'plain' ? '' : names) },
    ).execute();
    if (result.type !== 'content') throw new Error(`Expected content for ${request} but received ${result.type}`);
    return result;
  };
  const image: IiifServer['image'] = async (version, parameters) => {
    const { contentType, body } = await ask(version, parameters);
    return { contentType, body: Buffer.from(body) };
  };
  return {
    info: async (version) => JSON.parse((await ask(version, 'info.json')).body.toString()) as Info,
    image,
    raster: async (version, parameters) => rasterOf(sharp((await image(version, parameters)).body)),
    takeBytesRead: () => {
      const read = bytesRead;
      bytesRead = 0;
      return read;
    },
  };
}

/**
 * Width, height and pages as serverless-iiif reads them: each page is half of the one before,
 * rounded down.
 */
function dimensionsIn(metadata: Readonly<Record<string, string>>, prefix: '' | 'iiif-'): DimensionFunction {
  const [width = NaN, height = NaN, pages = NaN] = ['width', 'height', 'pages'].map((name) =>
    Number(metadata[`${prefix}${name}`]),
  );
  const sizes = Array.from({ length: pages }, (_, page) => ({
    width: Math.floor(width / 2 ** page),
    height: Math.floor(height / 2 ** page),
  }));
  return () => Promise.resolve(sizes);
}

/** The mean absolute difference of the samples; Infinity when the shapes differ. */
export function meanDifference(actual: Raster, expected: Raster): number {
  const { width, height, channels } = expected;
  if (actual.width !== width || actual.height !== height || actual.channels !== channels) return Infinity;
  if (actual.pixels.equals(expected.pixels)) return 0;
  const [these, those] = [actual.pixels, expected.pixels];
  let sum = 0;
  for (let at = 0; at < those.length; at++) sum += Math.abs((these[at] ?? 0) - (those[at] ?? 0));
  return sum / those.length;
}

export function crop(raster: Raster, [left, top, width, height]: readonly [number, number, number, number]): Raster {
  const { channels, pixels } = raster;
  const rows = Array.from({ length: height }, (_, y) => {
    const start = ((top + y) * raster.width + left) * channels;
    return pixels.subarray(start, start + width * channels);
  });
  return { width, height, channels, pixels: Buffer.concat(rows) };
}

/** The raster as a sharp pipeline, to compute the expected result without the server. */
export function pipelineOf({ width, height, channels, pixels }: Raster): Sharp {
  const raw = { width, height, channels: channels === 1 ? 1 : 3 } as const;
  return sharp(pixels, { raw }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
}

export async function rasterOf(pipeline: Sharp): Promise<Raster> {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, pixels: data };
}
