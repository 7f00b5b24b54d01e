/** Starts the executions of an upload event. */
import { type BatchResponse, DeliveredEvent, startUploads } from '../intake/start-uploads.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';

export const handler = lambdaHandler(DeliveredEvent, makeStartPyramid);

export function makeStartPyramid(
  ports: Pick<Ports, 'config' | 'ledger' | 'executions'>,
): (event: DeliveredEvent, call: Pick<Call, 'log'>) => Promise<BatchResponse | undefined> {
  return (event, { log }) => startUploads(ports, event, log);
}
