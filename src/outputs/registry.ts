/** The outputs beside the TIFF, and what they publish of a plan. */
import { levelWithin, gridId, type PlainGrid } from '../pyramid/tile-grids.ts';
import type { Plan } from '../pyramid/plan.ts';
import { outputsBesideTiff } from '../recipe/outputs.ts';
import { deepzoom } from './deepzoom/deepzoom.ts';
import { iiif } from './iiif/iiif.ts';
import type { Output, PlannedOutput } from './output.ts';
import { manifest } from './presentation/manifest.ts';
import { thumbnails } from './thumbnails/thumbnails.ts';

/** In the order in which they are published: manifests name what the others have published. */
export const outputs: { readonly [Name in Output['name']]: Output } = { iiif, deepzoom, thumbnails, manifest };

/** The part of a public key that the keys of all outputs begin with. */
export function baseOf(publishedKey: string): string {
  return publishedKey.replace(/\.tif$/u, '');
}

export interface NamedOutput extends PlannedOutput {
  readonly output: Output;
}

/** The outputs of a plan beside the TIFF; `publishedKey` is the key of the TIFF. */
export function plannedOutputs(plan: Plan, publishedKey: string): readonly NamedOutput[] {
  const listed = new Set(outputsBesideTiff(plan.recipe));
  return Object.values(outputs)
    .filter(({ name }) => listed.has(name))
    .map((output) => ({ output, ...output.planned(plan, baseOf(publishedKey)) }));
}

/** The different grids of some outputs: tiles of the same grid and encoding are encoded once. */
export function gridsOf(planned: readonly PlannedOutput[]): readonly PlainGrid[] {
  const grids = new Map<string, PlainGrid>();
  for (const grid of planned.flatMap((each) => each.grids)) {
    const levels = new Set([...(grids.get(gridId(grid))?.levels ?? []), ...grid.levels]);
    grids.set(gridId(grid), { ...grid, levels: [...levels].sort((a, b) => a - b) });
  }
  return [...grids.values()];
}

/**
 * Largest side of the level that PublishOutputs holds as a whole, unless the recipe has images
 * larger than that.
 */
const JOINED_SIDE = 4_096;

/**
 * Blocks make the tiles of this level and of those below; PublishOutputs makes the others from it.
 */
export function lastBlockLevel(plan: Plan): number {
  const { outputs: names, iiif: settings } = plan.recipe;
  const side = names.includes('iiif') ? (settings?.largestImage ?? JOINED_SIDE) : JOINED_SIDE;
  return Math.min(plan.splitLevel, levelWithin(plan, side));
}
