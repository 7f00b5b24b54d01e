import type { Executions } from '../executions/executions.ts';
import { executionName } from '../ledger/identity.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import type { ExecutionInput } from '../work/execution-input.ts';

/**
 * Starts the execution of an image; idempotent. Claims the image in the ledger, starts its
 * execution by name, and records the start. An upload that is older than the recorded one or was
 * started before is ignored. The input must be the same each time.
 */
export async function startExecution(
  { ledger, executions }: { readonly ledger: Ledger; readonly executions: Executions },
  input: ExecutionInput,
  log: Log,
): Promise<void> {
  const { source, recipe } = input;
  const { imageId, sequence, bucket, key, etag } = source;
  const page = source.page && { number: source.page.number, count: source.page.count };
  const claim = await ledger.claim({ imageId, sequence, bucket, key, etag, recipe, page });
  if (!claim.claimed) {
    const { sequence: onRecord, status } = claim.entry;
    log.info('upload.ignored', { imageId, sequence, reason: onRecord === sequence ? 'duplicate' : 'older', status });
    return;
  }
  const executionArn = await executions.start(executionName(source), JSON.stringify(input));
  await ledger.started(source, executionArn);
  log.info('upload.started', { imageId, sequence, executionArn });
}
