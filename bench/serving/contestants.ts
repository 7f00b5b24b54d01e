/** The servers that are compared, each over the same folder of pyramids. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askFastCgi } from '../../tests/interop/fastcgi.ts';
import { iipServer } from '../../tests/interop/programs.ts';
import { type LoadResult, loadHttp } from './http-load.ts';
import type { ServerReport } from './stepwell-server.ts';

/** Region and size of an image request. */
export interface RegionRequest {
  readonly identifier: string;
  readonly region: string;
  readonly size: string;
}

export type RequestOf = (request: number) => RegionRequest;

export interface ServingContestant {
  readonly name: string;
  load(connections: number, requestOf: RequestOf, isDone: (requests: number) => boolean): Promise<LoadResult>;
  /** What it has read since the last report, and its memory; only Stepwell reports. */
  report?(): Promise<ServerReport>;
  stop(): Promise<void>;
}

/** The allocator's settings of `npm start`. */
const allocator = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '33554432', MALLOC_TRIM_THRESHOLD_: '268435456' };

export async function startStepwell(workspace: string): Promise<ServingContestant> {
  const { child, port } = await startProgram('stepwell-server.ts', workspace);
  return {
    name: 'Stepwell',
    load: (connections, requestOf, isDone) =>
      loadHttp(port, connections, (request) => iiifPath(3, requestOf(request)), isDone),
    async report() {
      child.send('report');
      const [report] = (await once(child, 'message')) as [ServerReport];
      return report;
    },
    stop: () => end(child),
  };
}

export async function startIiifProcessor(folder: string): Promise<ServingContestant> {
  const { child, port } = await startProgram('iiif-processor-server.ts', folder);
  return {
    name: 'iiif-processor',
    load: (connections, requestOf, isDone) =>
      loadHttp(port, connections, (request) => iiifPath(3, requestOf(request)), isDone),
    stop: () => end(child),
  };
}

/**
 * IIPImage answers FastCGI, so that its figures lack the web server before it. One process answers
 * one request at a time; there are as many as there are cores.
 */
export async function startIipImage(folder: string, scratch: string, processes: number): Promise<ServingContestant> {
  const sockets = Array.from({ length: processes }, (_, index) => path.join(scratch, `iip-${index}.sock`));
  const children = sockets.map((socket) =>
    spawn(iipServer, ['--bind', socket], {
      env: { FILESYSTEM_PREFIX: `${folder}/`, JPEG_QUALITY: '85', OMP_NUM_THREADS: '1' },
      stdio: 'ignore',
    }),
  );
  while (!sockets.every((socket) => existsSync(socket))) await sleep(20);
  return {
    name: 'IIPImage',
    load: (_, requestOf, isDone) => loadFastCgi(sockets, requestOf, isDone),
    stop: async () => {
      await Promise.all(children.map(end));
    },
  };
}

async function loadFastCgi(
  sockets: readonly string[],
  requestOf: RequestOf,
  isDone: (requests: number) => boolean,
): Promise<LoadResult> {
  const started = performance.now();
  let [sent, requests, bytes, failures] = [0, 0, 0, 0];
  await Promise.all(
    sockets.map(async (socket) => {
      while (!isDone(sent)) {
        const { identifier, region, size } = requestOf(sent++);
        const query = `IIIF=${identifier}.tif/${region}/${size}/0/default.jpg`;
        const answer = await askFastCgi(socket, {
          REQUEST_METHOD: 'GET',
          QUERY_STRING: query,
          REQUEST_URI: `/iipsrv?${query}`,
          SERVER_PROTOCOL: 'HTTP/1.1',
          HTTP_HOST: '127.0.0.1',
        });
        requests += 1;
        bytes += answer.body.length;
        if (answer.status !== 200) failures += 1;
      }
    }),
  );
  return { requests, bytes, failures, seconds: (performance.now() - started) / 1000 };
}

function iiifPath(version: number, { identifier, region, size }: RegionRequest): string {
  return `/iiif/${version}/${encodeURIComponent(identifier)}/${region}/${size}/0/default.jpg`;
}

async function startProgram(file: string, folder: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(path.join(import.meta.dirname, file), [folder], { env: { ...process.env, ...allocator } });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  return { child, port };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
