/** Keys of the work area of one upload, and reading its objects. */
import { z } from 'zod';
import type { Source } from './execution-input.ts';
import { type Plan, parsePlan } from '../pyramid/plan.ts';
import { InconsistentWorkError, ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';

/** The plan of an execution; its hash is part of the keys of the objects made by that plan. */
export const PlanRef = z.object({ hash: z.string().regex(/^[0-9a-f]{16}$/u), key: z.string().min(1) });
export type PlanRef = z.infer<typeof PlanRef>;

/** Names a tile bundle: the number of a block, or the top levels. */
export type BundleName = number | 'top-levels';

/** The objects of one upload's work area. */
export function workArea(bucket: string, source: Pick<Source, 'imageId' | 'sequence'>) {
  const ref = (name: string): ObjectRef => ({ bucket, key: `work/${source.imageId}/${source.sequence}/${name}` });
  const bundle = (plan: PlanRef, name: BundleName): string =>
    name === 'top-levels' ? `${plan.hash}/top-levels` : `${plan.hash}/blocks/${name}`;
  return {
    /** Profile, resolution and embedded metadata of the master. */
    header: ref('header.json'),
    /** Digests of the master, unless they are in the execution state. */
    checksums: ref('checksums.json'),
    /** The TIFF that ConvertSource wrote for a master of another format. */
    converted: ref('converted.tif'),
    plan: (hash: string): ObjectRef => ref(`${hash}/plan.json`),
    tiles: (plan: PlanRef, name: BundleName): ObjectRef => ref(`${bundle(plan, name)}.tiles`),
    raster: (plan: PlanRef, name: BundleName): ObjectRef => ref(`${bundle(plan, name)}.raster`),
    index: (plan: PlanRef, name: BundleName): ObjectRef => ref(`${bundle(plan, name)}.json`),
    /** Tiles that are published as files, and what the rest of them is made from. */
    files: (plan: PlanRef, block: number): ObjectRef => ref(`${bundle(plan, block)}.files`),
    filesRaster: (plan: PlanRef, block: number): ObjectRef => ref(`${bundle(plan, block)}.files-raster`),
    filesMargins: (plan: PlanRef, block: number): ObjectRef => ref(`${bundle(plan, block)}.files-margins`),
    filesIndex: (plan: PlanRef, block: number): ObjectRef => ref(`${bundle(plan, block)}.files.json`),
    assembled: (plan: PlanRef): ObjectRef => ref(`${plan.hash}/assembled.tif`),
  };
}

export type WorkArea = ReturnType<typeof workArea>;

/** Reads the plan. Throws InconsistentWorkError when it is missing. */
export async function readPlan(store: ObjectStore, bucket: string, plan: PlanRef): Promise<Plan> {
  return parsePlan(await readText(store, { bucket, key: plan.key }));
}

/** Reads a text object of the work area. Throws InconsistentWorkError when it is missing. */
export async function readText(store: ObjectStore, ref: ObjectRef): Promise<string> {
  return new TextDecoder().decode(await fromWork(ref.key, store.read(ref)));
}

export function toJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/**
 * Awaits a call on objects of the work area. Throws InconsistentWorkError if the store does not
 * have the object, or not in the version that the call requests; `expected` names the object.
 */
export async function fromWork<Result>(expected: string, call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch (error) {
    throw isMissingOrReplaced(error) ? inconsistent(expected, error) : error;
  }
}

/** The error for an object of the work area that is missing or has been replaced. */
export function inconsistent(expected: string, cause: Error): InconsistentWorkError {
  return new InconsistentWorkError(
    `Expected ${expected} as it was written but it is missing or has changed: ${cause.message}`,
    { cause },
  );
}

/** Whether the store does not have the object, or not in the requested version. */
export function isMissingOrReplaced(error: unknown): error is ObjectNotFoundError | PreconditionFailedError {
  return error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError;
}
