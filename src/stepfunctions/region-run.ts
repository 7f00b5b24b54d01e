/**
 * Runs the states of one region: the whole state machine, an iteration of a Map, or a branch of a
 * Parallel.
 */
import type { RegionDefinition, StateDefinition, TaskState } from './asl/definition.ts';
import { RetryPolicy } from './asl/error-handlers.ts';
import type { ExpressionScope } from './asl/intrinsics.ts';
import {
  caught,
  chosenState,
  failStateError,
  type FallibleState,
  outputOf,
  parametersOf,
  resultOfPass,
  selectOrEmpty,
  type StateTransition,
} from './asl/state-data.ts';
import { assertPayloadSize, type Failure, failureOf, runtimeError, StateError } from './asl/state-errors.ts';
import type { FunctionHost } from './function-host.ts';
import { runGroup } from './group-run.ts';
import { historyEvents, type NewEvent } from './history.ts';
import type { Json, JsonObject } from './json.ts';
import type { ProgressStep } from './progress.ts';
import type { RecoveredScopes } from './recovery.ts';
import { runEnded, untilAborted } from './run-errors.ts';
import type { BoundFunction } from './state-machine.ts';
import type { Sleep } from './timing.ts';

/** The environment of the run of one execution. */
export interface RunPorts {
  readonly functions: ReadonlyMap<string, BoundFunction>;
  readonly host: FunctionHost;
  /** `Execution` and `StateMachine` of the context object. */
  readonly context: { readonly Execution: JsonObject; readonly StateMachine: JsonObject };
  /** The progress of earlier runs; empty unless this is a redrive. */
  readonly recovered: RecoveredScopes;
  readonly clock: () => Date;
  readonly sleep: Sleep;
  /** 0 to 1, for the jitter of retries. */
  readonly random: () => number;
  readonly uuid: () => string;
  /** Adds an event to the history and returns its id. */
  record(event: NewEvent, previousEventId: number): number;
  progress(step: ProgressStep): void;
}

/** One run of a region. */
export interface RunScope {
  /** See `ScopeMark`. */
  readonly path: string;
  /** Index of the item; only in an iteration of a Map. */
  readonly index?: number;
  /** Id of the event before the first one of this run. */
  readonly firstEventId: number;
  /** Aborted when the run must end. */
  readonly signal: AbortSignal;
}

/** Runs a region to its end and returns its output. Rejects with an error that no state catches. */
export async function runRegion(
  ports: RunPorts,
  region: RegionDefinition,
  scope: RunScope,
  input: Json,
): Promise<Json> {
  return await new RegionRun(ports, region, scope).run(input);
}

class RegionRun {
  readonly #ports: RunPorts;
  readonly #region: RegionDefinition;
  readonly #scope: RunScope;
  #lastEventId: number;
  /**
   * Cache of the last JSON text: the output of a state is usually the input of the next one and of
   * its function.
   */
  #written: { readonly value: Json; readonly text: string } = { value: null, text: 'null' };

  constructor(ports: RunPorts, region: RegionDefinition, scope: RunScope) {
    this.#ports = ports;
    this.#region = region;
    this.#scope = scope;
    this.#lastEventId = scope.firstEventId;
  }

  async run(input: Json): Promise<Json> {
    const entered = this.#ports.recovered.entered.get(this.#scope.path);
    let name: string | undefined = entered?.state ?? this.#region.StartAt;
    let value = entered ? (JSON.parse(entered.input) as Json) : input;
    // Only the first state of a redrive can have finished iterations or branches.
    let resumes = entered !== undefined;
    while (name !== undefined) {
      const state: StateDefinition | undefined = this.#region.States[name];
      if (!state)
        throw runtimeError(`Expected a state ${name}; the definition has changed since the execution started`);
      const { output, next } = await this.#runState(name, state, value, resumes);
      [name, value, resumes] = [next, output, false];
    }
    return value;
  }

  async #runState(name: string, state: StateDefinition, input: Json, resumes: boolean): Promise<StateTransition> {
    const { signal, path } = this.#scope;
    if (signal.aborted) throw runEnded();
    const text = this.#textOf(input);
    assertPayloadSize(`the input of state ${name}`, text);
    this.#record(historyEvents.stateEntered(state.Type, name, text, path));
    this.#progress('state-entered', name);
    const transition = await this.#transition(name, state, input, resumes);
    const ended = transition.next === undefined && path !== '' ? path : undefined;
    this.#record(historyEvents.stateExited(state.Type, name, this.#textOf(transition.output), ended));
    this.#progress('state-exited', name);
    return transition;
  }

  async #transition(name: string, state: StateDefinition, input: Json, resumes: boolean): Promise<StateTransition> {
    const scope = this.#scopeFor(name, input);
    if (state.Type === 'Fail') throw failStateError(state, scope);
    const selected = selectOrEmpty(state.InputPath, scope);
    const inner = { ...scope, input: selected };
    switch (state.Type) {
      case 'Succeed':
        return { output: selectOrEmpty(state.OutputPath, inner), next: undefined };
      case 'Choice':
        return { output: selectOrEmpty(state.OutputPath, inner), next: chosenState(name, state, inner) };
      case 'Wait':
        await this.#wait(state.Seconds);
        return { output: selectOrEmpty(state.OutputPath, inner), next: state.Next };
      case 'Pass':
        return { output: outputOf(state, scope, resultOfPass(state, inner)), next: state.Next };
      default:
        return await this.#runFallible(name, state, scope, inner, resumes);
    }
  }

  /** Runs a Task, Map or Parallel with its retries, and applies the catcher when they fail. */
  async #runFallible(
    name: string,
    state: FallibleState,
    scope: ExpressionScope,
    inner: ExpressionScope,
    resumes: boolean,
  ): Promise<StateTransition> {
    const retries = new RetryPolicy(state.Retry, this.#ports.random);
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await this.#runOnce(name, state, inner, resumes && attempt === 1);
        return { output: outputOf(state, scope, result), next: state.Next };
      } catch (error) {
        if (this.#scope.signal.aborted) throw runEnded();
        if (error instanceof StateError && error.isTerminal) throw error;
        const failure = failureOf(error);
        const delay = retries.nextDelaySeconds(failure);
        if (delay === undefined) return caught(state, scope.input, failure, error);
        const { error: errorName = '', cause = '' } = failure;
        this.#ports.progress({ kind: 'task-retried', ...this.#at(name), attempt, error: errorName, cause });
        await this.#wait(delay);
        inner = { ...inner, context: this.#contextFor(name, attempt) };
      }
    }
  }

  async #runOnce(name: string, state: FallibleState, inner: ExpressionScope, resumes: boolean): Promise<Json> {
    if (state.Type === 'Task') return await this.#invoke(name, state, parametersOf(state, inner));
    const outputs = await runGroup(this.#ports, this.#scope, {
      name,
      state,
      scope: state.Type === 'Map' ? inner : { ...inner, input: parametersOf(state, inner) },
      resumes,
      record: (event) => this.#record(event),
    });
    assertPayloadSize(`a result of state ${name}`, this.#textOf(outputs));
    return outputs;
  }

  async #invoke(name: string, state: TaskState, input: Json): Promise<Json> {
    const { signal } = this.#scope;
    const { key, arn } = this.#ports.functions.get(name) ?? { key: name, arn: name };
    const payload = this.#textOf(input);
    assertPayloadSize(`the input of state ${name}`, payload);
    this.#record(historyEvents.lambdaScheduled(arn, payload, state.TimeoutSeconds));
    try {
      const invocation = this.#ports.host.invoke(key, input, {
        timeoutMs: state.TimeoutSeconds * 1000,
        signal,
        onStart: () => this.#record(historyEvents.lambdaStarted),
      });
      const result = await untilAborted(invocation, signal);
      // The result of a function that returns nothing is null.
      const text = (JSON.stringify(result) as string | undefined) ?? 'null';
      assertPayloadSize(`a result of state ${name}`, text);
      this.#record(historyEvents.lambdaSucceeded(text));
      return JSON.parse(text) as Json;
    } catch (error) {
      if (!signal.aborted) this.#record(lambdaFailure(failureOf(error)));
      throw error;
    }
  }

  async #wait(seconds: number): Promise<void> {
    if (!(await this.#ports.sleep(seconds * 1000, this.#scope.signal))) throw runEnded();
  }

  #scopeFor(name: string, input: Json): ExpressionScope {
    return { input, context: this.#contextFor(name, 0), uuid: this.#ports.uuid };
  }

  #contextFor(name: string, retryCount: number): JsonObject {
    const entered = this.#ports.clock();
    const state = {
      Name: name,
      // A getter, because the time is rarely selected and formatting it takes time.
      get EnteredTime(): string {
        return entered.toISOString();
      },
      RetryCount: retryCount,
    };
    return { ...this.#ports.context, State: state };
  }

  #textOf(value: Json): string {
    if (this.#written.value !== value) this.#written = { value, text: JSON.stringify(value) };
    return this.#written.text;
  }

  #record(event: NewEvent): number {
    if (!this.#scope.signal.aborted) this.#lastEventId = this.#ports.record(event, this.#lastEventId);
    return this.#lastEventId;
  }

  #progress(kind: 'state-entered' | 'state-exited', name: string): void {
    if (!this.#scope.signal.aborted) this.#ports.progress({ kind, ...this.#at(name) });
  }

  #at(name: string): { readonly state: string; readonly index?: number } {
    const { index } = this.#scope;
    return index === undefined ? { state: name } : { state: name, index };
  }
}

function lambdaFailure(failure: Failure): NewEvent {
  const type = failure.error === 'States.Timeout' ? 'LambdaFunctionTimedOut' : 'LambdaFunctionFailed';
  return historyEvents.lambdaEnded(type, failure);
}
