import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { UsageError } from '../errors.ts';
import { ApiError } from './api-errors.ts';
import { apiOperations } from './api-operations.ts';
import type { Engine } from './engine.ts';

/**
 * Largest request body: an input of 256 KiB, which escaping in JSON may double. Inputs with many
 * control characters may exceed it. Bytes.
 */
const maxBodyBytes = 1_048_576;
const target = 'AWSStepFunctions.';
const contentType = 'application/x-amz-json-1.0';

export interface ServedApi {
  /** URL to give to a Step Functions client as its endpoint. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

export interface ApiOptions {
  /** The first of these ports that is free is used; 0 stands for any free port. */
  readonly ports?: readonly number[];
  /** Answers requests that do not name an operation of the API, from pages of any origin. */
  readonly otherwise?: RequestListener | undefined;
}

/**
 * Serves the Step Functions API (AWS JSON 1.0) on 127.0.0.1. Requests are not authenticated. A Host
 * other than this server (DNS rebinding) is refused with status 403, and so are requests to the API
 * that a browser could send for a web page: an Origin other than this server, a content type that
 * needs no preflight request. Throws UsageError when no port can be used.
 */
export async function serveApi(engine: Engine, { ports = [0], otherwise }: ApiOptions = {}): Promise<ServedApi> {
  const operations = apiOperations(engine);
  const server = createServer((request, response) => {
    if (!otherwise || request.headers['x-amz-target'] !== undefined) void answer(operations, request, response);
    else if (hostsOf(request).includes(request.headers.host ?? '')) otherwise(request, response);
    else refuseHost(request, response);
  });
  const port = await listen(server, ports);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: async () => {
      const closed = new Promise<void>((done) =>
        server.close(() => {
          done();
        }),
      );
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Listens on the first port that can be used and returns it. */
async function listen(server: Server, [port = 0, ...others]: readonly number[]): Promise<number> {
  const { promise: listening, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => {
    resolve(undefined);
  });
  try {
    await listening;
    return (server.address() as AddressInfo).port;
  } catch (error) {
    if (others.length > 0) return await listen(server, others);
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program uses it' : `it cannot be used (${code})`;
    throw new UsageError(`Expected a free port on 127.0.0.1 but received ${port}: ${why}; choose another with --port`);
  } finally {
    server.removeListener('error', reject);
  }
}

/** The values of Host under which this server is reached. */
function hostsOf({ socket }: IncomingMessage): string[] {
  return ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort}`);
}

function refuseHost(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(403, { 'content-type': 'text/plain; charset=utf-8' });
  response.end(denied('Host', hostsOf(request).join(' or '), request.headers.host ?? '').message);
}

async function answer(
  operations: ReturnType<typeof apiOperations>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = randomUUID();
  const send = (status: number, body: object): void => {
    response.writeHead(status, { 'content-type': contentType, 'x-amzn-requestid': requestId });
    response.end(JSON.stringify(body));
  };
  try {
    assertLocal(request);
    const name = operationOf(request);
    const operation = operations.get(name);
    if (!operation) {
      throw new ApiError(
        'UnsupportedOperation',
        `The embedded engine does not have ${name}; it has ${[...operations.keys()].join(', ')}`,
      );
    }
    send(200, operation(parseBody(await readBody(request))));
  } catch (error) {
    if (error instanceof ApiError) send(statusOf(error), { __type: error.type, message: error.message });
    else send(500, { __type: 'InternalFailure', message: String(error) });
  }
}

function statusOf({ type }: ApiError): number {
  if (type === 'ServiceUnavailable') return 503;
  return type === 'AccessDeniedException' ? 403 : 400;
}

/**
 * Throws unless a request has this server's Host, no foreign Origin, and a content type that forms
 * cannot send.
 */
function assertLocal(request: IncomingMessage): void {
  const { headers } = request;
  const hosts = hostsOf(request);
  const { host = '', origin } = headers;
  const type = headers['content-type'] ?? '';
  if (!hosts.includes(host)) throw denied('Host', hosts.join(' or '), host);
  if (origin !== undefined && !hosts.some((own) => origin === `http://${own}`)) throw denied('Origin', 'none', origin);
  if (type.split(';', 1)[0]?.trim() !== contentType) throw denied('Content-Type', contentType, type);
}

function denied(header: string, expected: string, received: string): ApiError {
  return new ApiError('AccessDeniedException', `Expected ${header} ${expected} but received ${received || 'none'}`);
}

function operationOf(request: IncomingMessage): string {
  const header = request.headers['x-amz-target'];
  if (request.method !== 'POST' || typeof header !== 'string' || !header.startsWith(target)) {
    throw new ApiError('ValidationException', `Expected a POST with X-Amz-Target: ${target}<operation>`);
  }
  return header.slice(target.length);
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > maxBodyBytes) throw new ApiError('ValidationException', `Expected at most ${maxBodyBytes} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseBody(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    throw new ApiError('ValidationException', 'Expected a JSON body');
  }
}
