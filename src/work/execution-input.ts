/**
 * The input of an execution of `state-machines/pyramid.asl.yml`. It depends on the object only (not
 * on the event or the clock), so that starting an upload twice gives the same input, which
 * StartExecution treats as one start.
 */
import { z } from 'zod';

/** The uploaded object as its event describes it. */
export const Source = z.object({
  imageId: z.string().regex(/^[0-9a-f]{32}$/u, 'Expected 32 lower-case hex digits'),
  sequence: z.string().regex(/^[0-9A-F]{32}$/u, 'Expected 32 upper-case hex digits'),
  bucket: z.string().min(1),
  /** As stored, not encoded. */
  key: z.string().min(1),
  /** Only in a versioned bucket. */
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
  /** Name of the recipe that the key selected. */
  recipe: z.string().min(1),
});
export type ExecutionInput = z.infer<typeof ExecutionInput>;
