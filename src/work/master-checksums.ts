/** Digests of a master in a pass of their own, within the time of an invocation. */
import { DeadlineExceededError, RejectedImageError } from '../errors.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { computeChecksums, isDigestSent } from './checksums.ts';
import type { RecordedChecksums } from './execution-input.ts';
import type { PinnedObject } from './pinned-object.ts';

/**
 * Reads the whole master. Without time for that, the digests are left out with their reason, and a
 * master of which the uploader sent a digest is rejected: a redrive would also time out.
 */
export async function readMasterChecksums(
  { info, reader }: PinnedObject,
  recipe: Pick<Recipe, 'digests'>,
  remainingMs: () => number,
): Promise<RecordedChecksums> {
  try {
    return await computeChecksums({ info, recipe, content: untilDeadline(reader, remainingMs) });
  } catch (error) {
    if (!(error instanceof DeadlineExceededError)) throw error;
    if (!isDigestSent(info)) return { leftOut: `checksums: left out, ${error.message}` };
    const detail = `${error.message}, and its uploader sent a digest to compare with; send it without`;
    throw new RejectedImageError('OVER_BUDGET', detail, { cause: error });
  }
}

/** A reader that throws DeadlineExceededError when no time is left. */
function untilDeadline(reader: PinnedObject['reader'], remainingMs: () => number): PinnedObject['reader'] {
  return {
    ...reader,
    async readInto(target, offset) {
      if (remainingMs() <= 0) {
        throw new DeadlineExceededError(`reading ${reader.size} bytes takes longer than a function may run`);
      }
      await reader.readInto(target, offset);
    },
  };
}
