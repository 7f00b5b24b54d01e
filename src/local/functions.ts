import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { UsageError } from '../errors.ts';
import type { FunctionResolver } from '../stepfunctions/function-host.ts';

/** A function of serverless.yml. */
export interface LocalFunction {
  readonly key: string;
  /** Path of the handler's module without its extension. */
  readonly module: string;
  /** Name of the handler's export. */
  readonly exportName: string;
  readonly timeoutMs: number;
  /** Memory on Lambda in bytes; processor time is proportional to it. */
  readonly memory: number;
}

/** The functions of a service, by which the embedded engine resolves the names in a definition. */
export class FunctionTable implements FunctionResolver {
  readonly byKey: ReadonlyMap<string, LocalFunction>;
  readonly #keysByLogicalId: ReadonlyMap<string, string>;
  readonly #keysByName: ReadonlyMap<string, string>;

  /** `names` maps the names of functions on Lambda to their keys. */
  constructor(functions: readonly LocalFunction[], names: ReadonlyMap<string, string> = new Map()) {
    this.byKey = new Map(functions.map((each) => [each.key, each]));
    this.#keysByLogicalId = new Map(functions.map(({ key }) => [logicalId(key), key]));
    this.#keysByName = new Map([...functions.map(({ key }) => [key, key] as const), ...names]);
  }

  byLogicalId(id: string): string | undefined {
    return this.#keysByLogicalId.get(id);
  }

  byName(name: string): string | undefined {
    return this.#keysByName.get(name);
  }
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

/** Defaults of Serverless. Seconds and MiB. */
const defaults = { timeout: 6, memorySize: 1024 };

/**
 * The functions of a serverless.yml. Handler paths are relative to its folder. Throws a UsageError.
 */
export function readFunctions(file: string): FunctionTable {
  const document = parseDocument(readFileSync(file, 'utf8'), { merge: true, logLevel: 'silent' });
  const [problem] = document.errors;
  if (problem) throw new UsageError(`Expected YAML in ${file}: ${problem.message}`);
  const parsed = serviceFile.safeParse(document.toJS());
  if (!parsed.success) throw new UsageError(`Expected functions in ${file}:\n${z.prettifyError(parsed.error)}`);
  const { provider, functions } = parsed.data;
  const names = new Map<string, string>();
  const bound = Object.entries(functions).map(([key, { handler, name, timeout, memorySize }]): LocalFunction => {
    const dot = handler.lastIndexOf('.');
    if (name !== undefined) names.set(name, key);
    return {
      key,
      module: resolve(dirname(file), handler.slice(0, dot)),
      exportName: handler.slice(dot + 1),
      timeoutMs: (timeout ?? provider?.timeout ?? defaults.timeout) * 1000,
      memory: (memorySize ?? provider?.memorySize ?? defaults.memorySize) * 2 ** 20,
    };
  });
  return new FunctionTable(bound, names);
}

/**
 * The logical id that Serverless gives a function (`getLambdaLogicalId` in
 * lib/plugins/aws/lib/naming.js).
 */
export function logicalId(key: string): string {
  const normalized = key.replace(/-/gu, 'Dash').replace(/_/gu, 'Underscore');
  return `${normalized.charAt(0).toUpperCase()}${normalized.slice(1)}LambdaFunction`;
}
