import type { Json, JsonObject } from './json.ts';

/** States of a state machine, of a Map's ItemProcessor or of a branch of a Parallel. */
export interface Region {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export const stateTypes = ['Task', 'Map', 'Parallel', 'Pass', 'Wait', 'Choice', 'Succeed', 'Fail'] as const;
export type StateType = (typeof stateTypes)[number];

/** A state whose fields were checked by `asl-rules.ts`. */
export type State = JsonObject & { readonly Type: StateType };

/** A rule broken: where, and what to write instead. */
export type Complain = (field: string, why: string) => void;

/** Lambda task payloads and state outputs. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html */
export const maxPayloadBytes = 262_144;

/** The engine hands delays to setTimeout, which fires at once beyond 2^31 ms. */
export const maxDelaySeconds = 2_000_000;

/** What an inline Map runs at once on AWS at most. */
export const maxMapConcurrency = 40;

/** The regions inside a state: a Map's item processor, a Parallel's branches, or none. */
export function regionsOf(state: State): Region[] {
  if (state.Type === 'Map') return [state['ItemProcessor'] as unknown as Region];
  if (state.Type === 'Parallel') return state['Branches'] as unknown as Region[];
  return [];
}

export function isPositiveInteger(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0;
}
