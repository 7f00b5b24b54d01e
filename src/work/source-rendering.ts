/** Rendering from the object that holds the pixels, with the digests of the master where all of it is read on the way. */
import { createReadStream } from 'node:fs';
import { pixelsOfFile, pixelsOfSlices, type SourcePixels } from '../imaging/source-pixels.ts';
import { conversionOf } from '../pyramid/conversion.ts';
import { outputBands, outputBitDepth } from '../pyramid/output-samples.ts';
import { type Plan, reducedSize } from '../pyramid/plan.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { computeChecksums, type RecordedChecksums } from './checksums.ts';
import type { Source } from './execution-input.ts';
import { openPixels } from './pinned-object.ts';

/** Size of the reads that digests are computed from. Bytes. */
const DIGEST_READ_BYTES = 2 ** 20;

/** Part of the invocation's time that is kept for writing what was rendered. Milliseconds. */
const WRITING_TIME = 20_000;

export interface RenderRequest {
  readonly store: ObjectStore;
  readonly workBucket: string;
  readonly source: Source;
  readonly plan: Plan;
  /** Milliseconds until the platform ends the invocation. */
  readonly remainingMs: () => number;
  /** Whether to compute the digests of the master, where the plan reads all of it. */
  readonly withChecksums: boolean;
}

/**
 * Calls `render` with the pixels that the plan needs. Throws what `openPixels` throws, and RejectedImageError for pixels
 * that cannot be decoded or digests that differ from what the uploader sent.
 */
export async function renderSource<Rendered>(
  { store, workBucket, source, plan, remainingMs, withChecksums }: RenderRequest,
  render: (pixels: SourcePixels) => Promise<Rendered>,
): Promise<{ readonly rendered: Rendered; readonly checksums?: RecordedChecksums }> {
  const { image, recipe } = plan;
  const pixels = await openPixels(store, workBucket, source, image);
  const options = {
    background: recipe.background,
    bitDepth: outputBitDepth(plan),
    bands: outputBands(plan),
    conversion: conversionOf(plan),
    reducedTo: reducedSize(plan),
    timeoutSeconds: (remainingMs() - WRITING_TIME) / 1000,
  };
  if (plan.access === 'slices') return { rendered: await render(await pixelsOfSlices(pixels.reader, image, options)) };
  return pixels.withFile(async (file) => {
    const rendering = render(pixelsOfFile(file, image, options));
    if (!withChecksums || image.converted) return { rendered: await rendering };
    const content = createReadStream(file, { highWaterMark: DIGEST_READ_BYTES });
    const [checksums, rendered] = await Promise.allSettled([
      computeChecksums({ info: pixels.info, recipe, content }),
      rendering,
    ]);
    // A digest that differs explains why pixels cannot be decoded, so its error comes first.
    if (checksums.status === 'rejected') throw checksums.reason;
    if (rendered.status === 'rejected') throw rendered.reason;
    return { rendered: rendered.value, checksums: checksums.value };
  });
}
