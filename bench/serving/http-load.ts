/** Requests over HTTP with little work for the client: raw sockets that are kept open. */
import { connect, type Socket } from 'node:net';

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Bodies. Bytes. */
  readonly bytes: number;
  /** Answers other than 200. */
  readonly failures: number;
}

/** Asks for paths in turn over some connections until `isDone`. */
export async function loadHttp(
  port: number,
  connections: number,
  pathOf: (request: number) => string,
  isDone: (requests: number) => boolean,
): Promise<LoadResult> {
  const started = performance.now();
  let [sent, requests, bytes, failures] = [0, 0, 0, 0];
  const work = async (): Promise<void> => {
    const connection = await openConnection(port);
    while (!isDone(sent)) {
      const answer = await connection.get(pathOf(sent++));
      requests += 1;
      bytes += answer.bytes;
      if (answer.status !== 200) failures += 1;
    }
    connection.end();
  };
  await Promise.all(Array.from({ length: connections }, work));
  return { requests, bytes, failures, seconds: (performance.now() - started) / 1000 };
}

interface Connection {
  get(path: string): Promise<{ status: number; bytes: number }>;
  end(): void;
}

function openConnection(port: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      resolve(connectionOver(socket));
    });
    socket.once('error', reject);
  });
}

function connectionOver(socket: Socket): Connection {
  let head = '';
  let left = -1;
  let status = 0;
  let bytes = 0;
  let settle: { done: (answer: { status: number; bytes: number }) => void; failed: (error: Error) => void } | undefined;
  const finish = (): void => {
    head = '';
    left = -1;
    settle?.done({ status, bytes });
  };
  socket.on('data', (chunk) => {
    let body = chunk.length;
    if (left < 0) {
      const end = chunk.indexOf('\r\n\r\n');
      head += chunk.toString('latin1', 0, end < 0 ? chunk.length : end);
      if (end < 0) return;
      status = Number(head.slice(9, 12));
      left = Number(/content-length: (\d+)/iu.exec(head)?.[1] ?? Number.NaN);
      bytes = left;
      body = chunk.length - end - 4;
    }
    left -= body;
    if (left <= 0) finish();
  });
  const fail = (): void => {
    settle?.failed(new Error('Expected an answer but the connection was closed'));
  };
  socket.on('close', fail);
  return {
    get: (path) =>
      new Promise((done, failed) => {
        settle = { done, failed };
        socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
      }),
    end: () => {
      socket.off('close', fail);
      socket.destroy();
    },
  };
}
