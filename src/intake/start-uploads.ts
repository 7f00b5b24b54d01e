import { z } from 'zod';
import type { Log } from '../log.ts';
import { forEachParallel } from '../parallel.ts';
import { startUpload, type UploadPorts } from './start-upload.ts';
import { DirectEvent, QueueEvent, readEvent, readMessage, type UploadEvent } from './upload-events.ts';

/** Number of messages of a batch handled concurrently: hides latency without being throttled. */
const CONCURRENT_MESSAGES = 5;

/** An upload event with or without a queue. */
export const DeliveredEvent = z.union([QueueEvent, DirectEvent]);
export type DeliveredEvent = z.infer<typeof DeliveredEvent>;

/** The messages that the queue must deliver again. */
export interface BatchResponse {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

/**
 * Starts every upload of an event, continuing after failures. Of a queue's batch only the failed
 * messages are delivered again; for any other event the errors are thrown after all uploads were
 * attempted.
 */
export async function startUploads(
  ports: UploadPorts,
  event: DeliveredEvent,
  log: Log,
): Promise<BatchResponse | undefined> {
  const queued = QueueEvent.safeParse(event);
  if (queued.success) return startBatch(ports, queued.data, log);
  const errors = await startAll(ports, readEvent(event), log);
  for (const error of errors) log.error('upload.failed', { error });
  const [error, ...others] = errors;
  if (error) throw others.length === 0 ? error : new AggregateError(errors, `${errors.length} uploads failed`);
  return undefined;
}

async function startBatch(ports: UploadPorts, { Records }: QueueEvent, log: Log): Promise<BatchResponse> {
  const batchItemFailures: { itemIdentifier: string }[] = [];
  await forEachParallel(Records, CONCURRENT_MESSAGES, async ({ messageId, body }) => {
    const errors = await startAll(ports, readMessage(body), log);
    for (const error of errors) log.error('upload.failed', { messageId, error });
    if (errors.length > 0) batchItemFailures.push({ itemIdentifier: messageId });
  });
  return { batchItemFailures };
}

/** Starts one upload after the other, continuing after failures. Returns the errors. */
async function startAll(ports: UploadPorts, event: UploadEvent, log: Log): Promise<readonly Error[]> {
  const errors = [...event.malformed];
  for (const upload of event.uploads) {
    try {
      await startUpload(ports, upload, log);
    } catch (error) {
      errors.push(error instanceof Error ? error : new Error(String(error)));
    }
  }
  return errors;
}
