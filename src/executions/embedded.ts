/** Executions on the embedded engine of this process. */
import { ApiError } from '../stepfunctions/api-errors.ts';
import type { Engine } from '../stepfunctions/engine.ts';
import type { Executions } from './executions.ts';

export function embeddedExecutions(engine: Engine): Executions {
  return {
    arnOf: (name) => engine.arnOf(name),

    start: (name, input) =>
      answered(() => {
        try {
          return engine.start({ name, input }).executionArn;
        } catch (error) {
          if (error instanceof ApiError && error.type === 'ExecutionAlreadyExists') return engine.arnOf(name);
          throw error;
        }
      }),

    describe: (executionArn) =>
      answered(() => {
        const { status, error, cause } = engine.describe(executionArn);
        return { status, error, cause };
      }),

    redrive: (executionArn) =>
      answered(() => {
        engine.redrive(executionArn);
      }),
  };
}

/**
 * Resolves with the engine's result. Rejects ApiErrors under the names that they have in the AWS
 * SDK.
 */
function answered<Answer>(call: () => Answer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    try {
      resolve(call());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      reject(Object.assign(new Error(error.message, { cause: error }), { name: error.type }));
    }
  });
}
