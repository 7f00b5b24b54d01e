import type { Executions } from '../executions/executions.ts';
import { executionName } from '../ledger/identity.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import { chooseRecipe, type RecipeRule } from '../recipe/choice.ts';
import type { ExecutionInput, Source } from '../work/execution-input.ts';

export interface UploadPorts {
  readonly ledger: Ledger;
  readonly executions: Executions;
  readonly config: { readonly recipeRules: readonly RecipeRule[]; readonly defaultRecipe: string };
}

/**
 * Starts the execution of an upload; idempotent. Claims the upload in the ledger, starts its
 * execution by name, and records the start. An upload that is older than the recorded one or was
 * started before is ignored.
 */
export async function startUpload(
  { config, ledger, executions }: UploadPorts,
  source: Source,
  log: Log,
): Promise<void> {
  const { imageId, sequence, bucket, key, etag } = source;
  const recipe = chooseRecipe(config.recipeRules, config.defaultRecipe, key);
  const claim = await ledger.claim({ imageId, sequence, bucket, key, etag, recipe });
  if (!claim.claimed) {
    const { sequence: onRecord, status } = claim.entry;
    log.info('upload.ignored', { imageId, sequence, reason: onRecord === sequence ? 'duplicate' : 'older', status });
    return;
  }
  // The input depends on the object and the configuration only, so that a repeated start has the
  // same input.
  const input: ExecutionInput = { schemaVersion: 1, source, recipe };
  const executionArn = await executions.start(executionName(source), JSON.stringify(input));
  await ledger.started(source, executionArn);
  log.info('upload.started', { imageId, sequence, executionArn });
}
