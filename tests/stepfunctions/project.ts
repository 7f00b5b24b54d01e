import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SFNClient } from '@aws-sdk/client-sfn';
import { type ServedApi, serveApi } from '../../src/stepfunctions/api.ts';
import { type Engine, type EngineOptions, startEngine } from '../../src/stepfunctions/engine.ts';
import { executionMigrations, sqliteExecutionStore } from '../../src/stepfunctions/sqlite-store.ts';
import type { FunctionHost, InvokeOptions } from '../../src/stepfunctions/function-host.ts';
import { openDatabase } from '../../src/database/database.ts';
import { type FunctionTable, readFunctions } from '../../src/local/functions.ts';
import { InvocationError } from '../../src/local/in-process-host.ts';
import type { Progress } from '../../src/stepfunctions/progress.ts';
import type { StatusChangeEvent } from '../../src/stepfunctions/status-event.ts';
import { eventually } from '../support/processes.ts';

const made: string[] = [];

/** An empty folder that `removeFolders` deletes. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'engine-'));
  made.push(path);
  return path;
}

export function removeFolders(): void {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
}

/**
 * A service with a function a name (`double` → `src/double.ts`), whose modules hold the given
 * source.
 */
export function service(
  modules: Readonly<Record<string, string>>,
  settings: Readonly<Record<string, { readonly timeout?: number; readonly memorySize?: number }>> = {},
): string {
  const root = folder();
  mkdirSync(join(root, 'src'));
  writeFileSync(join(root, 'package.json'), '{ "type": "module" }');
  const lines = Object.entries(modules).map(([key, source]) => {
    writeFileSync(join(root, 'src', `${key}.ts`), source);
    const { timeout = 30, memorySize = 256 } = settings[key] ?? {};
    return `  ${key}:\n    handler: src/${key}.handler\n    timeout: ${timeout}\n    memorySize: ${memorySize}\n`;
  });
  const file = join(root, 'serverless.yml');
  writeFileSync(
    file,
    `service: fixture\nprovider:\n  name: aws\n  role: !GetAtt Role.Arn\nfunctions:\n${lines.join('')}`,
  );
  return file;
}

/** Functions `a`, `b` and `c` of a service. */
export function functions(): FunctionTable {
  return readFunctions(service({ a: '', b: '', c: '' }));
}

export function definitionFile(definition: object, name = 'machine'): string {
  const file = join(folder(), `${name}.asl.yml`);
  writeFileSync(file, JSON.stringify(definition));
  return file;
}

export function task(key: string, more: object = {}): Record<string, unknown> {
  const id = `${key.charAt(0).toUpperCase()}${key.slice(1)}LambdaFunction`;
  return { Type: 'Task', Resource: { 'Fn::GetAtt': [id, 'Arn'] }, TimeoutSeconds: 20, End: true, ...more };
}

type Behaviour = (event: unknown, options: InvokeOptions) => unknown;

/**
 * A host whose functions are given here; what they throw is reported as Lambda would. Counts calls
 * by key.
 */
export function hostOf(behaviours: Readonly<Record<string, Behaviour>>): FunctionHost & { calls: [string, unknown][] } {
  const calls: [string, unknown][] = [];
  return {
    calls,
    async invoke(key, event, options = {}) {
      calls.push([key, event]);
      options.onStart?.();
      try {
        return await behaviours[key]?.(event, options);
      } catch (error) {
        const { name, message } = error as Error;
        throw new InvocationError(name, message);
      }
    },
  };
}

export function namedError(name: string, message = 'it broke'): Error {
  return Object.assign(new Error(message), { name });
}

export interface Fixture {
  engine: Engine;
  api: ServedApi;
  client: SFNClient;
  events: StatusChangeEvent[];
  progress: Progress[];
  directory: string;
  stop(): Promise<void>;
}

/** An engine on the database of a folder, its API, and a client of the API. */
export async function serve(
  options: Pick<EngineOptions, 'definitionFile' | 'host'> & Partial<EngineOptions> & { readonly directory?: string },
): Promise<Fixture> {
  const events: StatusChangeEvent[] = [];
  const progress: Progress[] = [];
  const directory = options.directory ?? folder();
  const database = openDatabase(join(directory, 'stepwell.db'), executionMigrations);
  const engine = startEngine({
    store: sqliteExecutionStore(database),
    functions: functions(),
    onStatusChange: (event) => {
      events.push(event);
    },
    onProgress: (step) => {
      progress.push(step);
    },
    ...options,
  });
  const api = await serveApi(engine);
  const client = new SFNClient({
    endpoint: api.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  const stop = async (): Promise<void> => {
    client.destroy();
    await api.stop();
    await engine.stop();
    database.close();
  };
  return { engine, api, client, events, progress, directory, stop };
}

/** A copy of the directory as a killed process would leave it. */
export function asIfKilled(directory: string): string {
  const copy = folder();
  cpSync(directory, copy, { recursive: true });
  return copy;
}

/** Resolves when the condition holds, with little delay. */
export function until(condition: () => boolean): Promise<void> {
  return eventually(condition, 1);
}
