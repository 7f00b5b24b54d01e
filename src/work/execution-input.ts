/**
 * The input of an execution of `state-machines/pyramid.asl.yml`. It depends on the object only (not
 * on the event or the clock), so that starting an upload twice gives the same input, which
 * StartExecution treats as one start.
 */
import { z } from 'zod';
import { imageId } from '../ledger/identity.ts';
import { MAX_PAGES } from '../limits.ts';

/** One page of a document of several pages. */
const SourcePage = z.object({
  /** From 1. */
  number: z.int().min(1).max(MAX_PAGES),
  count: z.int().min(2).max(MAX_PAGES),
  /** Offset of its directory in a TIFF. Bytes. */
  directory: z.int().min(8).optional(),
});
export type SourcePage = z.infer<typeof SourcePage>;

/** Digests of a master in hex. */
export const RecordedChecksums = z.object({
  sha256: z.string().optional(),
  md5: z.string().optional(),
  /** Reason why no digest was computed, a warning of the sidecar. */
  leftOut: z.string().optional(),
});
export type RecordedChecksums = z.infer<typeof RecordedChecksums>;

/**
 * The uploaded object as its event describes it. A page of a document is an image of its own, with
 * an id of its own, of the same object.
 */
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
  page: SourcePage.optional(),
});
export type Source = z.infer<typeof Source>;

export const ExecutionInput = z.object({
  schemaVersion: z.literal(1),
  source: Source,
  /** Name of the recipe that the key selected. */
  recipe: z.string().min(1),
  /** Of a page: the digests of its document, which are computed once for all pages. */
  checksums: RecordedChecksums.optional(),
});
export type ExecutionInput = z.infer<typeof ExecutionInput>;

/** The same object as a page of it. */
export function pageOf(document: Source, page: SourcePage): Source {
  return { ...document, imageId: imageId(document.bucket, document.key, page.number), page };
}

/** The whole object of a page; a source that is no page itself. */
export function documentOf({ page, ...document }: Source): Source {
  return page ? { ...document, imageId: imageId(document.bucket, document.key) } : document;
}
