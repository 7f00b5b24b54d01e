/** Problems of a definition, reported by state and field. */
import type { z } from 'zod';
import { regionsOf, type RegionDefinition, type StateDefinition } from './definition.ts';

type ReportProblem = (state: string, field: string, why: string) => void;

/** Replacements for AWS fields that the engine does not support. */
const advice: Readonly<Record<string, string>> = {
  TimeoutSecondsPath: 'write TimeoutSeconds',
  HeartbeatSeconds: 'the engine has no heartbeats',
  HeartbeatSecondsPath: 'the engine has no heartbeats',
  Iterator: 'write ItemProcessor',
  MaxConcurrencyPath: 'write MaxConcurrency',
  SecondsPath: 'write Seconds',
  Timestamp: 'write Seconds',
  TimestampPath: 'write Seconds',
};

/** The report lines of schema issues, one per field. */
export function schemaProblems(error: z.ZodError): string[] {
  const problems: string[] = [];
  const report = reporter(problems);
  for (const issue of error.issues) {
    const { state, field } = locate(issue.path);
    if (issue.code !== 'unrecognized_keys') report(state, field, issue.message);
    else {
      for (const key of issue.keys) {
        const why = advice[key] ?? 'the States Language of the embedded engine has no such field here';
        report(state, field === '' ? key : `${field}.${key}`, why);
      }
    }
  }
  return problems;
}

/** A function that adds a line for each problem; the state '' is the state machine itself. */
export function reporter(problems: string[]): ReportProblem {
  return (state, field, why) => {
    problems.push(`${state === '' ? 'state machine' : `state ${state}`}${field === '' ? '' : `, ${field}`}: ${why}`);
  };
}

/** The innermost state on the path to a value, and the rest of the path as a field. */
function locate(path: readonly PropertyKey[]): { state: string; field: string } {
  let state = '';
  let rest = path;
  for (;;) {
    const toStates = rest[0] === 'ItemProcessor' ? 1 : rest[0] === 'Branches' ? 2 : 0;
    if (rest[toStates] !== 'States' || rest.length < toStates + 2) return { state, field: fieldName(rest) };
    state = String(rest[toStates + 1]);
    rest = rest.slice(toStates + 2);
  }
}

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((name) => (typeof name === 'number' ? `[${name}]` : `.${String(name)}`))
    .join('')
    .replace(/^\./u, '');
}

/**
 * Problems between states: names that are used twice, transitions to missing states,
 * unreachable states, states with neither or both of Next and End. The codes are those of AWS.
 */
export function structuralProblems(definition: RegionDefinition): string[] {
  const problems: string[] = [];
  checkRegion(definition, '', new Set(), reporter(problems));
  return problems;
}

function checkRegion(region: RegionDefinition, owner: string, names: Set<string>, report: ReportProblem): void {
  const reached = new Set<string>();
  const follow = (from: string, field: string, target: string): void => {
    reached.add(target);
    if (Object.hasOwn(region.States, target)) return;
    report(from, field, `MISSING_TRANSITION_TARGET: Expected the name of a state beside it but received ${target}`);
  };
  follow(owner, 'StartAt', region.StartAt);
  for (const [name, state] of Object.entries(region.States)) {
    if (names.has(name)) report(name, 'name', 'DUPLICATE_STATE_NAME: Expected every name once in a state machine');
    names.add(name);
    checkEnd(name, state, report);
    for (const [field, target] of targetsOf(state)) follow(name, field, target);
  }
  for (const [name, state] of Object.entries(region.States)) {
    if (!reached.has(name)) report(name, 'name', 'MISSING_TRANSITION_TARGET: Expected a transition to every state');
    for (const inner of regionsOf(state)) checkRegion(inner, name, names, report);
  }
}

function checkEnd(name: string, state: StateDefinition, report: ReportProblem): void {
  if (state.Type === 'Choice' || state.Type === 'Succeed' || state.Type === 'Fail') return;
  if ((state.Next !== undefined) === (state.End === true)) report(name, 'Next', 'Expected either Next or End: true');
}

function targetsOf(state: StateDefinition): [field: string, target: string][] {
  const targets: [string, string][] = [];
  if ('Next' in state && state.Next !== undefined) targets.push(['Next', state.Next]);
  if ('Catch' in state) state.Catch.forEach(({ Next: next }, index) => targets.push([`Catch[${index}].Next`, next]));
  if (state.Type === 'Choice') {
    state.Choices.forEach(({ Next: next }, index) => targets.push([`Choices[${index}].Next`, next]));
    if (state.Default !== undefined) targets.push(['Default', state.Default]);
  }
  return targets;
}
