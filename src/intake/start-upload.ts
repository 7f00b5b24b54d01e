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
 * Starts the execution of an upload once, however often it is called: claims the upload in the ledger, starts its
 * execution by name, and records the start. An older upload than the one on record, and one that was started before,
 * are ignored.
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
  // The input is a pure function of the object and the configuration, so that a repeated start is recognised as one.
  const input: ExecutionInput = { schemaVersion: 1, source, recipe };
  const executionArn = await executions.start(executionName(source), JSON.stringify(input));
  await ledger.started(source, executionArn);
  log.info('upload.started', { imageId, sequence, executionArn });
}
