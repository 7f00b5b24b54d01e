/** Where the work of one upload lies, and the forms of what lies there. */
import { z } from 'zod';
import type { Source } from './execution-input.ts';
import { RedactedMetadata } from '../metadata/redact.ts';
import { type Plan, parsePlan } from '../pyramid/plan.ts';
import { InconsistentWorkError, ObjectNotFoundError } from '../errors.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';
import { Description } from '../tiff/pyramid-fields.ts';

/** Names the plan of one execution; its hash keeps the work of different plans apart. */
export const PlanRef = z.object({ hash: z.string().regex(/^[0-9a-f]{16}$/u), key: z.string().min(1) });
export type PlanRef = z.infer<typeof PlanRef>;

/** What ValidateObject or ConvertSource found in the header, for the steps that need it; private parts are not in it. */
const HeaderSchema = Description.extend({
  metadata: RedactedMetadata,
  /** The uploader said what the master's digest is. */
  digestSent: z.boolean(),
  /** Versions of what reads and writes the pixels. */
  software: z.strictObject({ stepwell: z.string(), sharp: z.string(), libvips: z.string() }),
});
export type Header = z.infer<typeof HeaderSchema>;

/** A block number, or the top levels. */
export type BundleName = number | 'top-levels';

/** The keys of one upload's work. */
export function workArea(bucket: string, source: Pick<Source, 'imageId' | 'sequence'>) {
  const prefix = `work/${source.imageId}/${source.sequence}`;
  const ref = (name: string): ObjectRef => ({ bucket, key: `${prefix}/${name}` });
  const bundle = (plan: PlanRef, name: BundleName): string =>
    name === 'top-levels' ? `${plan.hash}/top-levels` : `${plan.hash}/blocks/${name}`;
  return {
    prefix,
    /** What the header says beyond geometry: profile, resolution, and what the master tells of itself. */
    header: ref('header.json'),
    /** Digests of the master's bytes. */
    checksums: ref('checksums.json'),
    /** The TIFF that a master of another format was made. */
    converted: ref('converted.tif'),
    plan: (hash: string): ObjectRef => ref(`${hash}/plan.json`),
    tiles: (plan: PlanRef, name: BundleName): ObjectRef => ref(`${bundle(plan, name)}.tiles`),
    raster: (plan: PlanRef, name: BundleName): ObjectRef => ref(`${bundle(plan, name)}.raster`),
    index: (plan: PlanRef, name: BundleName): ObjectRef => ref(`${bundle(plan, name)}.json`),
    assembled: (plan: PlanRef): ObjectRef => ref(`${plan.hash}/assembled.tif`),
  };
}

export type WorkArea = ReturnType<typeof workArea>;

/** Reads the plan. Throws InconsistentWorkError when it is gone. */
export async function readPlan(store: ObjectStore, bucket: string, plan: PlanRef): Promise<Plan> {
  return parsePlan(await readText(store, { bucket, key: plan.key }));
}

/** Reads what the header said. Throws InconsistentWorkError when it is gone. */
export async function readHeader(store: ObjectStore, area: WorkArea): Promise<Header> {
  return HeaderSchema.parse(JSON.parse(await readText(store, area.header)));
}

export async function readText(store: ObjectStore, ref: ObjectRef): Promise<string> {
  try {
    return new TextDecoder().decode(await store.read(ref));
  } catch (error) {
    if (!(error instanceof ObjectNotFoundError)) throw error;
    throw new InconsistentWorkError(`Expected ${ref.key} in the work area but it is missing`, { cause: error });
  }
}

export function toJsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}
