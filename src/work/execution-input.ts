/**
 * What an execution of `state-machines/pyramid.asl.yml` is started with. A pure function of the object (no event id, no
 * clock), so that starting the same upload twice is starting it once.
 */
import { z } from 'zod';

/** The upload: which object, which version of it, and what the event said about it. */
export const Source = z.object({
  imageId: z.string().regex(/^[0-9a-f]{32}$/u, 'Expected 32 lower-case hex digits'),
  sequence: z.string().regex(/^[0-9A-F]{32}$/u, 'Expected 32 upper-case hex digits'),
  bucket: z.string().min(1),
  /** Exactly as stored, decoded. */
  key: z.string().min(1),
  /** Only where the bucket keeps versions. */
  versionId: z.string().min(1).optional(),
  /** Without quotes. */
  etag: z.string().min(1),
  /** Bytes. */
  size: z.int().nonnegative(),
});
export type Source = z.infer<typeof Source>;

export const ExecutionInput = z.object({
  schemaVersion: z.literal(1),
  source: Source,
  /** Name of the recipe. */
  recipe: z.string().min(1),
});
export type ExecutionInput = z.infer<typeof ExecutionInput>;
