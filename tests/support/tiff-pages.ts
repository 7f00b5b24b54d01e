/** TIFFs of several uncompressed grey pages of 8 bits. */
import { greyFields, type HandField, handTiff, withFields } from './tiff-bytes.ts';
import { picture } from './pixels.ts';

export interface GreyPage {
  readonly width: number;
  readonly height: number;
  /** Of the pixels; other seeds give other pictures. */
  readonly seed?: number;
  readonly fields?: readonly HandField[];
}

/** The pages in one file; the pixels of all pages precede the directories. */
export function tiffOfPages(pages: readonly GreyPage[], { bigTiff = false } = {}): Uint8Array {
  const pixels = pages.map(({ width, height, seed = 1 }) => picture(width, height, 1, seed));
  let offset = bigTiff ? 16 : 8;
  const directories = pages.map(({ width, height, fields = [] }) => {
    const directory = withFields(greyFields(width, height, offset), ...fields);
    offset += width * height;
    return directory;
  });
  return handTiff({ bigTiff, data: Buffer.concat(pixels), directories });
}

/** An ASCII field. */
export function ascii(tag: number, text: string): HandField {
  return { tag, type: 2, values: [...Buffer.from(`${text}\0`)] };
}
