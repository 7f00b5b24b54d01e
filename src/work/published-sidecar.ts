import type { ObjectStore } from '../storage/object-store.ts';
import type { Plan } from '../pyramid/plan.ts';
import { readChecksums } from './checksums.ts';
import type { RecordedChecksums } from './execution-input.ts';
import type { PublishedState } from './execution-state.ts';
import { readHeader } from './header.ts';
import { sidecarOf } from './sidecar.ts';
import { workArea } from './work-area.ts';

/** The sidecar of a pyramid that was published, and the digests of its master. */
export async function publishedSidecar(
  store: ObjectStore,
  workBucket: string,
  { source, checksums, assembled, published }: PublishedState,
  plan: Plan,
): Promise<{ readonly bytes: Uint8Array; readonly digests: RecordedChecksums }> {
  const area = workArea(workBucket, source);
  const [header, digests] = await Promise.all([
    readHeader(store, area),
    checksums ?? assembled.checksums ?? readChecksums(store, area),
  ]);
  return { bytes: sidecarOf({ header, plan, source, digests, warnings: assembled.warnings, published }), digests };
}
