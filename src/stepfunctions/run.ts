import { type RunOptions, StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { type CompiledRegion, executionInContext } from './compile.ts';
import type { FunctionHost } from './functions.ts';
import type { Failure, NewEvent } from './history.ts';
import { historyEvents } from './history.ts';
import { jsonCopy, type Json, type JsonObject } from './json.ts';
import type { ProgressStep } from './progress.ts';
import { checkPayload, ended, failureOf, untilAborted, unwrapped } from './run-errors.ts';
import { runGroup } from './run-group.ts';
import type { Note, Recovered } from './resume.ts';

/** What one execution's run needs of the world. */
export interface RunPorts {
  readonly tasks: ReadonlyMap<string, string>;
  readonly host: FunctionHost;
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: { readonly Execution: JsonObject; readonly StateMachine: JsonObject };
  /** What an earlier run got done; empty unless this is a redrive. */
  readonly recovered: Recovered;
  /** Adds an event to the history and returns its id. */
  record(event: NewEvent, previousEventId: number, note?: Note): number;
  /** Keeps a note that belongs to no event. */
  keep(note: Note): void;
  progress(step: ProgressStep): void;
}

/** One run of a region: the whole state machine, an iteration of a Map or a branch of a Parallel. */
export interface Scope {
  /** '' for the state machine, then `/<state>#<index>` for every level below. */
  readonly path: string;
  /** Of an iteration of a Map. */
  readonly index?: number;
  /** The event before this run's first one. */
  readonly firstEventId: number;
  /** Aborted when the run shall go no further. */
  readonly signal: AbortSignal;
}

/** Runs a region to its end and returns its output; rejects with the error that no state caught. */
export async function runRegion(ports: RunPorts, region: CompiledRegion, scope: Scope, input: Json): Promise<Json> {
  return await new RegionRun(ports, region, scope).run(input);
}

/** Runs a definition of Pass states, which cannot wait or fail but for a path that leads nowhere. */
export async function evaluate(definition: StateMachineDefinition, input: Json, context: JsonObject): Promise<Json> {
  try {
    return await engineFor(definition).run(input, { context }).result;
  } catch (error) {
    throw unwrapped(error);
  }
}

export function engineContext({ Execution: execution, ...others }: RunPorts['context']): JsonObject {
  return { ...others, [executionInContext]: execution };
}

function engineFor(definition: StateMachineDefinition): StateMachine {
  return new StateMachine(definition, { validationOptions: { noValidate: true } });
}

type EngineRun = ReturnType<StateMachine['run']>;
type EngineEvent = EngineRun['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;
type StateEvent = Extract<EngineEvent, { state: unknown }>;

class RegionRun {
  private lastEventId: number;
  private current: string | undefined;
  private lastFailure: Required<Failure> = { error: '', cause: '' };
  private fault: unknown;
  /** The engine's run has no more events. */
  private over = false;
  private wake = Promise.withResolvers<undefined>();
  /** The state to take up again rather than to start; each call of it after the first is a fresh one. */
  private resuming: string | undefined;
  private readonly ports: RunPorts;
  private readonly region: CompiledRegion;
  private readonly scope: Scope;

  constructor(ports: RunPorts, region: CompiledRegion, scope: Scope) {
    this.ports = ports;
    this.region = region;
    this.scope = scope;
    this.lastEventId = scope.firstEventId;
  }

  async run(input: Json): Promise<Json> {
    this.scope.signal.throwIfAborted();
    const entered = this.ports.recovered.entered.get(this.scope.path);
    this.resuming = entered?.state;
    const options: RunOptions = {
      context: engineContext(this.ports.context),
      overrides: { taskResourceLocalHandlers: this.handlers() },
    };
    const engineRun = engineFor(this.region.from(entered?.state ?? this.region.startAt)).run(
      entered ? (JSON.parse(entered.input) as Json) : input,
      options,
    );
    this.scope.signal.addEventListener('abort', engineRun.abort, { once: true });
    const followed = this.follow(engineRun);
    try {
      return await engineRun.result;
    } catch (error) {
      throw this.fault ?? unwrapped(error);
    } finally {
      this.scope.signal.removeEventListener('abort', engineRun.abort);
      await followed;
    }
  }

  /** What the engine calls for a task: a function, or the regions of a Map or Parallel. */
  private handlers(): Record<string, (input: Json) => Promise<Json>> {
    const invoke = [...this.region.tasks.keys()].map(
      (name) => [name, (input: Json) => this.invoke(name, input)] as const,
    );
    const group = [...this.region.groups].map(
      ([name, members]) =>
        [
          name,
          async (input: Json): Promise<Json> => {
            await this.enteredState(name);
            const resumes = this.resuming === name;
            this.resuming = undefined;
            return await runGroup(this.ports, this.scope, {
              name,
              group: members,
              input,
              resumes,
              record: this.record,
            });
          },
        ] as const,
    );
    return Object.fromEntries([...invoke, ...group]);
  }

  private async invoke(name: string, input: Json): Promise<Json> {
    await this.enteredState(name);
    const { signal } = this.scope;
    const { resource, timeoutSeconds } = this.region.tasks.get(name) ?? { resource: '', timeoutSeconds: 0 };
    const payload = JSON.stringify(input);
    checkPayload(`the input of state ${name}`, payload);
    this.record(historyEvents.lambdaScheduled(resource, payload, timeoutSeconds));
    try {
      const invocation = this.ports.host.invoke(this.ports.tasks.get(name) ?? '', input, {
        timeoutMs: timeoutSeconds * 1000,
        signal,
        onStart: () => this.record({ type: 'LambdaFunctionStarted' }),
      });
      const result = await untilAborted(invocation, signal);
      const output = jsonCopy(result);
      checkPayload(`a result of state ${name}`, JSON.stringify(output));
      this.record(historyEvents.lambdaSucceeded(JSON.stringify(output)));
      return output;
    } catch (error) {
      if (signal.aborted) throw ended();
      const failure = failureOf(error);
      const timedOut = failure.error === 'States.Timeout';
      this.record(historyEvents.lambdaEnded(timedOut ? 'LambdaFunctionTimedOut' : 'LambdaFunctionFailed', failure));
      throw error;
    }
  }

  private readonly record = (event: NewEvent, note?: Note): number => {
    if (!this.scope.signal.aborted) this.lastEventId = this.ports.record(event, this.lastEventId, note);
    return this.lastEventId;
  };

  /** The engine reports a state a moment after it calls its handler; the history has them in order. */
  private async enteredState(name: string): Promise<void> {
    while (this.current !== name && !this.over) await this.wake.promise;
    if (this.over || this.scope.signal.aborted) throw ended();
  }

  private async follow(engineRun: EngineRun): Promise<void> {
    for await (const event of engineRun.eventLogs) {
      if (!('state' in event) || this.fault !== undefined) continue;
      try {
        this.onStateEvent(event);
      } catch (error) {
        this.fault = error;
        engineRun.abort();
      }
      this.wake.resolve(undefined);
      this.wake = Promise.withResolvers<undefined>();
    }
    this.over = true;
    this.wake.resolve(undefined);
  }

  private onStateEvent(event: StateEvent): void {
    const { name, input, output } = event.state;
    const at = { state: name, ...(this.scope.index === undefined ? {} : { index: this.scope.index }) };
    const type = this.region.types.get(name) ?? 'Task';
    if (event.type === 'StateEntered') {
      const text = JSON.stringify(input);
      checkPayload(`the input of state ${name}`, text);
      this.record(historyEvents.stateEntered(type, name, text), { scope: this.scope.path, entered: name });
      this.current = name;
      if (this.resuming !== undefined && this.resuming !== name) this.resuming = undefined;
      this.ports.progress({ kind: 'state-entered', ...at });
    } else if (event.type === 'StateExited') {
      this.current = undefined;
      this.record(historyEvents.stateExited(type, name, JSON.stringify(output ?? null)));
      this.ports.progress({ kind: 'state-exited', ...at });
    } else if (event.type === 'StateFailed') {
      this.lastFailure = { error: event.Error, cause: String(event.Cause) };
    } else if (event.type === 'StateRetried') {
      this.ports.progress({ kind: 'task-retried', ...at, attempt: event.retry.attempt, ...this.lastFailure });
    }
  }
}
