import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { collect, type EndedCommand, killCommands, runCommand, startProcess } from '../support/command.ts';
import { pictureOf } from '../support/pixels.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-serve-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  killCommands();
  await rm(folder, { recursive: true, force: true });
});

interface ServedCommand extends EndedCommand {
  /** Address of the viewer. */
  readonly viewer: string;
}

/** Runs the command with --serve; when it serves all files, runs `work` and sends the signal. */
async function serve(
  argv: readonly string[],
  work: (origin: string) => Promise<void>,
  signal: 'SIGINT' | 'SIGTERM' = 'SIGINT',
): Promise<ServedCommand> {
  const program = path.resolve('src/cli/main.ts');
  const child = startProcess(process.execPath, [program, '--serve', ...argv], { cwd: folder });
  const ended = once(child, 'close');
  const serving = Promise.withResolvers<string>();
  let viewer = '';
  const out = collect(child.stdout, (line) => {
    viewer = /^Viewer: (?<address>.*)$/u.exec(line)?.groups?.['address'] ?? viewer;
    if (line.includes('Ctrl-C ends the command.')) serving.resolve(viewer);
  });
  const err = collect(child.stderr);
  void ended.then(() => {
    serving.reject(new Error(`Expected a served viewer but received: ${out()}${err()}`));
  });
  await work((await serving.promise).slice(0, -1));
  child.kill(signal);
  const [code] = (await ended) as [number | null];
  return { code, out: out(), err: err(), viewer };
}

const List = z.object({ images: z.array(z.object({ id: z.string(), links: z.record(z.string(), z.string()) })) });
const list = async (origin: string): Promise<z.infer<typeof List>['images']> =>
  List.parse(await (await fetch(`${origin}/list`)).json()).images;

/** The status of a request with a Host that `fetch` does not send. */
async function statusWithHost(origin: string, host: string): Promise<number | undefined> {
  const sent = request(`${origin}/list`, { headers: { host } });
  sent.end();
  const [response] = (await once(sent, 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

/** The body of a call of the Step Functions API. */
async function callApi(origin: string, headers: Record<string, string> = {}): Promise<string> {
  const type = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'AWSStepFunctions.ListStateMachines' };
  return (await fetch(origin, { method: 'POST', headers: { ...type, ...headers }, body: '{}' })).text();
}

describe('npm start -- --serve', () => {
  test('serves what it published and what the workspace holds, and ends after one signal', async () => {
    await writeFile(path.join(folder, 'in', 'photo #1.png'), await pictureOf(600, 400).png().toBuffer());
    const first = await serve(['in', '--port', '0'], async (origin) => {
      const [image, ...others] = await list(origin);
      expect([image?.id, others]).toEqual(['photo #1', []]);
      const tile = await fetch(`${image?.links['iiif3'] ?? ''}/0,0,512,400/512,400/0/default.jpg`);
      expect(await sharp(await tile.arrayBuffer()).metadata()).toMatchObject({ width: 512, height: 400 });
      expect((await fetch(`${origin}/deepzoom/photo%20%231.dzi`)).status).toBe(200);
      const manifest = await fetch(`${origin}/iiif/presentation/3/photo%20%231/manifest`);
      expect(await manifest.text()).toContain(`${origin}/iiif/3/photo%20%231`);
      expect((await fetch(`${origin}/thumbnails/photo%20%231_auto.jpg`)).headers.get('content-type')).toBe(
        'image/jpeg',
      );
      const described = await (await fetch(image?.links['info'] ?? '')).json();
      const { links } = z.object({ links: z.object({ tiff: z.string(), sidecar: z.string() }) }).parse(described);
      expect((await fetch(links.tiff, { headers: { range: 'bytes=0-3' } })).status).toBe(206);
      expect(await (await fetch(links.sidecar)).json()).toMatchObject({ source: { key: 'photo #1.png' } });
      expect(await (await fetch(`${origin}/view/photo%20%231`)).text()).toContain('/viewer/openseadragon.min.js');
      expect((await fetch(`${origin}/nothing`)).status).toBe(404);
      expect(await statusWithHost(origin, 'images.example.org')).toBe(403);
      expect(await callApi(origin)).toContain('stateMachine:pyramid');
      expect(await callApi(origin, { origin: 'https://images.example.org' })).toContain('AccessDeniedException');
    });
    expect([first.code, first.err]).toEqual([0, '']);
    const { port } = new URL(first.viewer);
    const lines = first.out.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        `Viewer: http://127.0.0.1:${port}/`,
        `IIIF: http://127.0.0.1:${port}/iiif/3/`,
        `Step Functions API: http://127.0.0.1:${port}`,
        `All files are done. Open http://127.0.0.1:${port}/ in a browser. Ctrl-C ends the command.`,
      ]),
    );
    expect(lines.filter((line) => line.includes(' PUBLISHED '))).toHaveLength(1);

    const second = await serve(
      ['--port', '0'],
      async (origin) => {
        expect((await list(origin)).map(({ id }) => id)).toEqual(['photo #1']);
      },
      'SIGTERM',
    );
    expect([second.code, second.err]).toEqual([0, '']);
    expect(second.out).not.toContain('PUBLISHED');
    expect(existsSync(path.join(folder, '.stepwell', 'sample'))).toBe(false);
  });

  test('refuses a port that is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, out, err } = await runCommand(folder, ['in', '--serve', '--port', String(port)]);
    other.close();
    expect([code, out]).toEqual([2, '']);
    expect(err).toBe(
      `Expected a free port on 127.0.0.1 but received ${port}: another program uses it; choose another with --port\n`,
    );
  });
});
