/** Blocks and levels of the plan that the pipeline makes for an image of a given size. */
import { blockCount, blockRect, rectSize } from '../../src/pyramid/blocks.ts';
import { makePlan, topLevelsOf } from '../../src/pyramid/plan.ts';
import { Recipe } from '../../src/recipe/recipe.ts';

export interface PlannedWork {
  readonly pixels: number;
  /** Pixels of each block of level 0. */
  readonly blocks: readonly number[];
  /** Parts that RenderBlock reads and renders the largest block in. */
  readonly parts: number;
  readonly splitLevel: number;
  /** Number of levels above those of the blocks; 0 for an image of one block. */
  readonly topLevelCount: number;
}

/** Largest image in strips, in pixels; larger ones are tiled. */
const STRIPED_UP_TO = 1e9;

/** Plans an uncompressed 8-bit RGB master of aspect ratio 4:3 with JPEG tiles of 512 pixels. */
export function planFor(pixels: number): PlannedWork {
  const width = Math.round(Math.sqrt((pixels * 4) / 3));
  const height = Math.floor(pixels / width);
  const isStriped = pixels <= STRIPED_UP_TO;
  const plan = makePlan(
    {
      format: 'tiff',
      width,
      height,
      model: 'rgb',
      profile: 'none',
      bands: 3,
      alpha: false,
      bitDepth: 8,
      orientation: 1,
      progressive: false,
      uncompressed: isStriped,
      chunks: isStriped ? { kind: 'strips', width, height: 16 } : { kind: 'tiles', width: 512, height: 512 },
      fileSize: 3 * width * height,
    },
    Recipe.parse({
      name: 'model',
      version: 1,
      description: 'JPEG quality 75',
      tileSize: 512,
      encoding: { compression: 'jpeg', quality: 75 },
      colour: 'keep',
      depth: 'keep',
      background: '#ffffff',
    }),
    {},
  );
  const blocks = Array.from({ length: blockCount(plan.blocks) }, (_, block) => {
    const size = rectSize(blockRect(plan.blocks, block));
    return size.width * size.height;
  });
  return {
    pixels: width * height,
    blocks,
    parts: Math.max(1, Math.ceil(Math.max(...blocks) / plan.partPixels)),
    splitLevel: plan.splitLevel,
    topLevelCount: topLevelsOf(plan).length,
  };
}
