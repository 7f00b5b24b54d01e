import type { Executions } from '../executions/executions.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Log } from '../log.ts';
import { chooseRecipe, type RecipeRule } from '../recipe/choice.ts';
import type { Source } from '../work/execution-input.ts';
import { startExecution } from './start-execution.ts';

export interface UploadPorts {
  readonly ledger: Ledger;
  readonly executions: Executions;
  readonly config: { readonly recipeRules: readonly RecipeRule[]; readonly defaultRecipe: string };
}

/** Starts the execution of an upload with the recipe that its key selects; idempotent. */
export async function startUpload({ config, ...ports }: UploadPorts, source: Source, log: Log): Promise<void> {
  const recipe = chooseRecipe(config.recipeRules, config.defaultRecipe, source.key);
  // The input depends on the object and the configuration only, so that a repeated start has the
  // same input.
  await startExecution(ports, { schemaVersion: 1, source, recipe }, log);
}
