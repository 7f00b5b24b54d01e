/** The viewer of `npm start -- --serve`, and Debian's chromium. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Browser, chromium } from 'playwright-core';
import { project } from './command-line.ts';
import { chromiumProgram } from './programs.ts';

export interface ServedViewer {
  /** Without `/` at its end. */
  readonly origin: string;
  stop(): Promise<void>;
}

/** Starts `npm start -- --serve` on any port. Resolves when all files are published. */
export async function serveViewer(argv: readonly string[]): Promise<ServedViewer> {
  const child = spawn('npm', ['start', '--silent', '--', ...argv, '--serve', '--port', '0'], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const printed: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(line);
    const origin = /Open (?<origin>http:\/\/\S+)\/ in a browser/u.exec(line)?.groups?.['origin'];
    if (origin === undefined) continue;
    return {
      origin,
      stop: async () => {
        child.stdout.resume();
        child.kill('SIGTERM');
        await ended;
      },
    };
  }
  throw new Error(`Expected npm start -- --serve to serve but it printed: ${printed.join('\n')}`);
}

export function startChromium(): Promise<Browser> {
  // chromium refuses its sandbox to root, which runs .ci/run.
  return chromium.launch({ executablePath: chromiumProgram, args: ['--no-sandbox', '--disable-gpu'] });
}
