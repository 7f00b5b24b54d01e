import { z } from 'zod';
import { ExecutionInput } from '../work/execution-input.ts';
import { type RejectionCode, whatToDo } from '../errors.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { publishedKey } from '../work/published-key.ts';
import { sourceLogFields } from '../work/state.ts';

const RejectedState = ExecutionInput.extend({ error: z.object({ Error: z.string(), Cause: z.string() }) });
type RejectedState = z.infer<typeof RejectedState>;

/** Lambda reports an error as JSON in the Cause. */
const Cause = z.object({ errorMessage: z.string() });

type Rejection = Readonly<Record<'code' | 'detail', string>>;

/** It can never succeed: the ledger says why and what to do, and its public key is free for another. */
export function makeRecordRejection({ ledger, config }: Pick<Ports, 'ledger' | 'config'>) {
  return async ({ source, error }: RejectedState, { log }: Call): Promise<void> => {
    const message = errorMessage(error.Cause);
    if (error.Error === 'SourceChangedError') {
      await ledger.superseded(source);
      log.info('image.superseded', { reason: message });
      return;
    }
    const rejection = withAdvice(splitCode(message));
    await ledger.rejected(source, rejection);
    await ledger.releaseTarget(config.publishedBucket, publishedKey(source.key), source.imageId);
    log.info('image.rejected', rejection);
  };
}

function errorMessage(cause: string): string {
  try {
    return Cause.parse(JSON.parse(cause)).errorMessage;
  } catch {
    return cause;
  }
}

/** RejectedImageError writes its message as `CODE: detail`. */
function splitCode(message: string): Rejection {
  const parts = /^(?<code>[A-Z_]+): (?<detail>.*)$/su.exec(message)?.groups;
  return { code: parts?.['code'] ?? 'REJECTED', detail: parts?.['detail'] ?? message };
}

function withAdvice({ code, detail }: Rejection): Rejection {
  const advice = code in whatToDo ? whatToDo[code as RejectionCode] : undefined;
  return { code, detail: advice === undefined ? detail : `${detail}; ${advice}` };
}

export const handler = lambdaHandler(RejectedState, makeRecordRejection, sourceLogFields);
