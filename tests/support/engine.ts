/**
 * Step Functions in memory, behind HTTP (awsJson1.0): executions are started and described, never
 * run.
 */
import { SFNClient } from '@aws-sdk/client-sfn';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { z } from 'zod';

export interface FakeExecution {
  readonly name: string;
  readonly input: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'ABORTED' | 'TIMED_OUT';
  error?: string;
  cause?: string;
}

/** The error of one call. `lost`: the call is carried out, but its response never arrives. */
export type ServiceError = { readonly status: number; readonly type: string } | 'lost';

export interface FakeEngine {
  readonly client: SFNClient;
  readonly executions: Map<string, FakeExecution>;
  /** The calls so far, by name. */
  readonly calls: string[];
  /** Errors of the next calls, one for each. */
  readonly serviceErrors: ServiceError[];
  /** Largest number of calls in progress at once. */
  readonly peak: () => number;
  stop(): void;
}

const Start = z.object({ stateMachineArn: z.string(), name: z.string(), input: z.string() });
const Describe = z.object({ executionArn: z.string() });

type Answer = { readonly status: number; readonly body: Record<string, unknown> };
const refusal = (type: string, status = 400): Answer => ({ status, body: { __type: type, message: type } });

export async function startEngine(): Promise<FakeEngine> {
  const executions = new Map<string, FakeExecution>();
  const calls: string[] = [];
  const serviceErrors: ServiceError[] = [];
  let [underWay, peak] = [0, 0];

  const actions: Record<string, (request: unknown) => Answer> = {
    StartExecution(request) {
      const { stateMachineArn, name, input } = Start.parse(request);
      const known = executions.get(name);
      if (known && (known.status !== 'RUNNING' || known.input !== input)) return refusal('ExecutionAlreadyExists');
      if (!known) executions.set(name, { name, input, status: 'RUNNING' });
      const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
      return { status: 200, body: { executionArn, startDate: 0 } };
    },
    DescribeExecution(request) {
      const { executionArn } = Describe.parse(request);
      const known = executions.get(executionArn.slice(executionArn.lastIndexOf(':') + 1));
      return known ? { status: 200, body: { ...known, executionArn, startDate: 0 } } : refusal('ExecutionDoesNotExist');
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const action = String(request.headers['x-amz-target']).replace('AWSStepFunctions.', '');
    const body: unknown = JSON.parse(await text(request));
    calls.push(action);
    const serviceError = serviceErrors.shift();
    const done =
      typeof serviceError === 'object'
        ? refusal(serviceError.type, serviceError.status)
        : (actions[action]?.(body) ?? refusal('UnknownOperationException'));
    peak = Math.max(peak, ++underWay);
    await new Promise((resolve) => setTimeout(resolve, 2));
    underWay--;
    if (serviceError === 'lost') {
      response.destroy();
      return;
    }
    response.writeHead(done.status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(done.body));
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const client = new SFNClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
  return {
    client,
    executions,
    calls,
    serviceErrors,
    peak: () => peak,
    stop() {
      client.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}
