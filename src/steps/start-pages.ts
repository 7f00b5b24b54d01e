import { startExecution } from '../intake/start-execution.ts';
import { forEachParallel } from '../parallel.ts';
import { readRecipe } from '../recipe/read.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { pageOf } from '../work/execution-input.ts';
import { DocumentState, sourceLogFields } from '../work/execution-state.ts';
import { readMasterChecksums } from '../work/master-checksums.ts';
import { openSource } from '../work/pinned-object.ts';

/** Number of executions started concurrently: fewer than StartExecution admits a second. */
const CONCURRENT_STARTS = 10;
/** Part of the invocation's time reserved for starting the executions. Milliseconds. */
const STARTING_TIME = 240_000;

/**
 * Starts one execution for each page of a document, with the digests of the document, and records
 * the number of pages in its ledger entry. Idempotent: executions have fixed names, so that a retry
 * or a redrive starts those that are missing. The executions are queued by the engine, and this one
 * does not wait for them.
 */
export function makeStartPages({
  store,
  ledger,
  executions,
  config,
}: Pick<Ports, 'store' | 'ledger' | 'executions' | 'config'>) {
  return async ({ source, recipe: name, image }: DocumentState, { log, remainingMs }: Call): Promise<void> => {
    await ledger.assertCurrent(source);
    const { count, directories } = image.pages;
    const recipe = await readRecipe(config.recipesDirectory, name);
    const master = await openSource(store, source);
    const checksums = await readMasterChecksums(master, recipe, () => remainingMs() - STARTING_TIME);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    await forEachParallel(numbers, CONCURRENT_STARTS, async (number, index) => {
      const directory = directories?.[index];
      const page = { number, count, ...(directory === undefined ? {} : { directory }) };
      const input = { schemaVersion: 1, source: pageOf(source, page), recipe: name, checksums } as const;
      await startExecution({ ledger, executions }, input, log);
    });
    await ledger.divided(source, count);
    log.info('pages.started', { pages: count });
  };
}

export const handler = lambdaHandler(DocumentState, makeStartPages, sourceLogFields);
