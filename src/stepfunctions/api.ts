import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/**
 * Serves the Step Functions API (AWS JSON 1.0) on 127.0.0.1; port 0 stands for any free port.
 * Requests are not authenticated. Those that a browser could send for a web page are refused with
 * status 403: a Host other than this server (DNS rebinding), an Origin other than this server, a
 * content type that needs no preflight request.
 */
export async function serveApi(engine: Engine, { port = 0 }: { readonly port?: number } = {}): Promise<ServedApi> {
  const operations = apiOperations(engine);
  const server = createServer((request, response) => {
    void answer(operations, request, response);
  });
  const { promise: listening, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => {
    resolve(undefined);
  });
  await listening;
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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
function assertLocal({ headers, socket }: IncomingMessage): void {
  const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${socket.localPort}`);
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
