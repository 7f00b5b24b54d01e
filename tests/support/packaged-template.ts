/**
 * The output of `serverless package`: the CloudFormation template and the zips. Packaged once for
 * each content of the project's files, from a copy, so that neither `.serverless` nor another test
 * run is disturbed.
 *
 * STEPWELL_PACKAGE_DIR names a directory that was packaged already (`npm run package`, then
 * `.serverless`), STEPWELL_SMALL_PACKAGE_DIR one with the parameter memory=small.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { MemoryClass } from '../../src/limits.ts';
import { readZip } from './zip.ts';

export const projectRoot = join(import.meta.dirname, '..', '..');

const inputs = [
  'serverless.yml',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'layers',
  'recipes',
  'resources',
  'serverless-plugins',
  'src',
  'state-machines',
];

/**
 * Time for packaging, also the timeout of hooks that wait for it. A loaded machine takes minutes.
 * Milliseconds.
 */
export const PACKAGING_MS = 600_000;
const KEPT_MS = 24 * 3_600_000;

export const Resource = z.looseObject({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  Condition: z.string().optional(),
  DependsOn: z.union([z.string(), z.array(z.string())]).optional(),
  DeletionPolicy: z.string().optional(),
});
export type Resource = z.infer<typeof Resource>;

const Template = z.looseObject({
  Parameters: z.record(z.string(), z.unknown()).default({}),
  Conditions: z.record(z.string(), z.unknown()).default({}),
  Resources: z.record(z.string(), Resource),
  Outputs: z.record(z.string(), z.unknown()).default({}),
});
export type Template = z.infer<typeof Template>;

export interface Package {
  readonly template: Template;
  /** Output of the framework while packaging; undefined when the package was made beforehand. */
  readonly log: string | undefined;
  /** The files of a function's or a layer's zip. */
  zip(name: string): Map<string, Buffer>;
}

const givenDirectories: Readonly<Record<MemoryClass, string>> = {
  standard: 'STEPWELL_PACKAGE_DIR',
  small: 'STEPWELL_SMALL_PACKAGE_DIR',
};

/** The package of a stage with this parameter `memory`. */
export async function packaged(memory: MemoryClass = 'standard'): Promise<Package> {
  const given = process.env[givenDirectories[memory]];
  const directory = given ?? (await packageOnce(memory));
  const file = join(directory, 'cloudformation-template-update-stack.json');
  const zips = new Map<string, Map<string, Buffer>>();
  return {
    template: Template.parse(JSON.parse(readFileSync(file, 'utf8'))),
    log: given === undefined ? readFileSync(join(directory, 'package.log'), 'utf8') : undefined,
    zip(name) {
      const files = zips.get(name) ?? readZip(join(directory, `${name}.zip`));
      zips.set(name, files);
      return files;
    },
  };
}

async function packageOnce(memory: MemoryClass): Promise<string> {
  const cache = join(projectRoot, 'node_modules', '.cache', 'stepwell-package');
  const directory = join(cache, `${contentHash()}-${memory}`);
  const complete = join(directory, 'package.log');
  const lock = `${directory}.lock`;
  mkdirSync(cache, { recursive: true });
  removeOlder(cache, KEPT_MS);
  while (!existsSync(complete)) {
    if (!take(lock)) {
      if (isAbandoned(lock)) rmSync(lock, { force: true });
      await sleep(200);
      continue;
    }
    try {
      if (!existsSync(complete)) writeFileSync(complete, packageInto(directory, memory));
    } finally {
      rmSync(lock, { force: true });
    }
  }
  return directory;
}

/**
 * Packages a copy of the project and returns the framework's output. Node does not run TypeScript
 * below node_modules.
 */
function packageInto(directory: string, memory: MemoryClass): string {
  const work = join(tmpdir(), `stepwell-package-${process.pid}`);
  execFileSync(process.execPath, [join(projectRoot, 'layers', 'build.ts')], { stdio: 'pipe' });
  rmSync(work, { recursive: true, force: true });
  for (const input of inputs) cpSync(join(projectRoot, input), join(work, input), { recursive: true });
  symlinkSync(join(projectRoot, 'node_modules'), join(work, 'node_modules'));
  try {
    const options = ['--stage', 'dev', '--package', directory, '--param', `memory=${memory}`];
    const serverless = join(projectRoot, 'node_modules', 'serverless', 'bin', 'serverless.js');
    return execFileSync('sh', ['-c', '"$0" "$@" 2>&1', process.execPath, serverless, 'package', ...options], {
      cwd: work,
      env: withoutAccount(process.env),
      encoding: 'utf8',
      timeout: PACKAGING_MS,
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The environment without AWS credentials: packaging must not need an account. */
function withoutAccount(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !name.startsWith('AWS_') && name !== 'NODE_OPTIONS');
  return { ...Object.fromEntries(kept), AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_CONFIG_FILE: '/dev/null' };
}

function contentHash(): string {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of filesBelow(input)) hash.update(`${file}\0`).update(readFileSync(join(projectRoot, file)));
  }
  return hash.digest('hex').slice(0, 16);
}

/** All files, sorted, without installed modules (the lock file represents them). */
function filesBelow(path: string): string[] {
  if (!statSync(join(projectRoot, path)).isDirectory()) return [path];
  return readdirSync(join(projectRoot, path), { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(^|[\\/])node_modules([\\/]|$)/u.test(name))
    .map((name) => join(path, name))
    .filter((name) => statSync(join(projectRoot, name)).isFile())
    .sort();
}

/** Creates the lock with this process's number in it; false when it exists. */
function take(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    return false;
  }
}

/** Whether the process that took the lock has ended without releasing it. */
function isAbandoned(lock: string): boolean {
  try {
    const holder = Number(readFileSync(lock, 'utf8'));
    if (holder > 0) process.kill(holder, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function age(path: string): number {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

function removeOlder(directory: string, milliseconds: number): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (age(path) > milliseconds) rmSync(path, { recursive: true, force: true });
  }
}
