/**
 * Serves a folder over HTTP as an object store does: byte ranges, CORS, and a record of the
 * requests.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

export interface RangedRequest {
  readonly method: string;
  /** Decoded, without the leading slash. */
  readonly path: string;
  readonly range: string | undefined;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
}

export interface RangedServer {
  readonly url: string;
  /** The requests since the last call, in the order they were answered. */
  take(): RangedRequest[];
  stop(): Promise<void>;
}

/** The bytes of a file in a response: `end` is inclusive, as in HTTP. */
interface Span {
  readonly start: number;
  readonly end: number;
}

interface Reply {
  readonly status: 200 | 206 | 404 | 416;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body?: { readonly file: string; readonly span: Span };
}

/**
 * Serves GET and HEAD of the files below `folder` on 127.0.0.1: 200 whole, 206 one range, 404, 416.
 */
export async function startRangedServer(folder: string): Promise<RangedServer> {
  const requests: RangedRequest[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const received = { method: request.method ?? '', path: pathOf(request), range: request.headers.range };
      const reply = await replyTo(folder, received);
      const body = received.method === 'GET' ? reply.body : undefined;
      const bytes = body ? body.span.end - body.span.start + 1 : 0;
      // Recorded before the response is sent, so that a client with a response finds its request
      // here.
      requests.push({ ...received, status: reply.status, bytes });
      await send(response, reply, body);
    })();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    take: () => requests.splice(0),
    stop: () =>
      new Promise<void>((stopped) => {
        server.close(() => {
          stopped();
        });
        server.closeAllConnections();
      }),
  };
}

function pathOf(request: IncomingMessage): string {
  return decodeURIComponent(new URL(request.url ?? '/', 'http://localhost').pathname.slice(1));
}

async function replyTo(folder: string, request: Pick<RangedRequest, 'path' | 'range'>): Promise<Reply> {
  const file = path.join(folder, request.path);
  const size = path.relative(folder, file).startsWith('..') ? undefined : await sizeOf(file);
  if (size === undefined) return { status: 404, headers: {} };
  const whole = { start: 0, end: size - 1 };
  const span = request.range === undefined ? whole : spanOf(request.range, size);
  if (!span) return { status: 416, headers: { 'Content-Range': `bytes */${size}` } };
  const headers = {
    'Accept-Ranges': 'bytes',
    'Content-Type': 'image/tiff',
    'Content-Length': span.end - span.start + 1,
  };
  if (request.range === undefined) return { status: 200, headers, body: { file, span } };
  const contentRange = `bytes ${span.start}-${span.end}/${size}`;
  return { status: 206, headers: { ...headers, 'Content-Range': contentRange }, body: { file, span } };
}

async function send(response: ServerResponse, { status, headers }: Reply, body: Reply['body']): Promise<void> {
  response.writeHead(status, {
    ...headers,
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Expose-Headers': 'Content-Range, Content-Length, Accept-Ranges',
  });
  // A client that disconnects closes its own connection only.
  if (body) await pipeline(createReadStream(body.file, { ...body.span }), response).catch(() => undefined);
  else response.end();
}

/**
 * Size in bytes; undefined when the file does not exist or is empty (no range can be satisfied).
 */
async function sizeOf(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() && found.size > 0 ? found.size : undefined;
}

/** One byte range (RFC 9110, section 14.1.2); undefined when it cannot be satisfied. */
function spanOf(range: string, size: number): Span | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/u.exec(range) ?? [];
  if (first === '') return last === '' ? undefined : { start: Math.max(0, size - Number(last)), end: size - 1 };
  const span = { start: Number(first), end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
  return span.start <= span.end ? span : undefined;
}
