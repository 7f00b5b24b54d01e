/** Where the work of one upload lies, and the forms of what lies there. */
import { z } from 'zod';
import type { Source } from './execution-input.ts';
import { RedactedMetadata } from '../metadata/redact.ts';
import { type Plan, parsePlan, PlanDescription } from '../pyramid/plan.ts';
import { InconsistentWorkError, ObjectNotFoundError } from '../errors.ts';
import type { ObjectRef, ObjectStore } from '../storage/object-store.ts';

/** Names the plan of one execution; its hash keeps the work of different plans apart. */
export const PlanRef = z.object({ hash: z.string().regex(/^[0-9a-f]{16}$/u), key: z.string().min(1) });
export type PlanRef = z.infer<typeof PlanRef>;

const StoredObject = z.object({ etag: z.string(), size: z.number() });

const TileEncodingSchema = z.object({
  compression: z.number(),
  photometric: z.number(),
  bitsPerSample: z.array(z.number()).readonly(),
  sampleFormat: z.array(z.number()).readonly(),
  extraSamples: z.array(z.number()).readonly(),
  predictor: z.number().optional(),
  subsampling: z.array(z.number()).readonly().optional(),
  referenceBlackWhite: z.array(z.number()).readonly().optional(),
  jpegTables: z.string().optional(),
});

/** One of them for every tile of the image: what is read takes half the memory of the numbers that are written. */
const ByteCounts = z
  .array(z.uint32())
  .readonly()
  .transform((counts): Uint32Array | readonly number[] => new Uint32Array(counts));

/**
 * Written after the tiles (and the raster) of a block or of the apex: naming their ETags, it is the mark that they are
 * whole. Runs are in the order of the tiles object, smallest level first.
 */
const SegmentIndexSchema = z.object({
  schemaVersion: z.literal(1),
  tiles: StoredObject,
  raster: StoredObject.optional(),
  encoding: TileEncodingSchema,
  runs: z.array(
    z.object({
      level: z.number(),
      column: z.number(),
      row: z.number(),
      across: z.number(),
      down: z.number(),
      byteCounts: ByteCounts,
    }),
  ),
});
export type SegmentIndex = z.infer<typeof SegmentIndexSchema>;

/** What ValidateObject or ConvertSource found in the header, for the steps that need it; private parts are not in it. */
const HeaderSchema = PlanDescription.extend({
  metadata: RedactedMetadata,
  /** The uploader said what the master's digest is. */
  digestSent: z.boolean(),
  /** Versions of what reads and writes the pixels. */
  software: z.strictObject({ stepwell: z.string(), sharp: z.string(), libvips: z.string() }),
});
export type Header = z.infer<typeof HeaderSchema>;

/** A block's number, or the apex. */
export type SegmentName = number | 'apex';

/** The keys of one upload's work. */
export function workArea(bucket: string, source: Pick<Source, 'imageId' | 'sequence'>) {
  const prefix = `work/${source.imageId}/${source.sequence}`;
  const ref = (name: string): ObjectRef => ({ bucket, key: `${prefix}/${name}` });
  const segment = (plan: PlanRef, name: SegmentName): string =>
    name === 'apex' ? `${plan.hash}/apex` : `${plan.hash}/blocks/${name}`;
  return {
    prefix,
    /** What the header says beyond geometry: profile, resolution, and what the master tells of itself. */
    header: ref('header.json'),
    /** Digests of the master's bytes. */
    checksums: ref('checksums.json'),
    /** The TIFF that a master of another format was made. */
    converted: ref('converted.tif'),
    plan: (hash: string): ObjectRef => ref(`${hash}/plan.json`),
    tiles: (plan: PlanRef, name: SegmentName): ObjectRef => ref(`${segment(plan, name)}.tiles`),
    raster: (plan: PlanRef, name: SegmentName): ObjectRef => ref(`${segment(plan, name)}.raster`),
    index: (plan: PlanRef, name: SegmentName): ObjectRef => ref(`${segment(plan, name)}.json`),
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

/** Reads a segment's index, or nothing when the segment was not finished or its index makes no sense. */
export async function findIndex(store: ObjectStore, ref: ObjectRef): Promise<SegmentIndex | undefined> {
  try {
    return await readIndex(store, ref);
  } catch (error) {
    if (error instanceof InconsistentWorkError) return undefined;
    throw error;
  }
}

/** Reads an index that must be there. Throws InconsistentWorkError when it is not, or is no index. */
export async function readIndex(store: ObjectStore, ref: ObjectRef): Promise<SegmentIndex> {
  const text = await readText(store, ref);
  try {
    return SegmentIndexSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new InconsistentWorkError(`Expected an index in ${ref.key}`, { cause: error });
  }
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
