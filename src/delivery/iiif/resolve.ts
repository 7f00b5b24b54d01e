/** Resolves the parameters of an image request to pixels of one image. Pure. */
import { describeSize, type Size } from '../../pyramid/levels.ts';
import type { Region } from '../../published/region-plan.ts';
import { RefusedRequestError } from '../refused.ts';
import type { DeliveryLimits } from '../settings.ts';
import type { ApiVersion, RegionParameter, SizeParameter } from './syntax.ts';

/** The image, its grid of tiles, and what may be asked of it. */
export interface ResolvedAgainst extends Size {
  readonly tileSize: number;
  readonly levels: readonly Size[];
}

export type SizeLimits = Pick<DeliveryLimits, 'maxWidth' | 'maxHeight' | 'maxArea'>;

/**
 * The rectangle of a region, cut off at the edges of the image. Throws RefusedRequestError(400) for
 * a region outside the image.
 */
export function resolveRegion(parameter: RegionParameter, { width, height }: Size): Region {
  if (parameter.kind === 'full') return { left: 0, top: 0, width, height };
  if (parameter.kind === 'square') {
    const side = Math.min(width, height);
    return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), width: side, height: side };
  }
  const pixels = (value: number, side: number): number => (parameter.kind === 'pixels' ? value : (value * side) / 100);
  const x = span(pixels(parameter.x, width), pixels(parameter.width, width), width);
  const y = span(pixels(parameter.y, height), pixels(parameter.height, height), height);
  if (x && y) return { left: x.start, top: y.start, width: x.length, height: y.length };
  throw new RefusedRequestError(
    400,
    `The region lies outside the image, which has ${describeSize({ width, height })} pixels.`,
  );
}

function span(start: number, length: number, side: number): { start: number; length: number } | undefined {
  if (start >= side) return undefined;
  const first = Math.min(Math.round(start), side - 1);
  const end = Math.min(side, Math.max(first + 1, Math.round(start + length)));
  return { start: first, length: end - first };
}

/**
 * The size of a derivative. Throws RefusedRequestError(400) for a size that the API or the limits
 * do not allow.
 */
export function resolveSize(
  version: ApiVersion,
  parameter: SizeParameter,
  region: Region,
  image: ResolvedAgainst,
  limits: SizeLimits,
): Size {
  if (version === 3) assertNoLargeBox(parameter, region);
  const size = requestedSize(parameter, region, image, limits);
  const isEnlarged = size.width > region.width || size.height > region.height;
  if (isEnlarged && version === 3 && !parameter.upscaled) {
    throw new RefusedRequestError(
      400,
      `The size ${describeSize(size)} is larger than the region of ${describeSize(region)} pixels; put ^ before it to enlarge.`,
    );
  }
  if (fits(size, limits)) return size;
  const { maxWidth, maxHeight, maxArea } = limits;
  throw new RefusedRequestError(
    400,
    `The size ${describeSize(size)} is above the limits of ${describeSize({ width: maxWidth, height: maxHeight })} and ${maxArea} pixels; ask for max or less.`,
  );
}

function requestedSize(parameter: SizeParameter, region: Region, image: ResolvedAgainst, limits: SizeLimits): Size {
  switch (parameter.kind) {
    case 'full':
      return { width: region.width, height: region.height };
    case 'max':
      return maxSize(region, limits, parameter.upscaled);
    case 'percent':
      return scaled(region, parameter.percent / 100, Math.round);
    case 'within':
      return withinBox(parameter, region, limits);
    case 'sides':
      return bySides(parameter, region, image);
  }
}

/**
 * Version 3 returns a region that is smaller than its box as it is. A client that asks for twice
 * the region in both directions expects an enlargement, for which the API has another form.
 */
function assertNoLargeBox(parameter: SizeParameter, region: Size): void {
  if (parameter.kind !== 'within' || parameter.upscaled) return;
  if (parameter.width < 2 * region.width || parameter.height < 2 * region.height) return;
  throw new RefusedRequestError(
    400,
    `The box ${describeSize(parameter)} is more than twice the region of ${describeSize(region)} pixels; ask for max, or put ^ before it to enlarge.`,
  );
}

/** The largest size in a box and in the limits. Version 2 has no form that enlarges. */
function withinBox(
  { width, height, upscaled }: Extract<SizeParameter, { kind: 'within' }>,
  region: Region,
  limits: SizeLimits,
): Size {
  const box = Math.min(width / region.width, height / region.height);
  const limit = Math.min(largestScale(region, limits), upscaled ? Infinity : 1);
  return box <= limit ? scaled(region, box, Math.round) : scaled(region, limit, Math.floor);
}

function bySides(
  { width, height }: Extract<SizeParameter, { kind: 'sides' }>,
  region: Region,
  image: ResolvedAgainst,
): Size {
  if (width !== undefined && height !== undefined) return { width, height };
  // A region in its own width is not scaled, even if it is a tile of a smaller level as well.
  if (width === region.width || height === region.height) return { width: region.width, height: region.height };
  const tile = lastTileSize(region, image, (size) => size.width === width || size.height === height);
  if (tile) return tile;
  const scale = width === undefined ? (height ?? region.height) / region.height : width / region.width;
  const other = scaled(region, scale, Math.round);
  return { width: width ?? other.width, height: height ?? other.height };
}

/**
 * The size of a tile at the edge of the grid that viewers of version 2 ask for by one side. They
 * compute both sides from those of the level, which they round up or take from info.json; a narrow
 * tile then has other proportions than the region.
 */
function lastTileSize(
  region: Region,
  { width, height, tileSize, levels }: ResolvedAgainst,
  isRequested: (size: Size) => boolean,
): Size | undefined {
  return levels
    .flatMap((level, index) => {
      const factor = 2 ** index;
      if (!isTile(region, tileSize * factor, { width, height })) return [];
      const inLevel = {
        width: Math.min(tileSize, level.width - region.left / factor),
        height: Math.min(tileSize, level.height - region.top / factor),
      };
      return [scaled(region, 1 / factor, Math.ceil), scaled(inLevel, 1, Math.ceil)];
    })
    .find(isRequested);
}

function isTile(region: Region, side: number, { width, height }: Size): boolean {
  const isCell = (start: number, length: number, full: number): boolean =>
    start % side === 0 && length === Math.min(side, full - start);
  return isCell(region.left, region.width, width) && isCell(region.top, region.height, height);
}

/** The size of a region under `max`, or under `^max`. */
export function maxSize(region: Size, limits: SizeLimits, upscaled = false): Size {
  return scaled(region, Math.min(upscaled ? Infinity : 1, largestScale(region, limits)), Math.floor);
}

function scaled({ width, height }: Size, scale: number, round: (side: number) => number): Size {
  return { width: Math.max(1, round(width * scale)), height: Math.max(1, round(height * scale)) };
}

function largestScale({ width, height }: Size, { maxWidth, maxHeight, maxArea }: SizeLimits): number {
  return Math.min(maxWidth / width, maxHeight / height, Math.sqrt(maxArea / (width * height)));
}

function fits({ width, height }: Size, { maxWidth, maxHeight, maxArea }: SizeLimits): boolean {
  return width <= maxWidth && height <= maxHeight && width * height <= maxArea;
}

/** The sizes of the levels that the limits allow, smallest first: those that are not resized. */
export function listedSizes(levels: readonly Size[], limits: SizeLimits): Size[] {
  return levels
    .filter((level) => fits(level, limits))
    .map(({ width, height }) => ({ width, height }))
    .reverse();
}
