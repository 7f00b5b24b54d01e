/**
 * Deep Zoom: `<base>.dzi`, tiles in `<base>_files/<level>/<column>_<row>.jpg`, and the metadata of
 * the master in `<base>.dzi.json`. Level 0 of Deep Zoom is the one of a single pixel
 * (https://learn.microsoft.com/previous-versions/windows/silverlight/dotnet-windows-silverlight/cc645077(v=vs.95)).
 */
import type { PlainGrid } from '../../pyramid/tile-grids.ts';
import type { Size } from '../../pyramid/levels.ts';
import { DeepZoomSettings } from '../../recipe/outputs.ts';
import { DESCRIPTOR_CACHE, type Output, type PlainFile } from '../output.ts';

export const deepzoom: Output = {
  name: 'deepzoom',
  prefixes: (base) => [`${base}_files/`, `${base}.dzi`],
  planned({ width, height, recipe }, base) {
    const { tileSize, overlap, format, quality } = recipe.deepzoom ?? DeepZoomSettings.parse({});
    const smallest = Math.ceil(Math.log2(Math.max(width, height)));
    const grid: PlainGrid = { tileSize, overlap, format, quality, levels: upTo(smallest) };
    const fileKeys = [`${base}.dzi.json`, `${base}.dzi`] as const;
    return {
      grids: [grid],
      tileKeys: (_, level, { column, row }) => [`${base}_files/${smallest - level.index}/${column}_${row}.${format}`],
      images: [],
      fileKeys,
      files: ({ sidecar }) => [
        { key: fileKeys[0], bytes: sidecar, contentType: 'application/json', cacheControl: DESCRIPTOR_CACHE },
        descriptor(fileKeys[1], { width, height }, grid),
      ],
    };
  },
};

function upTo(last: number): number[] {
  return Array.from({ length: last + 1 }, (_, index) => index);
}

function descriptor(key: string, { width, height }: Size, { tileSize, overlap, format }: PlainGrid): PlainFile {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<Image xmlns="http://schemas.microsoft.com/deepzoom/2008" Format="${format}" Overlap="${overlap}" TileSize="${tileSize}">
  <Size Width="${width}" Height="${height}"/>
</Image>
`;
  return { key, bytes: new TextEncoder().encode(xml), contentType: 'application/xml', cacheControl: DESCRIPTOR_CACHE };
}
