/** The execution state as each step receives it. A step parses the fields that it needs. */
import { z } from 'zod';
import { convertibleFormats, SourceImage } from '../pyramid/source-image.ts';
import { ExecutionInput, RecordedChecksums } from './execution-input.ts';
import { MAX_PAGES } from '../limits.ts';
import { PlanRef } from './work-area.ts';

/** Result of ValidateObject for a master that ConvertSource must turn into a TIFF. */
export const UnconvertedImage = z.object({
  convertFrom: z.enum(convertibleFormats),
  /** Bytes. */
  fileSize: z.int().min(1),
});
export type UnconvertedImage = z.infer<typeof UnconvertedImage>;

/**
 * Result of ValidateObject or ConvertSource for a document of which StartPages makes an image of
 * each page.
 */
export const Document = z.object({
  pages: z.object({
    count: z.int().min(2).max(MAX_PAGES),
    /** Offsets of the directories of a TIFF, in the order of its pages. Bytes. */
    directories: z.array(z.int().min(8)).optional(),
  }),
});
export type Document = z.infer<typeof Document>;

export const DocumentState = ExecutionInput.extend({ image: Document });
export type DocumentState = z.infer<typeof DocumentState>;

export const UnconvertedState = ExecutionInput.extend({ image: UnconvertedImage });
export type UnconvertedState = z.infer<typeof UnconvertedState>;

export const ValidatedState = ExecutionInput.extend({ image: SourceImage });
export type ValidatedState = z.infer<typeof ValidatedState>;

/** Result of PlanPyramid. */
export const PlannedPyramid = z.object({
  ref: PlanRef,
  /** Block numbers; the items of the Map state. */
  blocks: z.array(z.int()),
  /** Whether the image is one block, which RenderImage renders into the whole file. */
  oneBlock: z.boolean(),
  /**
   * When the digests of the master are computed: `within` a step that reads the whole master; by
   * ChecksumSource `before` rendering, because the uploader sent a digest; or by ChecksumSource
   * `beside` rendering and publishing. `known`: those of a page came with the execution's input.
   */
  digests: z.enum(['within', 'before', 'beside', 'known']),
});
export type PlannedPyramid = z.infer<typeof PlannedPyramid>;

export const PlannedState = ValidatedState.extend({ plan: PlannedPyramid });
export type PlannedState = z.infer<typeof PlannedState>;

/** Result of AssembleTiff and RenderImage: a TIFF in the work area. */
export const AssembledTiff = z.object({
  key: z.string(),
  etag: z.string(),
  /** Bytes. */
  size: z.number(),
  /** What was unusual about the pixels of the master, for the sidecar. */
  warnings: z.array(z.string()).default([]),
  /** Digests of the master if RenderImage read all of it; otherwise they are in checksums.json. */
  checksums: RecordedChecksums.optional(),
});
export type AssembledTiff = z.infer<typeof AssembledTiff>;

export const AssembledState = PlannedState.extend({ assembled: AssembledTiff });
export type AssembledState = z.infer<typeof AssembledState>;

/** With the part of the result of PublishTiff that later steps need. */
export const PublishedState = AssembledState.extend({
  published: z.object({ bucket: z.string(), key: z.string(), etag: z.string(), size: z.number() }),
});
export type PublishedState = z.infer<typeof PublishedState>;

/** The fields that every log line of a step carries. */
export function sourceLogFields(state: { source: { imageId: string; sequence: string; key: string } }) {
  const { imageId, sequence, key } = state.source;
  return { imageId, sequence, key };
}
