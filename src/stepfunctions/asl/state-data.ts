/** Computes the effective input, the result and the output of a state from its fields. */
import { conditionHolds } from './choice-conditions.ts';
import type { ChoiceState, FailState, MapState, ParallelState, PassState, TaskState } from './definition.ts';
import { matchesError } from './error-handlers.ts';
import { evaluateExpression, type Expression, type ExpressionScope } from './intrinsics.ts';
import { evaluateTemplate, type PayloadTemplate } from './payload-templates.ts';
import { insertNode, type ReferencePath, selectNode } from './reference-paths.ts';
import { type Failure, FailStateError, runtimeError, StateError } from './state-errors.ts';
import type { Json } from '../json.ts';

/** Output of a state, and the state that follows; undefined at the end of the region. */
export interface StateTransition {
  readonly output: Json;
  readonly next: string | undefined;
}

/** States that retry and catch errors. */
export type FallibleState = TaskState | MapState | ParallelState;

/** InputPath and OutputPath; null selects an empty object. */
export function selectOrEmpty(path: ReferencePath | null, scope: ExpressionScope): Json {
  return path === null ? {} : selectNode(path, scope);
}

export function parametersOf(
  { Parameters: template }: { readonly Parameters?: PayloadTemplate | undefined },
  scope: ExpressionScope,
): Json {
  return template ? evaluateTemplate(template, scope) : scope.input;
}

export function resultOfPass(state: PassState, scope: ExpressionScope): Json {
  return state.Result === undefined ? parametersOf(state, scope) : state.Result;
}

/** ResultSelector, ResultPath (into the state's own input) and OutputPath, in this order. */
export function outputOf(
  state: {
    readonly ResultSelector?: PayloadTemplate | undefined;
    readonly ResultPath: ReferencePath | null;
    readonly OutputPath: ReferencePath | null;
  },
  scope: ExpressionScope,
  result: Json,
): Json {
  const { ResultSelector: selector, ResultPath: resultPath } = state;
  const selected = selector ? evaluateTemplate(selector, { ...scope, input: result }) : result;
  const output = resultPath === null ? scope.input : insertNode(resultPath, scope.input, selected);
  return selectOrEmpty(state.OutputPath, { ...scope, input: output });
}

export function chosenState(name: string, state: ChoiceState, scope: ExpressionScope): string {
  const next = state.Choices.find(({ condition }) => conditionHolds(condition, scope))?.Next ?? state.Default;
  if (next === undefined) throw new StateError('States.NoChoiceMatched', `Expected a choice of ${name} to match`);
  return next;
}

export function failStateError(state: FailState, scope: ExpressionScope): FailStateError {
  const error = state.ErrorPath ? textOf(state.ErrorPath, scope) : state.Error;
  const cause = state.CausePath ? textOf(state.CausePath, scope) : state.Cause;
  return new FailStateError({ ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) });
}

function textOf(expression: Expression, scope: ExpressionScope): string {
  const value = evaluateExpression(expression, scope);
  if (typeof value !== 'string') throw runtimeError('Expected ErrorPath and CausePath to select text');
  return value;
}

/** The transition of the first catcher that matches a failure. Throws `error` if there is none. */
export function caught(state: FallibleState, input: Json, failure: Failure, error: unknown): StateTransition {
  const catcher = state.Catch.find((candidate) => matchesError(candidate, failure));
  if (!catcher) throw error;
  const { ResultPath: resultPath, Next: next } = catcher;
  const { error: name, cause } = failure;
  const output = { ...(name === undefined ? {} : { Error: name }), ...(cause === undefined ? {} : { Cause: cause }) };
  return { output: resultPath === null ? input : insertNode(resultPath, input, output), next };
}
