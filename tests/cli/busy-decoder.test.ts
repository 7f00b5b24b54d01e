import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pdf } from '../support/pdf-fixtures.ts';
import { childrenOf, eventually, isRunning } from '../support/processes.ts';

let folder: string;
let command: ChildProcess | undefined;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-busy-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  command?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

test('the API and Ctrl-C are answered while a decoder works on a page that takes hours', async () => {
  // 69 megapixels at 300 dpi, filled 200,000 times.
  const content = '0 0 2000 2000 re f\n'.repeat(200_000);
  await writeFile(path.join(folder, 'in', 'fills.pdf'), pdf({ pages: [{ width: 2_000, height: 2_000, content }] }));
  const child = spawn(process.execPath, [path.resolve('src/cli/main.ts'), 'in'], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  command = child;
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  // The decoder may have started before the line that the command prints has arrived here.
  const endpoint = () => /^Step Functions API: (\S+)$/mu.exec(out)?.[1] ?? '';
  await eventually(() => childrenOf(child.pid).length > 0 && endpoint() !== '');
  const decoders = childrenOf(child.pid);
  const answer = await fetch(endpoint(), {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-amz-json-1.0', 'X-Amz-Target': 'AWSStepFunctions.ListStateMachines' },
    body: '{}',
    signal: AbortSignal.timeout(20_000),
  });
  expect(answer.status).toBeGreaterThanOrEqual(200);
  const ended = once(child, 'close');
  child.kill('SIGINT');
  const [code] = (await ended) as [number | null];
  expect(code).toBe(130);
  expect(out).toMatch(/^in\/fills\.pdf .* UNFINISHED/mu);
  await eventually(() => !decoders.some(isRunning));
});
