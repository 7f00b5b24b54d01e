import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { UsageError } from '../errors.ts';
import type { Ports } from '../runtime.ts';
import type { FunctionHost, InvokeOptions } from '../stepfunctions/function-host.ts';
import { type Json, jsonCopy } from '../stepfunctions/json.ts';
import { slots } from '../stepfunctions/slots.ts';
import type { FunctionTable, LocalFunction } from './functions.ts';
import { importModule } from './import-module.ts';

type Handler = (event: Json, context: object) => unknown;

/**
 * A failed invocation as Step Functions reports it: `name` is the error type, `message` the JSON
 * cause.
 */
export class InvocationError extends Error {
  constructor(errorType: string, errorMessage: string, trace: readonly string[] = []) {
    super(JSON.stringify({ errorType, errorMessage, trace }));
    this.name = errorType;
  }
}

/** Memory at which Lambda provides one vCPU (AWS Lambda, Configure memory). Bytes. */
const ONE_CORE_MEMORY = 1769 * 2 ** 20;
/**
 * Default number of compute-bound functions that run concurrently; each may use more than one core.
 */
const COMPUTE_BOUND_FUNCTIONS = availableParallelism();
/** Number of I/O-bound functions that may run concurrently per compute-bound one. */
const IO_BOUND_FUNCTIONS = 4;

/**
 * Runs functions in this process. Functions with more than one vCPU on Lambda are compute-bound:
 * `concurrency` of them run at a time. Of the others, which are I/O-bound, four times as many run.
 * Further invocations are queued. Events and results are copied through JSON. `ports` are passed to
 * the functions in their context. A function that exceeds its timeout cannot be terminated: its
 * result is discarded and its slot is released.
 */
export function inProcessHost(
  functions: FunctionTable,
  { concurrency = COMPUTE_BOUND_FUNCTIONS, ports }: { concurrency?: number; ports?: Promise<Ports> } = {},
): FunctionHost {
  const computing = slots(concurrency);
  const waiting = slots(IO_BOUND_FUNCTIONS * concurrency);
  return {
    async invoke(functionKey, event, options = {}) {
      const bound = functions.byKey.get(functionKey);
      if (!bound)
        throw new UsageError(
          `Expected one of the functions ${[...functions.byKey.keys()].join(', ')} but received ${functionKey}`,
        );
      const payload = jsonCopy(event);
      const slotsOfKind = bound.memory > ONE_CORE_MEMORY ? computing : waiting;
      const release = await slotsOfKind.take(options.signal);
      try {
        options.onStart?.();
        return await runWithin(bound, payload, await ports, options);
      } finally {
        release();
      }
    },
  };
}

async function runWithin(
  bound: LocalFunction,
  payload: Json,
  ports: Ports | undefined,
  { timeoutMs, signal }: InvokeOptions,
): Promise<Json> {
  const limit = Math.min(bound.timeoutMs, timeoutMs ?? Number.POSITIVE_INFINITY);
  const stateTimesOut = timeoutMs !== undefined && timeoutMs <= bound.timeoutMs;
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(stateTimesOut ? stateTimeout() : functionTimeout(limit));
  }, limit);
  const onAbort = (): void => {
    timer.unref();
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([run(bound, payload, ports, performance.now() + limit), over]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function stateTimeout(): Error {
  const error = new Error('');
  error.name = 'States.Timeout';
  return error;
}

function functionTimeout(limitMs: number): Error {
  return new InvocationError('Sandbox.Timedout', `Task timed out after ${(limitMs / 1000).toFixed(2)} seconds`);
}

async function run(bound: LocalFunction, payload: Json, ports: Ports | undefined, deadline: number): Promise<Json> {
  try {
    const handler = await handlerOf(bound);
    const context = {
      functionName: bound.key,
      awsRequestId: randomUUID(),
      ports,
      getRemainingTimeInMillis: () => Math.max(0, Math.round(deadline - performance.now())),
    };
    return jsonCopy(await handler(payload, context));
  } catch (thrown) {
    throw asInvocationError(thrown);
  }
}

const handlers = new WeakMap<LocalFunction, Handler>();

/** A function's handler, which is imported at its first invocation. */
async function handlerOf(bound: LocalFunction): Promise<Handler> {
  const known = handlers.get(bound);
  if (known) return known;
  const handler = await importHandler(bound);
  handlers.set(bound, handler);
  return handler;
}

async function importHandler({ module, exportName }: LocalFunction): Promise<Handler> {
  const file = ['.ts', '.js', '.mjs'].map((extension) => `${module}${extension}`).find((path) => existsSync(path));
  if (file === undefined)
    throw new InvocationError('Runtime.ImportModuleError', `Error: Cannot find module '${module}'`);
  const exported = await importModule(file);
  const handler = exported[exportName];
  if (typeof handler !== 'function') {
    throw new InvocationError('Runtime.HandlerNotFound', `${file}.${exportName} is undefined or not exported`);
  }
  return handler as Handler;
}

/**
 * Name, message and stack of an error as Lambda reports them; other thrown values are reported by
 * their type.
 */
function asInvocationError(thrown: unknown): InvocationError {
  if (thrown instanceof InvocationError) return thrown;
  if (isErrorLike(thrown)) return new InvocationError(thrown.name, thrown.message, (thrown.stack ?? '').split('\n'));
  return new InvocationError(typeof thrown, String(thrown));
}

/** Checked by shape, because a handler's errors may come from another realm. */
function isErrorLike(thrown: unknown): thrown is Error {
  return typeof thrown === 'object' && thrown !== null && 'name' in thrown && 'message' in thrown;
}
