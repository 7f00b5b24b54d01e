/** Runs the iterations of a Map or the branches of a Parallel concurrently. */
import { type MapState, maxMapConcurrency, type ParallelState, type RegionDefinition } from './asl/definition.ts';
import type { ExpressionScope } from './asl/intrinsics.ts';
import { evaluateTemplate } from './asl/payload-templates.ts';
import { selectNode } from './asl/reference-paths.ts';
import { runtimeError } from './asl/state-errors.ts';
import { historyEvents, type NewEvent } from './history.ts';
import type { Json } from './json.ts';
import { forgetGroup } from './recovery.ts';
import { type RunPorts, runRegion, type RunScope } from './region-run.ts';
import { runEnded } from './run-errors.ts';
import { slots } from './slots.ts';

/** A Map or Parallel state to run. */
export interface GroupCall {
  readonly name: string;
  readonly state: MapState | ParallelState;
  /** The effective input and the context of the state. */
  readonly scope: ExpressionScope;
  /** Whether this run continues one that an earlier run did not finish. */
  readonly resumes: boolean;
  /** Adds to the history after the last event of the state, and returns the event's id. */
  record(event: NewEvent): number;
}

/** An iteration or branch. */
interface Member {
  readonly region: RegionDefinition;
  readonly index: number;
  /** Number of iterations or branches. */
  readonly count: number;
  /** The item of an iteration; the input of a branch. */
  readonly item: Json;
}

/**
 * Runs every iteration or branch and returns their outputs in order. The first failure ends the
 * others.
 */
export async function runGroup(ports: RunPorts, outer: RunScope, call: GroupCall): Promise<Json[]> {
  const { name, state, resumes } = call;
  const path = `${outer.path}/${encodeURIComponent(name)}`;
  const members = membersOf(call);
  if (!resumes) forgetGroup(ports.recovered, path);
  const startedId = call.record(historyEvents.groupStarted(state.Type, members.length, resumes ? undefined : path));
  const failing = linkedController(outer.signal);
  const { signal } = failing;
  let failure: { readonly error: unknown } | undefined;
  const concurrency = slots(concurrencyOf(state));
  const runs = members.map(async (member) => {
    const release = await concurrency.take(signal);
    try {
      const scope = { path: `${path}#${member.index}`, firstEventId: startedId, signal };
      return await runMember(ports, call, scope, member);
    } catch (error) {
      failure ??= { error };
      failing.abort();
      throw error;
    } finally {
      release();
    }
  });
  try {
    const outputs = await Promise.all(runs);
    call.record(historyEvents.groupEnded(state.Type, 'Succeeded'));
    return outputs;
  } catch (error) {
    await Promise.allSettled(runs);
    call.record(historyEvents.groupEnded(state.Type, 'Failed'));
    throw failure ? failure.error : error;
  } finally {
    failing.unlink();
  }
}

function concurrencyOf(state: MapState | ParallelState): number {
  return state.Type === 'Map' ? state.MaxConcurrency || maxMapConcurrency : state.Branches.length;
}

function membersOf({ name, state, scope }: GroupCall): Member[] {
  if (state.Type === 'Parallel') {
    const count = state.Branches.length;
    return state.Branches.map((region, index) => ({ region, index, count, item: scope.input }));
  }
  const items = selectNode(state.ItemsPath, scope);
  if (!Array.isArray(items)) throw runtimeError(`Expected an array for ItemsPath of ${name}`);
  return items.map((item, index) => ({ region: state.ItemProcessor, index, count: items.length, item }));
}

/** Output of an iteration or branch; that of an earlier run if it was finished there. */
async function runMember(ports: RunPorts, call: GroupCall, scope: RunScope, member: Member): Promise<Json> {
  const finished = ports.recovered.outputs.get(scope.path);
  if (finished !== undefined) return JSON.parse(finished) as Json;
  const { state } = call;
  if (state.Type === 'Map') return await runIteration(ports, { ...call, state }, scope, member);
  const output = await runRegion(ports, member.region, scope, member.item);
  if (scope.signal.aborted) throw runEnded();
  return output;
}

async function runIteration(
  ports: RunPorts,
  { name, state, scope: { context, ...expressions } }: GroupCall & { readonly state: MapState },
  scope: RunScope,
  { region, index, count, item }: Member,
): Promise<Json> {
  const { signal } = scope;
  const startedId = ports.record(historyEvents.mapIteration('Started', name, index), scope.firstEventId);
  ports.progress({ kind: 'iteration-started', state: name, index, count });
  try {
    const selector = state.ItemSelector;
    const mapContext = { ...context, Map: { Item: { Index: index, Value: item } } };
    const input = selector ? evaluateTemplate(selector, { ...expressions, context: mapContext }) : item;
    const output = await runRegion(ports, region, { ...scope, index, firstEventId: startedId }, input);
    if (signal.aborted) throw runEnded();
    ports.record(historyEvents.mapIteration('Succeeded', name, index), startedId);
    ports.progress({ kind: 'iteration-succeeded', state: name, index, count });
    return output;
  } catch (error) {
    ports.record(historyEvents.mapIteration(signal.aborted ? 'Aborted' : 'Failed', name, index), startedId);
    throw error;
  }
}

/** A controller that is also aborted by another signal, until it is unlinked. */
function linkedController(outer: AbortSignal): { signal: AbortSignal; abort: () => void; unlink: () => void } {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort();
  };
  if (outer.aborted) abort();
  outer.addEventListener('abort', abort, { once: true });
  return {
    signal: controller.signal,
    abort,
    unlink: () => {
      outer.removeEventListener('abort', abort);
    },
  };
}
