import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { maxDelaySeconds, maxMapConcurrency, type Region, regionsOf, type State } from './asl.ts';
import { guards } from './asl-choices.ts';
import { isJsonObject, jsonCopy, type Json, type JsonObject } from './json.ts';

/**
 * A region in the engine's words. Tasks, Maps and Parallels are all tasks to the engine, bound to our own code: it then
 * knows which iteration calls, when an invocation really begins, and what a redrive must not repeat. Input and output
 * processing, Retry, Catch, Choice, Pass and Wait stay the engine's.
 */
export interface CompiledRegion {
  readonly startAt: string;
  readonly types: ReadonlyMap<string, State['Type']>;
  /** The definition to run from a state on. */
  from(state: string): StateMachineDefinition;
  readonly tasks: ReadonlyMap<string, { readonly timeoutSeconds: number; readonly resource: string }>;
  readonly groups: ReadonlyMap<string, Group>;
}

/** Regions that run side by side inside a state: once an item (Map), or once each (Parallel). */
export interface Group {
  readonly kind: 'Map' | 'Parallel';
  readonly regions: readonly CompiledRegion[];
  readonly maxConcurrency: number;
  /** Makes an item's input from the Map's input; none: the item is the input. */
  readonly itemSelector: StateMachineDefinition | undefined;
}

/** Where the context object's `Execution` goes: the engine overwrites the field of that name in every nested run. */
export const executionInContext = 'StatesExecution';

/** The engine's own timer never rings before ours, which starts with the invocation. */
const neverInTheEngine = { TimeoutSeconds: maxDelaySeconds - 1, Resource: 'arn:aws:lambda:::local' };

export function compileRegion(region: Region): CompiledRegion {
  const states = Object.entries(region.States);
  const engineStates = Object.fromEntries(states.map(([name, state]) => [name, engineState(state)]));
  return {
    startAt: region.StartAt,
    types: new Map(states.map(([name, state]) => [name, state.Type])),
    from: (state) => engineDefinition(state, engineStates),
    tasks: new Map(
      states
        .filter(([, state]) => state.Type === 'Task')
        .map(([name, state]) => [
          name,
          { timeoutSeconds: Number(state['TimeoutSeconds']), resource: state['Resource'] as string },
        ]),
    ),
    groups: new Map(
      states.flatMap(([name, state]): [string, Group][] =>
        state.Type === 'Map' || state.Type === 'Parallel' ? [[name, compileGroup(state, state.Type)]] : [],
      ),
    ),
  };
}

function compileGroup(state: State, kind: Group['kind']): Group {
  const selector = state['ItemSelector'];
  const item = { Type: 'Pass', Parameters: throughOurContext(selector ?? null), End: true };
  return {
    kind,
    regions: regionsOf(state).map(compileRegion),
    maxConcurrency: Number(state['MaxConcurrency'] ?? 0) || maxMapConcurrency,
    itemSelector: selector === undefined ? undefined : engineDefinition('Item', { Item: item }),
  };
}

function engineState(state: State): JsonObject {
  const copy = throughOurContext(jsonCopy(state)) as JsonObject;
  if (state.Type === 'Task') return { ...copy, ...neverInTheEngine };
  if (state.Type === 'Choice') return { ...copy, Choices: (copy['Choices'] as Json[]).map(guarded) };
  if (state.Type === 'Parallel') return { ...without(copy, ['Branches']), Type: 'Task', ...neverInTheEngine };
  if (state.Type !== 'Map') return copy;
  return {
    ...without(copy, ['ItemProcessor', 'ItemSelector', 'ItemsPath', 'MaxConcurrency']),
    Type: 'Task',
    ...neverInTheEngine,
    Parameters: { 'input.$': '$', 'items.$': state['ItemsPath'] ?? '$' },
  };
}

/** An order comparison holds only for a value of its kind; the engine would compare text with numbers. */
function guarded(rule: Json): Json {
  if (Array.isArray(rule)) return rule.map(guarded);
  if (!isJsonObject(rule)) return rule;
  const [operator, guard] = Object.entries(guards).find(([name]) => name in rule) ?? [];
  if (operator === undefined || guard === undefined) {
    return Object.fromEntries(
      Object.entries(rule).map(([key, value]) => [key, ['And', 'Or', 'Not'].includes(key) ? guarded(value) : value]),
    );
  }
  const { Next: next, Variable: variable = null, [operator]: bound = null } = rule;
  const both = {
    And: [
      { Variable: variable, [guard]: true },
      { Variable: variable, [operator]: bound },
    ],
  };
  return next === undefined ? both : { ...both, Next: next };
}

/** Points every `name.$` at our copy of the context object's Execution. */
function throughOurContext(value: Json): Json {
  if (Array.isArray(value)) return value.map(throughOurContext);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key.endsWith('.$') && typeof inner === 'string'
        ? inner.replace(/^\$\$\.Execution\b/u, `$$$$.${executionInContext}`)
        : throughOurContext(inner),
    ]),
  );
}

function without(value: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !fields.includes(key)));
}

/** The engine's types know only what they were written for; asl-rules.ts has checked the rest. */
function engineDefinition(startAt: string, states: JsonObject): StateMachineDefinition {
  return { StartAt: startAt, States: states } as unknown as StateMachineDefinition;
}
