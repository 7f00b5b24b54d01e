/** info.json of both versions of the IIIF Image API, level 0. */
import type { Size } from '../../pyramid/levels.ts';
import { DESCRIPTOR_CACHE, type PlainFile } from '../output.ts';

export interface ServiceDescription {
  readonly full: Size;
  readonly tileSize: number;
  readonly scaleFactors: readonly number[];
  /** Sizes of the images of the whole region, ascending. */
  readonly sizes: readonly Size[];
}

/**
 * The description of a service whose files are in `folder`. Its id is a URL where the stage has a
 * public URL, or else a path from the root of the server.
 */
export function infoFile(
  version: 2 | 3,
  folder: string,
  service: ServiceDescription,
  publicUrl: string | undefined,
): PlainFile {
  const id = `${publicUrl ?? ''}/${folder.split('/').map(encodeURIComponent).join('/')}`;
  const info = version === 3 ? infoOf3(id, service) : infoOf2(id, service);
  return {
    key: `${folder}/info.json`,
    bytes: new TextEncoder().encode(`${JSON.stringify(info, undefined, 2)}\n`),
    contentType: 'application/json',
    cacheControl: DESCRIPTOR_CACHE,
  };
}

function infoOf3(id: string, service: ServiceDescription): object {
  return {
    '@context': 'http://iiif.io/api/image/3/context.json',
    id,
    type: 'ImageService3',
    protocol: 'http://iiif.io/api/image',
    profile: 'level0',
    ...service.full,
    ...limits(service),
    sizes: service.sizes,
    tiles: tiles(service),
  };
}

function infoOf2(id: string, service: ServiceDescription): object {
  return {
    '@context': 'http://iiif.io/api/image/2/context.json',
    '@id': id,
    protocol: 'http://iiif.io/api/image',
    ...service.full,
    sizes: service.sizes,
    tiles: tiles(service),
    profile: [
      'http://iiif.io/api/image/2/level0.json',
      { formats: ['jpg'], qualities: ['default'], ...limits(service) },
    ],
  };
}

function tiles({ tileSize, scaleFactors }: ServiceDescription): object[] {
  return [{ width: tileSize, height: tileSize, scaleFactors }];
}

/** The largest image, where it has fewer pixels than level 0. */
function limits({ full, sizes }: ServiceDescription): { maxWidth?: number; maxHeight?: number } {
  const largest = sizes.at(-1);
  if (!largest || largest.width >= full.width) return {};
  return { maxWidth: largest.width, maxHeight: largest.height };
}
