/** Runs the steps in the order of the state machine, over folders as buckets, without an engine. */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Config } from '../../src/config.ts';
import type { DecodingLimits } from '../../src/formats/convert-file.ts';
import type { ExecutionInput } from '../../src/work/execution-input.ts';
import { imageId, sequenceOf } from '../../src/ledger/identity.ts';
import { publishedDescription } from '../../src/imaging/published-description.ts';
import type { Publication } from '../../src/ledger/ledger.ts';
import { memoryLimits } from '../../src/limits.ts';
import { jsonLog } from '../../src/log.ts';
import { type Cut, makePlan } from '../../src/pyramid/plan.ts';
import { readRecipe } from '../../src/recipe/read.ts';
import type { Call, Ports } from '../../src/runtime.ts';
import { makeAssembleTiff } from '../../src/steps/assemble-tiff.ts';
import { makeChecksumSource } from '../../src/steps/checksum-source.ts';
import { makeConvertSource } from '../../src/steps/convert-source.ts';
import { makeMeasureSamples } from '../../src/steps/measure-samples.ts';
import { describePlan, makePlanPyramid } from '../../src/steps/plan-pyramid.ts';
import { makePublishOutputs } from '../../src/steps/publish-outputs.ts';
import { makePublishSidecar } from '../../src/steps/publish-sidecar.ts';
import { makePublishTiff } from '../../src/steps/publish-tiff.ts';
import { makePublishBlockTiles } from '../../src/steps/publish-block-tiles.ts';
import { makeRecordMetadata } from '../../src/steps/record-metadata.ts';
import { makeRenderTopLevels } from '../../src/steps/render-top-levels.ts';
import { makeRenderBlock } from '../../src/steps/render-block.ts';
import { makeRenderImage } from '../../src/steps/render-image.ts';
import type {
  AssembledTiff,
  PlannedPyramid,
  PlannedState,
  PublishedState,
  ValidatedState,
} from '../../src/work/execution-state.ts';
import { makeValidateObject } from '../../src/steps/validate-object.ts';
import { makeVerifyTiff } from '../../src/steps/verify-tiff.ts';
import { readHeader } from '../../src/work/header.ts';
import { toJsonBytes, workArea } from '../../src/work/work-area.ts';
import { fileStore } from '../../src/storage/files/files.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { memoryLedger } from './memory-ledger.ts';

export type StepPorts = Pick<Ports, 'store' | 'ledger' | 'notifier' | 'config'>;

export const quietCall: Call = { remainingMs: () => 600_000, log: jsonLog(() => undefined, 'silent') };

export const testConfig: Config = {
  store: { kind: 's3' },
  workBucket: 'stepwell-work',
  publishedBucket: 'stepwell-published',
  defaultRecipe: 'default',
  recipeRules: [],
  recipesDirectory: 'recipes',
  concurrency: 40,
  memory: memoryLimits.standard,
};

/** Limits of decoders, where they differ from those of the machine. */
export type DecodingOptions = Pick<DecodingLimits, 'memory'>;

/** After PublishTiff. */
export type StateWithOutputs = PublishedState & { readonly published: { readonly outputs?: 'tiles' | 'files' } };

export interface Pipeline extends StepPorts {
  readonly workspace: string;
  readonly sourceBucket: string;
  /**
   * Puts a master in the source bucket and runs every step on it; the cut, when given, replaces the
   * planner's.
   */
  run(key: string, master: Uint8Array, options?: { recipe?: string; cut?: Cut }): Promise<Publication>;
  /** The execution state after PublishTiff of the last run. */
  lastPublished(): { state: StateWithOutputs };
  stop(): Promise<void>;
}

/** A workspace of its own in a temporary folder; `store` wraps or replaces the folder store. */
export async function startPipeline(
  wrap: (store: ObjectStore) => ObjectStore = (store) => store,
  config: Partial<Config> = {},
  decoding: DecodingOptions = {},
): Promise<Pipeline> {
  const workspace = await mkdtemp(path.join(os.tmpdir(), 'stepwell-test-'));
  const { ledger, stop: closeLedger } = memoryLedger();
  const store = wrap(fileStore(workspace));
  const ports: StepPorts = {
    store,
    ledger,
    config: { ...testConfig, ...config },
    notifier: { published: () => Promise.resolve() },
  };
  const sourceBucket = 'stepwell-source';
  let uploads = 0;
  let last: StateWithOutputs | undefined;
  const note = (state: StateWithOutputs): void => {
    last = state;
  };
  return {
    ...ports,
    workspace,
    sourceBucket,
    async run(key, master, { recipe = 'default', cut } = {}) {
      const { etag, size } = await store.write({ bucket: sourceBucket, key }, master);
      uploads += 1;
      const upload = {
        imageId: imageId(sourceBucket, key),
        sequence: sequenceOf(uploads.toString(16).padStart(8, '0')),
      };
      const source = { ...upload, bucket: sourceBucket, key, etag, size };
      await ledger.claim({ ...source, recipe });
      return runSteps(ports, { schemaVersion: 1, source, recipe }, { cut, decoding, note });
    },
    lastPublished() {
      if (!last) throw new Error('Expected a run that published');
      return { state: last };
    },
    async stop() {
      closeLedger();
      await rm(workspace, { recursive: true, force: true });
    },
  };
}

async function runSteps(
  ports: StepPorts,
  input: ExecutionInput,
  {
    cut,
    decoding,
    note,
  }: {
    readonly cut: Cut | undefined;
    readonly decoding: DecodingOptions;
    readonly note: (state: StateWithOutputs) => void;
  },
): Promise<Publication> {
  const validated = await validateAndConvert(ports, input, decoding);
  await makeRecordMetadata(ports)(validated, quietCall);
  const planned = { ...validated, plan: await planPyramid(ports, validated, cut) };
  const { plan } = planned;
  if (plan.digests !== 'within') await makeChecksumSource(ports)(planned, quietCall);
  const state = { ...planned, assembled: await renderPyramid(ports, planned) };
  await makeVerifyTiff(ports)(state, quietCall);
  const published = await makePublishTiff(ports)(state, quietCall);
  note({ ...state, published });
  await publishOutputs(ports, { ...state, published });
  await makePublishSidecar(ports)({ ...state, published }, quietCall);
  return published;
}

/** The outputs beside the TIFF, as the state machine publishes them. */
export async function publishOutputs(ports: StepPorts, state: StateWithOutputs): Promise<void> {
  const { source, plan, published } = state;
  if (published.outputs === undefined) return;
  if (published.outputs === 'tiles') {
    for (const block of plan.blocks) {
      await makePublishBlockTiles(ports)({ schemaVersion: 1, source, plan: plan.ref, block }, quietCall);
    }
  }
  await makePublishOutputs(ports)(state, quietCall);
}

/** From planned to assembled, as the state machine does it for one block or several. */
export async function renderPyramid(ports: StepPorts, planned: PlannedState): Promise<AssembledTiff> {
  const { source, plan } = planned;
  if (plan.oneBlock) return makeRenderImage(ports)(planned, quietCall);
  for (const block of plan.blocks) {
    await makeRenderBlock(ports)({ schemaVersion: 1, source, plan: plan.ref, block }, quietCall);
  }
  await makeRenderTopLevels(ports)(planned, quietCall);
  return makeAssembleTiff(ports)(planned, quietCall);
}

/** Validates the object and converts it to TIFF when its format needs that. */
export async function validateAndConvert(
  ports: StepPorts,
  input: ExecutionInput,
  decoding: DecodingOptions = {},
): Promise<ValidatedState> {
  const found = await makeValidateObject(ports)(input, quietCall);
  const convert = makeConvertSource(ports, decoding);
  const image = 'convertFrom' in found ? await convert({ ...input, image: found }, quietCall) : found;
  if ('pages' in image) throw new Error('Expected a master of which one picture is published');
  const state = { ...input, image };
  return image.unmeasured ? { ...input, image: await makeMeasureSamples(ports)(state, quietCall) } : state;
}

/** The planner's plan; the cut, when given, replaces the planner's. */
export async function planPyramid(ports: StepPorts, state: ValidatedState, cut?: Cut): Promise<PlannedPyramid> {
  if (!cut) return makePlanPyramid(ports)(state, quietCall);
  const { store, config } = ports;
  const area = workArea(config.workBucket, state.source);
  const recipe = await readRecipe(config.recipesDirectory, state.recipe);
  const header = await readHeader(store, area);
  const { iccProfile, resolution } = header;
  const description = await publishedDescription(state.image, recipe, { iccProfile, resolution });
  const plan = makePlan(state.image, recipe, description, { cut });
  const hash = '0123456789abcdef';
  await store.write(area.plan(hash), toJsonBytes(plan));
  return describePlan({ hash, key: area.plan(hash).key }, plan, header);
}
