/** Documents of several pages, and a recipe that publishes every page. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pdf } from './pdf-fixtures.ts';
import { ascii, type GreyPage, tiffOfPages } from './tiff-pages.ts';

/** Name of the recipe in the folder of `recipesForPages`. */
export const everyPage = 'every-page';

/** A folder with one lossless recipe. */
export async function recipesForPages(parent: string): Promise<string> {
  const folder = path.join(parent, 'recipes');
  await mkdir(folder, { recursive: true });
  const settings = {
    name: everyPage,
    version: 1,
    description: 'Every page, lossless',
    tileSize: 256,
    encoding: { compression: 'deflate' },
    colour: 'keep',
    depth: 'keep',
    background: '#ffffff',
    dpi: 72,
    pages: 'all',
  };
  // JSON is YAML.
  await writeFile(path.join(folder, `${everyPage}.yml`), JSON.stringify(settings));
  return folder;
}

const greyPages: readonly GreyPage[] = [
  { width: 620, height: 430, seed: 1, fields: [ascii(285, 'recto')] },
  { width: 500, height: 700, seed: 2 },
  { width: 620, height: 430, seed: 3, fields: [ascii(285, 'index')] },
];
const drawings = ['1 0 0 rg 10 20 200 100 re f', '0 0 1 rg 30 60 90 300 re f', '0 1 0 rg 0 0 400 200 re f'];
const pdfPages = drawings.map((content, index) => ({ width: 400 + 20 * index, height: 500, content }));

/** A document, and a file of each of its pages alone. */
export interface TestDocument {
  readonly name: string;
  readonly whole: Uint8Array;
  readonly alone: readonly Uint8Array[];
}

export const testDocuments: readonly TestDocument[] = [
  { name: 'book.tif', whole: tiffOfPages(greyPages), alone: greyPages.map((page) => tiffOfPages([page])) },
  {
    name: 'big.tif',
    whole: tiffOfPages(greyPages, { bigTiff: true }),
    alone: greyPages.map((page) => tiffOfPages([page])),
  },
  { name: 'book.pdf', whole: pdf({ pages: pdfPages }), alone: pdfPages.map((page) => pdf({ pages: [page] })) },
];
