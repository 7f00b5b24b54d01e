/**
 * The steps one at a time, over folders as buckets; a test can act before and after each call of
 * the store.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ExecutionInput } from '../../src/work/execution-input.ts';
import { imageId, sequenceOf } from '../../src/ledger/identity.ts';
import type { Ledger, Publication, PublishedSidecar } from '../../src/ledger/ledger.ts';
import { Sidecar } from '../../src/work/sidecar.ts';
import type { PublishedImage } from '../../src/notifications/notifier.ts';
import type { Cut } from '../../src/pyramid/plan.ts';
import { makeAssembleTiff } from '../../src/steps/assemble-tiff.ts';
import { makeChecksumSource } from '../../src/steps/checksum-source.ts';
import { makePublishSidecar } from '../../src/steps/publish-sidecar.ts';
import { makePublishTiff } from '../../src/steps/publish-tiff.ts';
import { makeRecordMetadata } from '../../src/steps/record-metadata.ts';
import { makeRenderTopLevels } from '../../src/steps/render-top-levels.ts';
import { makeRenderBlock } from '../../src/steps/render-block.ts';
import type { AssembledState, PlannedState, ValidatedState } from '../../src/work/execution-state.ts';
import { makeVerifyTiff } from '../../src/steps/verify-tiff.ts';
import { workArea, type WorkArea } from '../../src/work/work-area.ts';
import { fileStore } from '../../src/storage/files/files.ts';
import type { ObjectRef, ObjectStore } from '../../src/storage/object-store.ts';
import { memoryLedger } from './memory-ledger.ts';
import { planPyramid, quietCall, renderPyramid, type StepPorts, testConfig, validateAndConvert } from './pipeline.ts';

export type StoreMethod = keyof ObjectStore;

/** Called before or after each call of the store; may throw in its place. */
export interface StoreHooks {
  before?: ((method: StoreMethod, ref: ObjectRef) => Promise<void> | void) | undefined;
  after?: ((method: StoreMethod, ref: ObjectRef) => Promise<void> | void) | undefined;
}

/** A store that calls hooks; `ref` is the object that is read or written. */
function hookedStore(store: ObjectStore, hooks: StoreHooks): ObjectStore {
  const hooked = async <Result>(method: StoreMethod, ref: ObjectRef, call: () => Promise<Result>): Promise<Result> => {
    await hooks.before?.(method, ref);
    const result = await call();
    await hooks.after?.(method, ref);
    return result;
  };
  return {
    head: (ref, options) => hooked('head', ref, () => store.head(ref, options)),
    tags: (ref) => hooked('tags', ref, () => store.tags(ref)),
    read: (ref, options) => hooked('read', ref, () => store.read(ref, options)),
    readDescribed: (ref, options) => hooked('read', ref, () => store.readDescribed(ref, options)),
    materialise: (ref, options) => hooked('materialise', ref, () => store.materialise(ref, options)),
    write: (ref, body, options) => hooked('write', ref, () => store.write(ref, body, options)),
    compose: (ref, pieces, options) => hooked('compose', ref, () => store.compose(ref, pieces, options)),
    copy: (from, to, options) => hooked('copy', to, () => store.copy(from, to, options)),
    remove: (ref) => hooked('remove', ref, () => store.remove(ref)),
    list: (bucket, prefix, options) => store.list(bucket, prefix, options),
  };
}

export interface Steps {
  /** The folder that has the buckets. */
  readonly workspace: string;
  /** Without hooks. */
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly ports: StepPorts;
  /** Hooks of every call that a step makes to the store. */
  readonly hooks: StoreHooks;
  readonly notified: PublishedImage[];
  readonly sourceBucket: string;
  /**
   * Puts a master in the source bucket and claims its upload; later uploads have greater sequences.
   */
  upload(key: string, master: Uint8Array, recipe?: string): Promise<ExecutionInput>;
  validate(input: ExecutionInput): Promise<ValidatedState>;
  plan(state: ValidatedState, cut?: Cut): Promise<PlannedState>;
  renderBlock(state: PlannedState, block: number): Promise<void>;
  checksum(state: PlannedState): Promise<void>;
  renderTopLevels(state: PlannedState): Promise<void>;
  assemble(state: PlannedState): Promise<AssembledState>;
  verify(state: AssembledState): Promise<void>;
  publish(state: AssembledState, ports?: Partial<StepPorts>): Promise<Publication>;
  publishSidecar(state: AssembledState, published: Publication): Promise<PublishedSidecar>;
  /** The parsed sidecar of the pyramid published under this key. */
  sidecarOf(published: string): Promise<Sidecar>;
  /** From upload to planned. */
  planned(key: string, master: Uint8Array, options?: { recipe?: string; cut?: Cut }): Promise<PlannedState>;
  /** From upload to rendered: every block and the top levels. */
  rendered(key: string, master: Uint8Array, options?: { recipe?: string; cut?: Cut }): Promise<PlannedState>;
  /** From planned to assembled, as the state machine does it for one block or several. */
  render(state: PlannedState): Promise<AssembledState>;
  /** From upload to assembled. */
  assembled(key: string, master: Uint8Array, options?: { recipe?: string; cut?: Cut }): Promise<AssembledState>;
  workOf(state: ExecutionInput): WorkArea;
  /** Keys and ETags of the objects in a bucket. */
  objects(bucket: string, prefix?: string): Promise<Map<string, string>>;
  stop(): Promise<void>;
}

export async function startSteps(): Promise<Steps> {
  const workspace = await mkdtemp(path.join(os.tmpdir(), 'stepwell-steps-'));
  const { ledger, stop: closeLedger } = memoryLedger();
  const hooks: StoreHooks = {};
  const notified: PublishedImage[] = [];
  const store = fileStore(workspace);
  const ports: StepPorts = {
    store: hookedStore(store, hooks),
    ledger,
    config: testConfig,
    notifier: {
      published(image) {
        notified.push(image);
        return Promise.resolve();
      },
    },
  };
  const sourceBucket = 'stepwell-source';
  let uploads = 0;
  const steps: Steps = {
    workspace,
    store,
    ledger,
    ports,
    hooks,
    notified,
    sourceBucket,
    async upload(key, master, recipe = 'iiif') {
      const { etag, size } = await store.write({ bucket: sourceBucket, key }, master);
      uploads += 1;
      const sequence = sequenceOf(uploads.toString(16).padStart(8, '0'));
      const source = { imageId: imageId(sourceBucket, key), sequence, bucket: sourceBucket, key, etag, size };
      await ledger.claim({ ...source, recipe });
      return { schemaVersion: 1, source, recipe };
    },
    validate: (input) => validateAndConvert(ports, input),
    async plan(state, cut) {
      return { ...state, plan: await planPyramid(ports, state, cut) };
    },
    renderBlock: ({ source, plan }, block) =>
      makeRenderBlock(ports)({ schemaVersion: 1, source, plan: plan.ref, block }, quietCall),
    checksum: (state) => makeChecksumSource(ports)(state, quietCall),
    renderTopLevels: (state) => makeRenderTopLevels(ports)(state, quietCall),
    async assemble(state) {
      return { ...state, assembled: await makeAssembleTiff(ports)(state, quietCall) };
    },
    verify: (state) => makeVerifyTiff(ports)(state, quietCall),
    publish: (state, instead = {}) => makePublishTiff({ ...ports, ...instead })(state, quietCall),
    publishSidecar: (state, published) => makePublishSidecar(ports)({ ...state, published }, quietCall),
    async sidecarOf(published) {
      const bytes = await store.read({ bucket: testConfig.publishedBucket, key: `${published}.json` });
      return Sidecar.parse(JSON.parse(Buffer.from(bytes).toString()));
    },
    async planned(key, master, { recipe, cut } = {}) {
      const validated = await steps.validate(await steps.upload(key, master, recipe));
      await makeRecordMetadata(ports)(validated, quietCall);
      return steps.plan(validated, cut);
    },
    async rendered(key, master, options) {
      const planned = await steps.planned(key, master, options);
      for (const block of planned.plan.blocks) await steps.renderBlock(planned, block);
      if (planned.plan.digests !== 'within') await steps.checksum(planned);
      await steps.renderTopLevels(planned);
      return planned;
    },
    async render(planned) {
      return { ...planned, assembled: await renderPyramid(ports, planned) };
    },
    async assembled(key, master, options) {
      const planned = await steps.planned(key, master, options);
      if (planned.plan.digests !== 'within') await steps.checksum(planned);
      return steps.render(planned);
    },
    workOf: ({ source }) => workArea(testConfig.workBucket, source),
    async objects(bucket, prefix = '') {
      const objects = new Map<string, string>();
      for await (const { key, etag } of store.list(bucket, prefix)) objects.set(key, etag);
      return objects;
    },
    async stop() {
      closeLedger();
      await rm(workspace, { recursive: true, force: true });
    },
  };
  return steps;
}

/** An image of 600 × 500 as six blocks of the recipe `iiif`, and two top levels. */
export const sixBlocks: Cut = { splitLevel: 0, blocks: { columns: [0, 256, 512, 600], rows: [0, 256, 500] } };
