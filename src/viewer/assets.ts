/** The files of the viewer: the pages in `page/` and OpenSeadragon from its package. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Content types of the files below `/viewer/`, and of the pages. */
export const assetTypes = {
  'gallery.html': 'text/html; charset=utf-8',
  'view.html': 'text/html; charset=utf-8',
  'viewer.css': 'text/css; charset=utf-8',
  'commands.js': 'text/javascript; charset=utf-8',
  'common.js': 'text/javascript; charset=utf-8',
  'gallery.js': 'text/javascript; charset=utf-8',
  'grid.js': 'text/javascript; charset=utf-8',
  'details.js': 'text/javascript; charset=utf-8',
  'view.js': 'text/javascript; charset=utf-8',
  'openseadragon.min.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

export type AssetName = keyof typeof assetTypes;

/** Returns the content of a file of the viewer. */
export type ReadAsset = (name: AssetName) => Promise<Uint8Array>;

export function isAssetName(name: string): name is AssetName {
  return Object.hasOwn(assetTypes, name);
}

/** Reads a file from the sources or from `node_modules`. */
export const readInstalledAsset: ReadAsset = (name) => {
  if (name !== 'openseadragon.min.js') return readFile(path.join(import.meta.dirname, 'page', name));
  const main = createRequire(import.meta.url).resolve('openseadragon');
  return readFile(path.join(path.dirname(main), name));
};
