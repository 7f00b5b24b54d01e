import { InconsistentWorkError, MalformedTiffError } from '../errors.ts';
import { Arena } from '../imaging/arena.ts';
import { decodeTiles } from '../imaging/decode-tiles.ts';
import { levelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { forEachParallel } from '../parallel.ts';
import { memoryReader, pagedReader } from '../bytes/range-reader.ts';
import { checkTables, readBack, type ReadBackLevel } from '../tiff/read-back.ts';
import { AssembledState, sourceLogFields } from '../work/execution-state.ts';
import { openWork, type PinnedContent } from '../work/pinned-object.ts';
import { readPlan } from '../work/work-area.ts';

/** Number of levels verified concurrently. */
const DECODERS = 4;
/** Up to this size a file is read with one request. Bytes. */
const WHOLE_FILE_BYTES = 2 ** 20;

/**
 * Reads the assembled file from the store with a third-party reader: all tables, and sample tiles
 * of every level. Throws InconsistentWorkError if the file is not the pyramid of the plan.
 */
export function makeVerifyTiff({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ plan: { ref }, assembled }: AssembledState, { log }: Call): Promise<void> => {
    const plan = await readPlan(store, config.workBucket, ref);
    const { reader: file } = openWork(store, { bucket: config.workBucket, key: assembled.key }, assembled);
    try {
      const reader = file.size > WHOLE_FILE_BYTES ? file : memoryReader(await file.read(0, file.size));
      const levels = await readBack(pagedReader(reader));
      checkTables(levels, levelsOf(plan), plan.recipe.tileSize, assembled.size);
      const samples = levels.map((level, index) => sampleTiles(level, index === levels.length - 1));
      await forEachParallel(levels, DECODERS, async (level, index) => {
        await verifyTiles(reader, level, index, samples[index] ?? [], plan.recipe.tileSize);
      });
      log.info('tiff.verified', { levels: levels.length, tiles: samples.flat().length });
    } catch (error) {
      if (!(error instanceof MalformedTiffError)) throw error;
      throw new InconsistentWorkError(`Expected the pyramid of its plan in ${assembled.key}: ${error.message}`, {
        cause: error,
      });
    }
  };
}

/** The tiles to decode: corners and centre, or all tiles. */
function sampleTiles({ tilesAcross, tilesDown }: ReadBackLevel, all: boolean): number[] {
  if (all) return Array.from({ length: tilesAcross * tilesDown }, (_, tile) => tile);
  const columns = [0, tilesAcross - 1];
  const corners = [0, tilesDown - 1].flatMap((row) => columns.map((column) => row * tilesAcross + column));
  const centre = Math.floor(tilesDown / 2) * tilesAcross + Math.floor(tilesAcross / 2);
  return [...new Set([...corners, centre])];
}

/**
 * Decodes sample tiles of one level in one call, because creating a decoder takes longer than
 * decoding a tile.
 */
async function verifyTiles(
  reader: PinnedContent['reader'],
  level: ReadBackLevel,
  index: number,
  sample: readonly number[],
  tileSize: number,
): Promise<void> {
  const arena = new Arena();
  try {
    const sizes = sample.map((tile) => level.byteCounts[tile] ?? 0);
    const bytes = arena.take(sizes.reduce((sum, size) => sum + size, 0));
    let end = 0;
    const tiles = sizes.map((size) => bytes.subarray(end, (end += size)));
    await Promise.all(tiles.map((tile, at) => reader.readInto(tile, level.offsets[sample[at] ?? 0] ?? 0)));
    await decodeTiles(tiles, tileSize, level.encoding, arena).catch((error: unknown) => {
      throw notDecoded(error, sample, index);
    });
  } finally {
    arena.release();
  }
}

function notDecoded(error: unknown, sample: readonly number[], index: number): MalformedTiffError {
  const reason = error instanceof Error ? error.message : String(error);
  const names = sample.length === 1 ? `tile ${sample.join()}` : `one of the tiles ${sample.join(', ')}`;
  return new MalformedTiffError(`${names} of level ${index} does not decode: ${reason}`, { cause: error });
}

export const handler = lambdaHandler(AssembledState, makeVerifyTiff, sourceLogFields);
