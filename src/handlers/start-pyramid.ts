/** Upload events start executions: claim the upload in the ledger, start its execution by name, tell the ledger. */
import { ExecutionAlreadyExists, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { ExecutionInput, Source } from '../work/execution-input.ts';
import { executionName } from '../ledger/identity.ts';
import { forEachParallel } from '../parallel.ts';
import { chooseRecipe } from '../recipe/choice.ts';
import { lambdaHandler, type Call, type Ports } from '../runtime.ts';
import { callService } from '../service-errors.ts';
import { DirectEvent, QueueEvent, readEvent, readMessage, type UploadEvent } from '../intake/upload-events.ts';

/** Uploads of one batch that are started at once: enough to hide the round trips, few enough not to be throttled. */
const CONCURRENT_STARTS = 5;

export const StartPyramidEvent = z.union([QueueEvent, DirectEvent]);
export type StartPyramidEvent = z.infer<typeof StartPyramidEvent>;

/** The messages that the queue shall deliver again. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

type StartPorts = Pick<Ports, 'config' | 'ledger' | 'engine'>;

export const handler = lambdaHandler(StartPyramidEvent, makeStartPyramid);

/**
 * Starts every upload of an event once, however often the event comes. A failure harms no other upload: of a queue's
 * batch only the messages that failed are asked for again; any other event throws what failed when the rest is done.
 */
export function makeStartPyramid(
  ports: StartPorts,
): (event: StartPyramidEvent, call: Pick<Call, 'log'>) => Promise<BatchResponse | undefined> {
  return async (event, { log }) => {
    const stateMachineArn = stateMachineOf(ports.config);
    const start = (upload: Source): Promise<void> => startUpload(ports, stateMachineArn, upload, log);

    if (!isQueueEvent(event)) {
      const errors = await startAll(readEvent(event), start);
      for (const error of errors) log.error('upload.failed', { error });
      const [error, ...others] = errors;
      if (error) throw others.length === 0 ? error : new AggregateError(errors, `${errors.length} uploads failed`);
      return undefined;
    }

    const batchItemFailures: { itemIdentifier: string }[] = [];
    await forEachParallel(event.Records, CONCURRENT_STARTS, async ({ messageId, body }) => {
      const errors = await startAll(readMessage(body), start);
      for (const error of errors) log.error('upload.failed', { messageId, error });
      if (errors.length > 0) batchItemFailures.push({ itemIdentifier: messageId });
    });
    return { batchItemFailures };
  };
}

function isQueueEvent(event: StartPyramidEvent): event is QueueEvent {
  return QueueEvent.safeParse(event).success;
}

/** Starts one upload after the other, past those that fail. Returns what failed. */
async function startAll(event: UploadEvent, start: (upload: Source) => Promise<void>): Promise<readonly Error[]> {
  const errors = [...event.malformed];
  for (const upload of event.uploads) {
    try {
      await start(upload);
    } catch (error) {
      errors.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return errors;
}

async function startUpload(
  { config, ledger, engine }: StartPorts,
  stateMachineArn: string,
  source: Source,
  log: Call['log'],
): Promise<void> {
  const { imageId, sequence, bucket, key, etag } = source;
  const recipe = chooseRecipe(config.recipeRules, config.defaultRecipe, key);
  const claim = await ledger.claim({ imageId, sequence, bucket, key, etag, recipe });
  if (!claim.claimed) {
    const { sequence: onRecord, status } = claim.entry;
    log.info('upload.ignored', { imageId, sequence, reason: onRecord === sequence ? 'duplicate' : 'older', status });
    return;
  }
  const executionArn = await startExecution(engine, stateMachineArn, { schemaVersion: 1, source, recipe });
  await ledger.started(source, executionArn);
  log.info('upload.started', { imageId, sequence, executionArn });
}

function stateMachineOf({ stateMachineArn }: Ports['config']): string {
  if (stateMachineArn !== undefined) return stateMachineArn;
  throw new UsageError('Expected an ARN for STATE_MACHINE_ARN but received nothing');
}

/**
 * Starts the execution of an upload, or finds that it was started before. Returns its ARN.
 *
 * Same name, same input: the service answers as it did the first time while the execution runs, and with
 * ExecutionAlreadyExists for 90 days after (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).
 */
async function startExecution(
  engine: Ports['engine'],
  stateMachineArn: string,
  input: ExecutionInput,
): Promise<string> {
  const name = executionName(input.source);
  try {
    const command = new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) });
    const { executionArn } = await callService('Step Functions', () => engine.send(command));
    return executionArn ?? executionArnOf(stateMachineArn, name);
  } catch (error) {
    if (error instanceof ExecutionAlreadyExists) return executionArnOf(stateMachineArn, name);
    throw error;
  }
}

function executionArnOf(stateMachineArn: string, name: string): string {
  return `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
}
