/**
 * Records the outcome of an execution in the ledger, from the "Step Functions Execution Status
 * Change" event
 * (https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html). Failed,
 * aborted and timed-out executions are recorded by this handler only; the steps record the other
 * outcomes themselves.
 */
import { z } from 'zod';
import { parseExecutionName } from '../ledger/identity.ts';
import type { ImageStatus, LedgerEntry, UploadId } from '../ledger/ledger.ts';
import { lambdaHandler, type Call, type Ports } from '../runtime.ts';

const Detail = z.object({
  executionArn: z.string().min(1),
  name: z.string().min(1),
  status: z.string().min(1),
  error: z.string().nullish(),
  cause: z.string().nullish(),
});
type Detail = z.infer<typeof Detail>;

export const PyramidStatusChange = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: Detail,
});
export type PyramidStatusChange = z.infer<typeof PyramidStatusChange>;

type OutcomePorts = Pick<Ports, 'ledger' | 'executions'>;

export const handler = lambdaHandler(PyramidStatusChange, makeRecordOutcome, ({ detail }) => ({
  execution: detail.name,
  status: detail.status,
}));

/**
 * Records one status change. The image is identified by the execution's name, because EventBridge
 * omits large inputs from the event. Throws ServiceUnavailableError when the ledger or the engine
 * is unavailable, so that the event is delivered again.
 */
export function makeRecordOutcome(
  ports: OutcomePorts,
): (event: PyramidStatusChange, call: Pick<Call, 'log'>) => Promise<void> {
  return async ({ detail }, { log }) => {
    const upload = parseExecutionName(detail.name);
    if (!upload) {
      log.warn('outcome.ignored', { executionArn: detail.executionArn, reason: 'not an execution of an upload' });
      return;
    }
    switch (detail.status) {
      case 'RUNNING':
        await recordRunning(ports, upload, detail);
        break;
      case 'SUCCEEDED':
        await checkSettled(ports, upload, log);
        break;
      case 'FAILED':
      case 'ABORTED':
      case 'TIMED_OUT':
        await ports.ledger.ended(upload, detail.status, await failureOf(ports, detail));
        log.warn('outcome.recorded', { imageId: upload.imageId });
        break;
      default:
        log.warn('outcome.ignored', { executionArn: detail.executionArn, reason: 'unknown status' });
    }
  };
}

/** Records a start or a redrive, whose events are equal. */
async function recordRunning(ports: OutcomePorts, upload: UploadId, { executionArn }: Detail): Promise<void> {
  const entry = await ports.ledger.get(upload.imageId);
  // StartPyramid has usually recorded the start already.
  if (entry?.sequence === upload.sequence && entry.executionArn === undefined) {
    await ports.ledger.started(upload, executionArn);
  }
  if (!isUnder(entry, upload, ['FAILED', 'ABORTED', 'TIMED_OUT'])) return;
  // Events may arrive out of order: the failure of this execution may have been recorded before
  // this start.
  const { status } = await ports.executions.describe(executionArn);
  if (status === 'RUNNING') await ports.ledger.resumed(upload);
}

/**
 * Logs a warning if the outcome is missing, which is a defect: the steps record it before the
 * execution succeeds.
 */
async function checkSettled({ ledger }: OutcomePorts, upload: UploadId, log: Call['log']): Promise<void> {
  const entry = await ledger.get(upload.imageId);
  if (isUnder(entry, upload, ['CLAIMED', 'PROCESSING'])) {
    log.warn('outcome.missing', { imageId: upload.imageId, sequence: upload.sequence, onRecord: entry?.status });
  }
}

async function failureOf(ports: OutcomePorts, detail: Detail): Promise<{ error: string; cause: string }> {
  const complete = typeof detail.error === 'string' && typeof detail.cause === 'string';
  const described = complete ? undefined : await ports.executions.describe(detail.executionArn);
  return {
    error: detail.error ?? described?.error ?? detail.status,
    cause: detail.cause ?? described?.cause ?? 'No cause was given',
  };
}

function isUnder(entry: LedgerEntry | undefined, upload: UploadId, statuses: readonly ImageStatus[]): boolean {
  return entry?.sequence === upload.sequence && statuses.includes(entry.status);
}
