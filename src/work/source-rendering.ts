/**
 * Rendering from the object that has the pixels, with the digests of a master that is read as a
 * whole.
 */
import { createReadStream } from 'node:fs';
import { pagedReader } from '../bytes/range-reader.ts';
import { RejectedImageError } from '../errors.ts';
import { registry } from '../formats/registry.ts';
import { cutShort } from '../imaging/decode-errors.ts';
import { pixelsOfFile, pixelsOfSlices, type SourcePixels } from '../imaging/source-pixels.ts';
import type { MemoryLimits } from '../limits.ts';
import { conversionOf } from '../pyramid/conversion.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import { type Plan, reducedSize } from '../pyramid/plan.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { computeChecksums } from './checksums.ts';
import type { RecordedChecksums, Source } from './execution-input.ts';
import { withFilledGaps } from './filled-gaps.ts';
import { openPixels, type PinnedContent } from './pinned-object.ts';

/** Size of the reads for digests. Bytes. */
const DIGEST_READ_BYTES = 2 ** 20;

/** Part of the invocation's time reserved for writing the result. Milliseconds. */
const WRITING_TIME = 20_000;

export interface RenderRequest {
  readonly store: ObjectStore;
  readonly workBucket: string;
  readonly source: Source;
  readonly plan: Plan;
  /** Memory of the function that renders. */
  readonly memory: MemoryLimits;
  /** Milliseconds until the platform ends the invocation. */
  readonly remainingMs: () => number;
  /** Whether to compute the digests of a master that the plan reads as a whole. */
  readonly withChecksums: boolean;
}

export interface RenderedSource<Rendered> {
  readonly rendered: Rendered;
  /** What was unusual about the pixels and left none of them in doubt. Sorted. */
  readonly warnings: readonly string[];
  readonly checksums?: RecordedChecksums;
}

/**
 * Calls `render` with the pixels that the plan needs. Throws the errors of `openPixels`, and
 * RejectedImageError for pixels that cannot be decoded and for digests that differ from those that
 * the uploader sent.
 */
export async function renderSource<Rendered>(
  { store, workBucket, source, plan, memory, remainingMs, withChecksums }: RenderRequest,
  render: (pixels: SourcePixels) => Promise<Rendered>,
): Promise<RenderedSource<Rendered>> {
  const { image, recipe } = plan;
  const pixels = await openPixels(store, workBucket, source, image);
  const options = {
    background: recipe.background,
    bitDepth: outputBitDepth(plan),
    bands: outputBands(plan),
    conversion: conversionOf(plan),
    reducedTo: reducedSize(plan),
    timeoutSeconds: (remainingMs() - WRITING_TIME) / 1000,
    memoryBudget: memory.rendering,
  };
  if (plan.access === 'slices') {
    const slices = await pixelsOfSlices(pixels.reader, image, options);
    return { rendered: await render(slices), warnings: [...slices.warnings].sort() };
  }
  return pixels.withFile(async (file) => {
    const rendering = withFilledGaps(file, image.gaps, (filled) => render(pixelsOfFile(filled, image, options))).catch(
      (error: unknown) => explained(error, image, pixels),
    );
    if (!withChecksums || image.converted) return { rendered: await rendering, warnings: [] };
    const content = createReadStream(file, { highWaterMark: DIGEST_READ_BYTES });
    const [checksums, rendered] = await Promise.allSettled([
      computeChecksums({ info: pixels.info, recipe, content }),
      rendering,
    ]);
    // A wrong digest explains pixels that cannot be decoded, so its error takes precedence.
    if (checksums.status === 'rejected') throw checksums.reason;
    if (rendered.status === 'rejected') throw rendered.reason;
    return { rendered: rendered.value, warnings: [], checksums: checksums.value };
  });
}

/** Size of the reads that look for the end of a damaged image. Bytes. */
const END_READ_BYTES = 4 * 2 ** 20;

/** Throws `error`, as TRUNCATED where the pixels cannot be decoded because the file ends early. */
async function explained(error: unknown, { format }: SourceImage, { reader }: PinnedContent): Promise<never> {
  const decoder = registry.direct[format];
  const isRefused = error instanceof RejectedImageError && error.code === 'CORRUPT_PIXELS';
  if (!isRefused || !decoder.isWhole || (await decoder.isWhole(pagedReader(reader, END_READ_BYTES, 2)))) throw error;
  throw cutShort(reader.size, error);
}
