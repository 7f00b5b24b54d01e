/**
 * IIIF Image API 3 (https://iiif.io/api/image/3.0/) and 2.1, level 0: every tile of every scale
 * factor, and images of the whole region, under their canonical names and the other spellings that
 * viewers use. Each version has a folder of its own with its info.json.
 */
import type { Level, Size } from '../../pyramid/levels.ts';
import type { Plan } from '../../pyramid/plan.ts';
import { levelWithin, roundedUpLevel, type PlainGrid, type GridPosition, tileRect } from '../../pyramid/tile-grids.ts';
import { IiifSettings } from '../../recipe/outputs.ts';
import type { Output, WholeImage } from '../output.ts';
import { infoFile, type ServiceDescription } from './info.ts';

const JPEG_QUALITY = 85;

export const iiif: Output = {
  name: 'iiif',
  prefixes: (base) => [`${base}/iiif3/`, `${base}/iiif2/`],
  planned(plan, base) {
    const settings = settingsOf(plan);
    const { versions, tileSize, levels, quality } = settings;
    const folders = versions.map((version) => ({ version, folder: `${base}/iiif${version}` }));
    const grid: PlainGrid = { tileSize, overlap: 0, format: 'jpg', quality, levels };
    const images = imagesOf(plan, settings);
    // The only tile of a level is an image of the whole region.
    const ofTiles = new Set(
      levels
        .filter((level) => level >= levelWithin(plan, tileSize))
        .map((level) => tileNames(plan, grid, roundedUpLevel(plan, level), { column: 0, row: 0 }))
        .flatMap((names) =>
          folders.flatMap(({ version, folder }) => names[version].map((name) => `${folder}/${name}`)),
        ),
    );
    const service: ServiceDescription = {
      full: { width: plan.width, height: plan.height },
      tileSize,
      scaleFactors: levels.map((level) => 2 ** level),
      sizes: images.map(({ size }) => size),
    };
    return {
      grids: [grid],
      tileKeys: (_, level, tile) => {
        const names = tileNames(plan, grid, level, tile);
        return folders.flatMap(({ version, folder }) => names[version].map((name) => `${folder}/${name}`));
      },
      images: images.map(({ level, size, isLargest }): WholeImage => ({
        level,
        size,
        quality,
        keys: folders.flatMap(({ version, folder }) =>
          imageNames(plan, size, isLargest)
            [version].map((name) => `${folder}/${name}`)
            .filter((key) => !ofTiles.has(key)),
        ),
      })),
      fileKeys: folders.map(({ folder }) => `${folder}/info.json`),
      files: ({ publicUrl }) => folders.map(({ version, folder }) => infoFile(version, folder, service, publicUrl)),
    };
  },
};

interface ResolvedSettings {
  readonly versions: readonly (2 | 3)[];
  readonly tileSize: number;
  readonly quality: number;
  /** Indexes of the levels that have tiles. */
  readonly levels: readonly number[];
  readonly largestImage: number;
  readonly thumbnails: readonly number[];
}

function settingsOf({ width, height, recipe }: Plan): ResolvedSettings {
  const settings = recipe.iiif ?? IiifSettings.parse({});
  const { tileSize = recipe.tileSize, scaleFactors, largestImage, thumbnails } = settings;
  const ofRecipe = recipe.encoding.compression === 'jpeg' ? recipe.encoding.quality : JPEG_QUALITY;
  const last = levelWithin({ width, height }, tileSize);
  const all = Array.from({ length: last + 1 }, (_, index) => index);
  const wanted = new Set(scaleFactors?.map((factor) => Math.log2(factor)));
  const levels = scaleFactors ? all.filter((level) => wanted.has(level)) : all;
  return {
    versions: [...new Set(settings.versions)],
    tileSize,
    quality: settings.quality ?? ofRecipe,
    // A small image has fewer levels than the recipe lists; its full size always has tiles.
    levels: levels.length > 0 ? levels : [0],
    largestImage,
    thumbnails,
  };
}

interface SizedImage {
  readonly level: number;
  readonly size: Size;
  readonly isLargest: boolean;
}

/**
 * The images of the whole region, smallest first: levels from the largest allowed one on, and
 * thumbnails.
 */
function imagesOf(plan: Plan, { levels, largestImage, thumbnails, tileSize }: ResolvedSettings): SizedImage[] {
  const largest = levelWithin(plan, largestImage);
  const last = Math.max(largest, levels.at(-1) ?? 0, levelWithin(plan, tileSize));
  const bySize = new Map<string, SizedImage>();
  const add = (level: number, { width, height }: Size): void => {
    const name = `${width},${height}`;
    if (!bySize.has(name)) bySize.set(name, { level, size: { width, height }, isLargest: level === largest });
  };
  for (let level = largest; level <= last; level++) add(level, roundedUpLevel(plan, level));
  const limit = roundedUpLevel(plan, largest).width;
  for (const width of thumbnails) {
    if (width >= limit) continue;
    const height = Math.max(1, Math.round((plan.height * width) / plan.width));
    // The smallest level that is not enlarged.
    const level = Math.max(largest, Math.floor(Math.log2(plan.width / width)));
    add(level, { width, height });
  }
  const images = [...bySize.values()].map((image) => ({
    ...image,
    isLargest: image.size.width === limit && image.level === largest,
  }));
  return images.sort((a, b) => a.size.width - b.size.width || a.size.height - b.size.height);
}

type Names = Readonly<Record<2 | 3, readonly string[]>>;

const END = '0/default.jpg';

/**
 * The names of a tile, `region/size/rotation/quality.format`: the canonical one, more of a whole
 * region.
 */
function tileNames(plan: Plan, grid: PlainGrid, level: Level, { column, row }: GridPosition): Names {
  const { left, top, right, bottom } = tileRect(level, grid, column, row);
  const scale = 2 ** level.index;
  const width = Math.min(plan.width, right * scale) - left * scale;
  const height = Math.min(plan.height, bottom * scale) - top * scale;
  const region = [left * scale, top * scale, width, height].join(',');
  const size = { width: right - left, height: bottom - top };
  const isFull = width === plan.width && height === plan.height;
  if (!isFull) return { 3: [`${region}/${size.width},${size.height}/${END}`], 2: [`${region}/${size.width},/${END}`] };
  // The whole region is named by `full`; some viewers write its coordinates.
  const sizes = sizeNames(size, level.index === 0);
  const named = (spellings: readonly string[]): string[] =>
    ['full', region].flatMap((each) => spellings.map((spelling) => `${each}/${spelling}/${END}`));
  return { 3: named(sizes[3]), 2: named(sizes[2]) };
}

/** The names of an image of the whole region. */
function imageNames(plan: Plan, size: Size, isLargest: boolean): Names {
  const isWhole = size.width === plan.width && size.height === plan.height;
  const sizes = sizeNames(size, isWhole);
  const largest = isLargest ? [`full/max/${END}`] : [];
  const named = (spellings: readonly string[]): string[] => [
    ...new Set([...spellings.map((spelling) => `full/${spelling}/${END}`), ...largest]),
  ];
  return { 3: named(sizes[3]), 2: named(sizes[2]) };
}

/**
 * The spellings of the size of a whole region. The canonical one of version 3 is `w,h`, or `max`
 * for all pixels; of version 2 it is `w,`, or `full`. Viewers ask for both of either version.
 */
function sizeNames({ width, height }: Size, isAllPixels: boolean): Names {
  const both = [`${width},${height}`, `${width},`];
  return isAllPixels ? { 3: ['max', ...both], 2: ['full', 'max', ...both] } : { 3: both, 2: [...both].reverse() };
}
