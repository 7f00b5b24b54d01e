/** Pyramids in every encoding, published by the pipeline, and a store that records its reads. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ObjectRef, ObjectStore } from '../../src/storage/object-store.ts';
import { type Pipeline, startPipeline } from './pipeline.ts';

/** Recipes with tiles of 64, so that small pictures have several levels. */
const recipes = {
  jpeg: { encoding: '{ compression: jpeg, quality: 80 }', depth: 8 },
  rgb: { encoding: '{ compression: jpeg, quality: 95 }', depth: 8 },
  webp: { encoding: '{ compression: webp, quality: 80 }', depth: 8 },
  deflate: { encoding: '{ compression: deflate }', depth: 'keep' },
  lzw: { encoding: '{ compression: lzw }', depth: 'keep' },
} as const;

export type PublishedRecipe = keyof typeof recipes;

/** A recorded call of the store. Bytes. */
export interface RecordedRead {
  readonly method: 'read' | 'readDescribed' | 'head';
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  readonly ifMatch: string | undefined;
}

export interface PublishedPipeline extends Pipeline {
  /** The reads since the last call. */
  takeReads(): RecordedRead[];
}

/** A pipeline with the recipes above, whose store records reads. `colour`: that of the recipes. */
export async function startPublishedPipeline(
  wrap: (store: ObjectStore) => ObjectStore = (store) => store,
  { tileSize = 64, colour = 'srgb' }: { tileSize?: number; colour?: 'srgb' | 'keep' } = {},
): Promise<PublishedPipeline> {
  const recipesDirectory = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
  for (const [name, { encoding, depth }] of Object.entries(recipes)) {
    const recipe = `name: ${name}\nversion: 1\ndescription: test\ntileSize: ${tileSize}\nencoding: ${encoding}
colour: ${colour}\ndepth: ${depth}\nbackground: '#ffffff'\n`;
    await writeFile(path.join(recipesDirectory, `${name}.yml`), recipe);
  }
  const reads: RecordedRead[] = [];
  const pipeline = await startPipeline((store) => wrap(recordingStore(store, reads)), {
    recipesDirectory,
  });
  return {
    ...pipeline,
    run: (key, master, options) => pipeline.run(key, master, { recipe: 'jpeg', ...options }),
    takeReads: () => reads.splice(0),
    async stop() {
      await pipeline.stop();
      await rm(recipesDirectory, { recursive: true });
    },
  };
}

function recordingStore(store: ObjectStore, reads: RecordedRead[]): ObjectStore {
  const record = (
    method: RecordedRead['method'],
    { key }: ObjectRef,
    { range, ifMatch }: Parameters<ObjectStore['read']>[1] = {},
  ): void => {
    reads.push({ method, key, offset: range?.offset ?? 0, length: range?.length ?? 0, ifMatch });
  };
  return new Proxy(store, {
    get(target, name: keyof ObjectStore) {
      const method = target[name].bind(target) as (...parameters: unknown[]) => unknown;
      if (name !== 'read' && name !== 'readDescribed' && name !== 'head') return method;
      return (ref: ObjectRef, options: Parameters<ObjectStore['read']>[1]) => {
        record(name, ref, options);
        return method(ref, options);
      };
    },
  });
}
