/** The state of an execution, as each step finds it. Steps read what they need of it; the rest passes through. */
import { z } from 'zod';
import { ExecutionInput } from './execution-input.ts';
import { convertibleFormats, SourceImage } from '../pyramid/source-image.ts';
import { PlanRef } from './work-area.ts';

/** What ValidateObject answers for a master that ConvertSource must make a TIFF of. */
export const UnconvertedImage = z.object({
  convertFrom: z.enum(convertibleFormats),
  /** Bytes. */
  fileSize: z.int().min(1),
});
export type UnconvertedImage = z.infer<typeof UnconvertedImage>;

export const UnconvertedState = ExecutionInput.extend({ image: UnconvertedImage });
export type UnconvertedState = z.infer<typeof UnconvertedState>;

export const ValidatedState = ExecutionInput.extend({ image: SourceImage });
export type ValidatedState = z.infer<typeof ValidatedState>;

/** What PlanPyramid answers: where the plan is, and the numbers that the Map state runs over. */
export const PlannedPyramid = z.object({
  ref: PlanRef,
  blocks: z.array(z.int()),
  /**
   * Who takes the digests of the master: a step that reads all of it on the way; ChecksumSource before anything is rendered,
   * because the uploader sent some to compare with; or ChecksumSource, while it is rendered and published.
   */
  digests: z.enum(['within', 'before', 'beside']),
});
export type PlannedPyramid = z.infer<typeof PlannedPyramid>;

export const PlannedState = ValidatedState.extend({ plan: PlannedPyramid });
export type PlannedState = z.infer<typeof PlannedState>;

export const AssembledTiff = z.object({ key: z.string(), etag: z.string(), size: z.number() });
export type AssembledTiff = z.infer<typeof AssembledTiff>;

export const AssembledState = PlannedState.extend({ assembled: AssembledTiff });
export type AssembledState = z.infer<typeof AssembledState>;

/** What PublishTiff answers, as far as later steps need it. */
export const PublishedState = PlannedState.extend({
  published: z.object({ bucket: z.string(), key: z.string(), etag: z.string(), size: z.number() }),
});
export type PublishedState = z.infer<typeof PublishedState>;

/** What every log line of a step carries. */
export function sourceLogFields(state: { source: { imageId: string; sequence: string; key: string } }) {
  const { imageId, sequence, key } = state.source;
  return { imageId, sequence, key };
}
