import { InconsistentWorkError } from '../errors.ts';
import { forEachParallel } from '../parallel.ts';
import { topLevelsOf } from '../pyramid/plan.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectStore, Piece } from '../storage/object-store.ts';
import type { TileEncoding } from '../tiff/pyramid-fields.ts';
import { layOutAssembled } from '../work/assembled-tiff.ts';
import { type AssembledTiff, PlannedState, sourceLogFields } from '../work/execution-state.ts';
import { readHeader } from '../work/header.ts';
import { readBundleIndex, type TileBundleIndex } from '../work/tile-bundle.ts';
import { type BundleName, fromWork, type PlanRef, readPlan, workArea, type WorkArea } from '../work/work-area.ts';

/** Number of indexes read concurrently. */
const READERS = 16;

interface NamedBundle {
  readonly name: BundleName;
  readonly index: TileBundleIndex;
}

/** Writes assembled.tif: the header computed here, to which the store appends the tile bundles. */
export function makeAssembleTiff({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, plan: { ref, blocks } }: PlannedState, { log }: Call): Promise<AssembledTiff> => {
    const area = workArea(config.workBucket, source);
    const plan = await readPlan(store, config.workBucket, ref);
    const names = topLevelsOf(plan).length > 0 ? (['top-levels', ...blocks] as const) : blocks;
    const bundles = await readBundleIndexes(store, area, ref, names);
    const indexes = bundles.map(({ index }) => index);
    const layout = layOutAssembled(plan, await readHeader(store, area), sharedEncoding(bundles), indexes);
    const pieces: Piece[] = [...layout.headerPieces, ...bundles.map((bundle) => tilesPiece(area, ref, bundle))];
    const target = area.assembled(ref);
    const { etag, size } = await fromWork('tile bundles', store.compose(target, pieces));
    if (size !== layout.size) {
      throw new InconsistentWorkError(`Expected ${layout.size} bytes for ${target.key} but received ${size}`);
    }
    log.info('tiff.assembled', { bytes: size, bigTiff: layout.bigTiff, bundles: bundles.length });
    const warnings = [...new Set(indexes.flatMap((index) => index.warnings))].sort();
    return { key: target.key, etag, size, warnings };
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

/**
 * The encoding of all tiles. Throws InconsistentWorkError if bundles differ or an index contradicts
 * its tiles.
 */
function sharedEncoding(bundles: readonly NamedBundle[]): TileEncoding {
  const encoding = bundles[0]?.index.encoding;
  if (!encoding) throw new InconsistentWorkError('Expected at least one tile bundle');
  const expected = JSON.stringify(encoding);
  for (const { name, index } of bundles) {
    if (JSON.stringify(index.encoding) !== expected) {
      throw new InconsistentWorkError(`Expected one encoding for all tiles but received another for ${name}`);
    }
    const bytes = tileBytes(index);
    if (bytes === index.tiles.size) continue;
    throw new InconsistentWorkError(
      `Expected ${bytes} bytes of tiles for ${name} but its index has ${index.tiles.size}`,
    );
  }
  return encoding;
}

function tileBytes({ runs }: TileBundleIndex): number {
  let bytes = 0;
  for (const { byteCounts } of runs) for (const count of byteCounts) bytes += count;
  return bytes;
}

function tilesPiece(area: WorkArea, ref: PlanRef, { name, index }: NamedBundle): Piece {
  return { ref: area.tiles(ref, name), etag: index.tiles.etag, offset: 0, length: index.tiles.size };
}

export const handler = lambdaHandler(PlannedState, makeAssembleTiff, sourceLogFields);
