import { z } from 'zod';
import { ExecutionInput } from '../work/execution-input.ts';
import { rejectionAdvice, type RejectionCode } from '../errors.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import { releasePublicName } from '../work/public-name.ts';
import { publishedKey } from '../work/published-key.ts';
import { sourceLogFields } from '../work/execution-state.ts';

const RejectedState = ExecutionInput.extend({ error: z.object({ Error: z.string(), Cause: z.string() }) });
type RejectedState = z.infer<typeof RejectedState>;

/** The Cause of a failed Lambda task is JSON. */
const Cause = z.object({ errorMessage: z.string() });

type Rejection = Readonly<Record<'code' | 'detail', string>>;

/**
 * Records the rejection and the advice to the sender in the ledger, and releases the public key
 * unless an earlier upload of the image is public under it.
 */
export function makeRecordRejection({ store, ledger, config }: Pick<Ports, 'store' | 'ledger' | 'config'>) {
  return async ({ source, recipe, error }: RejectedState, { log }: Call): Promise<void> => {
    const message = errorMessage(error.Cause);
    if (error.Error === 'SourceChangedError') {
      await ledger.superseded(source);
      log.info('image.superseded', { reason: message });
      return;
    }
    const rejection = withAdvice(splitCode(message));
    await ledger.rejected(source, rejection);
    const target = { bucket: config.publishedBucket, key: publishedKey(source) };
    await releasePublicName({ store, ledger }, target, { ...source, recipe });
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

/** Splits the message of a RejectedImageError, which is `CODE: detail`. */
function splitCode(message: string): Rejection {
  const parts = /^(?<code>[A-Z_]+): (?<detail>.*)$/su.exec(message)?.groups;
  return { code: parts?.['code'] ?? 'REJECTED', detail: parts?.['detail'] ?? message };
}

function withAdvice({ code, detail }: Rejection): Rejection {
  const advice = code in rejectionAdvice ? rejectionAdvice[code as RejectionCode] : undefined;
  return { code, detail: advice === undefined ? detail : `${detail}; ${advice}` };
}

export const handler = lambdaHandler(RejectedState, makeRecordRejection, sourceLogFields);
