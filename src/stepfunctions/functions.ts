import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../errors.ts';

/** A function of serverless.yml. */
export interface LocalFunction {
  readonly key: string;
  /** Path of the handler's module without its extension. */
  readonly module: string;
  /** Name of the handler's export. */
  readonly exportName: string;
  readonly timeoutMs: number;
  /** Bytes that it has on Lambda, where processor time comes with memory. */
  readonly memory: number;
}

export interface FunctionTable {
  readonly byKey: ReadonlyMap<string, LocalFunction>;
  /** By CloudFormation logical id. */
  readonly byLogicalId: ReadonlyMap<string, LocalFunction>;
  /** By the name a Lambda ARN carries: the function's `name`, or its key. */
  readonly byName: ReadonlyMap<string, LocalFunction>;
}

export interface InvokeOptions {
  /** Milliseconds from where the invocation begins; the function's own timeout holds as well. */
  readonly timeoutMs?: number;
  /** Aborted while the invocation waits for its turn, it never begins. */
  readonly signal?: AbortSignal;
  /** Called when the invocation begins. */
  readonly onStart?: () => void;
}

/** Where functions run. */
export interface FunctionHost {
  /**
   * Resolves with the function's result as JSON. Rejects as Step Functions would see it: `name` is the error type and
   * `message` the JSON cause; `States.Timeout` when `timeoutMs` ran out first.
   */
  invoke(functionKey: string, event: unknown, options?: InvokeOptions): Promise<unknown>;
}

const resources = { timeout: z.number().positive().optional(), memorySize: z.number().positive().optional() };

const serviceFile = z.object({
  provider: z.looseObject({ ...resources }).optional(),
  functions: z.record(
    z.string(),
    z.looseObject({
      handler: z.string().regex(/^[^$]+\.[A-Za-z_$][\w$]*$/u, 'Expected <module>.<export>'),
      name: z.string().optional(),
      ...resources,
    }),
  ),
});

/** What Serverless gives a function that names none. Seconds; megabytes. */
const defaults = { timeout: 6, memorySize: 1024 };

/** The functions of a serverless.yml. Handler paths are relative to its folder. Throws a UsageError. */
export function readFunctions(file: string): FunctionTable {
  const document = parseDocument(readFileSync(file, 'utf8'), { merge: true, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem) throw new UsageError(`Expected YAML in ${file}: ${problem.message}`);
  const parsed = serviceFile.safeParse(document.toJS());
  if (!parsed.success) throw new UsageError(`Expected functions in ${file}:\n${z.prettifyError(parsed.error)}`);
  const byKey = new Map<string, LocalFunction>();
  const byLogicalId = new Map<string, LocalFunction>();
  const byName = new Map<string, LocalFunction>();
  const { provider } = parsed.data;
  for (const [key, { handler, name, timeout, memorySize }] of Object.entries(parsed.data.functions)) {
    const dot = handler.lastIndexOf('.');
    const bound: LocalFunction = {
      key,
      module: resolve(dirname(file), handler.slice(0, dot)),
      exportName: handler.slice(dot + 1),
      timeoutMs: (timeout ?? provider?.timeout ?? defaults.timeout) * 1000,
      memory: (memorySize ?? provider?.memorySize ?? defaults.memorySize) * 2 ** 20,
    };
    byKey.set(key, bound);
    byLogicalId.set(logicalId(key), bound);
    byName.set(key, bound);
    if (name !== undefined) byName.set(name, bound);
  }
  return { byKey, byLogicalId, byName };
}

/** The logical id that Serverless gives a function (`getLambdaLogicalId` in lib/plugins/aws/lib/naming.js). */
export function logicalId(key: string): string {
  const normalized = key.replace(/-/gu, 'Dash').replace(/_/gu, 'Underscore');
  return `${normalized.charAt(0).toUpperCase()}${normalized.slice(1)}LambdaFunction`;
}

export function functionArn(key: string): string {
  return `arn:aws:lambda:us-east-1:000000000000:function:${key}`;
}
