import type { CompiledRegion, Group } from './compile.ts';
import { historyEvents, type NewEvent } from './history.ts';
import { isJsonObject, type Json } from './json.ts';
import { forgetBelow, type Note } from './resume.ts';
import { engineContext, evaluate, type RunPorts, runRegion, type Scope } from './run.ts';
import { UncatchableError } from './run-errors.ts';
import { slots } from './slots.ts';

/** A Map or Parallel state as it is called. */
export interface GroupCall {
  readonly name: string;
  readonly group: Group;
  /** Of a Parallel its input; of a Map `{ input, items }`. */
  readonly input: Json;
  /** This call takes up the one that an earlier run did not finish. */
  readonly resumes: boolean;
  /** Adds to the history behind the state that calls. */
  record(event: NewEvent, note?: Note): number;
}

/** Runs every iteration or branch and returns their outputs in order. The first that fails ends the others. */
export async function runGroup(ports: RunPorts, outer: Scope, call: GroupCall): Promise<Json> {
  const { group, name } = call;
  const path = `${outer.path}/${encodeURIComponent(name)}`;
  const { items, input } = membersOf(call);
  if (!call.resumes) forgetBelow(ports.recovered, path);
  const started = group.kind === 'Map' ? historyEvents.mapStateStarted(items.length) : { type: 'ParallelStateStarted' };
  const startedId = call.record(started, call.resumes ? undefined : { scope: path, fresh: true });
  const failing = new AbortController();
  let failure: { readonly error: unknown } | undefined;
  const signal = AbortSignal.any([outer.signal, failing.signal]);
  const places = slots(group.kind === 'Map' ? group.maxConcurrency : items.length || 1);
  const members = items.map(async (item, index) => {
    const release = await places.take(signal);
    try {
      const member = { path: `${path}#${index}`, index, firstEventId: startedId, signal };
      return await runMember(ports, call, member, { item, input, count: items.length });
    } catch (error) {
      failure ??= { error };
      failing.abort();
      throw error;
    } finally {
      release();
    }
  });
  try {
    const outputs = await Promise.all(members);
    call.record({ type: `${group.kind}StateSucceeded` });
    return outputs;
  } catch (error) {
    await Promise.allSettled(members);
    call.record({ type: `${group.kind}StateFailed` });
    throw failure ? failure.error : error;
  }
}

function membersOf({ group, input }: GroupCall): { items: Json[]; input: Json } {
  if (group.kind === 'Parallel') return { items: group.regions.map(() => input), input };
  const items = isJsonObject(input) ? input['items'] : undefined;
  if (!Array.isArray(items)) throw new UncatchableError('States.Runtime', 'Expected an array for ItemsPath');
  return { items, input: isJsonObject(input) ? (input['input'] ?? null) : null };
}

async function runMember(
  ports: RunPorts,
  { name, group }: GroupCall,
  scope: Scope & { readonly index: number },
  { item, input, count }: { item: Json; input: Json; count: number },
): Promise<Json> {
  const done = ports.recovered.outputs.get(scope.path);
  if (done !== undefined) return JSON.parse(done) as Json;
  const { index, signal } = scope;
  const region = group.regions[group.kind === 'Map' ? 0 : index];
  if (!region) throw new UncatchableError('States.Runtime', `Expected branch ${index} of ${name}`);
  if (group.kind === 'Map') return await runIteration(ports, region, scope, { name, group, item, input, count });
  const { path, firstEventId } = scope;
  const output = await runRegion(ports, region, { path, firstEventId, signal }, item);
  signal.throwIfAborted();
  ports.keep({ scope: scope.path, output: JSON.stringify(output) });
  return output;
}

interface Iteration {
  readonly name: string;
  readonly group: Group;
  readonly item: Json;
  readonly input: Json;
  readonly count: number;
}

async function runIteration(
  ports: RunPorts,
  region: CompiledRegion,
  scope: Scope & { readonly index: number },
  { name, group, item, input, count }: Iteration,
): Promise<Json> {
  const { index, signal } = scope;
  const at = { state: name, index, count };
  const startedId = ports.record(historyEvents.mapIteration('Started', name, index), scope.firstEventId);
  ports.progress({ kind: 'iteration-started', ...at });
  try {
    const own = await itemInput(ports, group, item, input, index);
    const output = await runRegion(ports, region, { ...scope, firstEventId: startedId }, own);
    signal.throwIfAborted();
    const note = { scope: scope.path, output: JSON.stringify(output) };
    ports.record(historyEvents.mapIteration('Succeeded', name, index), startedId, note);
    ports.progress({ kind: 'iteration-succeeded', ...at });
    return output;
  } catch (error) {
    ports.record(historyEvents.mapIteration(signal.aborted ? 'Aborted' : 'Failed', name, index), startedId);
    throw error;
  }
}

async function itemInput(ports: RunPorts, group: Group, item: Json, input: Json, index: number): Promise<Json> {
  if (!group.itemSelector) return item;
  const context = { ...engineContext(ports.context), Map: { Item: { Index: index, Value: item } } };
  return await evaluate(group.itemSelector, input, context);
}
