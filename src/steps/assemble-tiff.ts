import { InconsistentWorkError, ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import { descriptiveFields } from '../metadata/descriptive.ts';
import { tileGrid } from '../pyramid/levels.ts';
import { levelsOf, type Plan, topLevelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectStore, Piece } from '../storage/object-store.ts';
import { forEachParallel } from '../parallel.ts';
import { layoutTiff, type TiffLayout } from '../tiff/layout.ts';
import type { Field, LevelTable } from '../tiff/written-directory.ts';
import { pyramidFields } from '../tiff/pyramid-fields.ts';
import { sourceLogFields, type AssembledTiff, PlannedState } from '../work/state.ts';
import { type PlanRef, readHeader, readPlan, type BundleName, workArea, type WorkArea } from '../work/work-area.ts';
import { readBundleIndex, type TileBundleIndex } from '../work/tile-bundle.ts';

/** Indexes read at once. */
const READERS = 16;

interface NamedBundle {
  readonly name: BundleName;
  readonly index: TileBundleIndex;
}

/** One file: the head is laid out and written here, the tiles are put behind it by the store. */
export function makeAssembleTiff({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: { ref, blocks } }: PlannedState, { log }: Call): Promise<AssembledTiff> => {
    const area = workArea(config.workBucket, source);
    const plan = await readPlan(store, config.workBucket, ref);
    const bundles = await readBundleIndexes(
      store,
      area,
      ref,
      topLevelsOf(plan).length > 0 ? ['top-levels', ...blocks] : blocks,
    );
    const { metadata } = await readHeader(store, area);
    const layout = layOut(plan, bundles, descriptiveFields(metadata.descriptive));
    const pieces: Piece[] = [...layout.headerPieces, ...bundles.map((bundle) => tilesPiece(area, ref, bundle))];
    const target = area.assembled(ref);
    const { etag, size } = await store.compose(target, pieces, { contentType: 'image/tiff' }).catch(rejectChangedWork);
    if (size !== layout.size)
      throw new InconsistentWorkError(`Expected ${layout.size} bytes but ${size} were put together`);
    log.info('tiff.assembled', { bytes: size, bigTiff: layout.bigTiff, bundles: bundles.length });
    return { key: target.key, etag, size };
  };
}

async function readBundleIndexes(
  store: ObjectStore,
  area: WorkArea,
  ref: PlanRef,
  names: readonly BundleName[],
): Promise<NamedBundle[]> {
  const bundles: NamedBundle[] = [];
  await forEachParallel(names, READERS, async (name, position) => {
    bundles[position] = { name, index: await readBundleIndex(store, area.index(ref, name)) };
  });
  return bundles;
}

function layOut(plan: Plan, bundles: readonly NamedBundle[], about: readonly Field[]): TiffLayout {
  const encoding = bundles[0]?.index.encoding;
  if (!encoding) throw new InconsistentWorkError('Expected at least one block');
  const expected = JSON.stringify(encoding);
  const other = bundles.find(({ index }) => JSON.stringify(index.encoding) !== expected);
  if (other) throw new InconsistentWorkError(`Expected one encoding for all tiles but that of ${other.name} differs`);
  for (const { name, index } of bundles) {
    const bytes = tileBytes(index);
    if (bytes === index.tiles.size) continue;
    throw new InconsistentWorkError(
      `Expected ${bytes} bytes of tiles for ${name} but its index says ${index.tiles.size}`,
    );
  }
  const levels = levelsOf(plan).map((level): LevelTable => {
    const grid = tileGrid(level, plan.recipe.tileSize);
    const fields = pyramidFields(level.index, encoding, plan.description);
    if (level.index === 0) fields.push(...about);
    return { width: level.width, height: level.height, tilesAcross: grid.across, tilesDown: grid.down, fields };
  });
  try {
    return layoutTiff({ tileSize: plan.recipe.tileSize, levels, bundles: bundles.map(({ index }) => index) });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InconsistentWorkError(`Expected indexes that cover every tile once: ${error.message}`, { cause: error });
  }
}

function tileBytes({ runs }: TileBundleIndex): number {
  let bytes = 0;
  for (const { byteCounts } of runs) for (const count of byteCounts) bytes += count;
  return bytes;
}

function tilesPiece(area: WorkArea, ref: PlanRef, { name, index }: NamedBundle): Piece {
  return { ref: area.tiles(ref, name), etag: index.tiles.etag, offset: 0, length: index.tiles.size };
}

function rejectChangedWork(error: unknown): never {
  if (error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError) {
    throw new InconsistentWorkError(`Expected the tiles as their index names them: ${error.message}`, { cause: error });
  }
  throw error;
}

export const handler = lambdaHandler(PlannedState, makeAssembleTiff, sourceLogFields);
