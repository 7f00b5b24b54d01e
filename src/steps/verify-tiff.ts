import { InconsistentWorkError, MalformedTiffError, ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import { Arena } from '../imaging/arena.ts';
import { decodeTiles } from '../imaging/decode-tiles.ts';
import { levelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { forEachParallel } from '../parallel.ts';
import { pagedReader, type RangeReader } from '../bytes/range-reader.ts';
import { checkTables, readBack, type ReadBackLevel } from '../tiff/read-back.ts';
import { AssembledState, type AssembledTiff, sourceLogFields } from '../work/state.ts';
import { readPlan } from '../work/work-area.ts';

/** Levels looked at at once. */
const DECODERS = 4;

/** Reads the assembled file back from the store: every table, and a sample of tiles of every level. */
export function makeVerifyTiff({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ plan: { ref }, assembled }: AssembledState, { log }: Call): Promise<void> => {
    const plan = await readPlan(store, config.workBucket, ref);
    const reader = assembledReader(store, config.workBucket, assembled);
    try {
      const levels = await readBack(pagedReader(reader));
      checkTables(levels, levelsOf(plan), plan.recipe.tileSize, assembled.size);
      const samples = levels.map((level, index) => sampleTiles(level, index === levels.length - 1));
      await forEachParallel(levels, DECODERS, async (level, index) => {
        await verifyTiles(reader, level, index, samples[index] ?? [], plan.recipe.tileSize);
      });
      log.info('tiff.verified', { levels: levels.length, tiles: samples.flat().length });
    } catch (error) {
      if (!(error instanceof MalformedTiffError)) throw error;
      throw new InconsistentWorkError(`Expected a sound pyramid in ${assembled.key}: ${error.message}`, {
        cause: error,
      });
    }
  };
}

/** Corners and centre; of the smallest level, all. */
function sampleTiles({ tilesAcross, tilesDown }: ReadBackLevel, all: boolean): number[] {
  if (all) return Array.from({ length: tilesAcross * tilesDown }, (_, tile) => tile);
  const columns = [0, tilesAcross - 1];
  const corners = [0, tilesDown - 1].flatMap((row) => columns.map((column) => row * tilesAcross + column));
  const centre = Math.floor(tilesDown / 2) * tilesAcross + Math.floor(tilesAcross / 2);
  return [...new Set([...corners, centre])];
}

/** Decodes tiles of one level together: setting a decoder up takes longer than a tile. */
async function verifyTiles(
  reader: MemoryReader,
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

type MemoryReader = RangeReader & Required<Pick<RangeReader, 'readInto'>>;

function assembledReader(store: ObjectStore, bucket: string, { key, etag, size }: AssembledTiff): MemoryReader {
  const read = async (range: { offset: number; length: number }, into?: Uint8Array): Promise<Uint8Array> => {
    try {
      return await store.read({ bucket, key }, { ifMatch: etag, range, into });
    } catch (error) {
      if (!(error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError)) throw error;
      throw new InconsistentWorkError(`Expected ${key} as it was assembled`, { cause: error });
    }
  };
  return {
    size,
    read: (offset, length) => read({ offset, length }),
    async readInto(target, offset) {
      const { length } = await read({ offset, length: target.length }, target);
      if (length < target.length) throw new MalformedTiffError(`Expected ${target.length} bytes at ${offset}`);
    },
  };
}

export const handler = lambdaHandler(AssembledState, makeVerifyTiff, sourceLogFields);
