/**
 * Reference paths, the JSONPath expressions that select one node: `$`, `$.a.b`, `$[0].a`, `$['a
 * b']`, and the same below `$$`, the context object.
 * https://states-language.net/spec.html#ref-paths
 */
import { isJsonObject, type Json, type JsonObject } from '../json.ts';
import { runtimeError, StateError } from './state-errors.ts';

export interface ReferencePath {
  /** As written in the definition. */
  readonly text: string;
  readonly root: 'input' | 'context';
  /** Member names and array indexes, outermost first. */
  readonly steps: readonly (string | number)[];
}

/** The documents that the paths of a state are evaluated on. */
export interface PathScope {
  /** The document that `$` stands for. */
  readonly input: Json;
  /** The document that `$$` stands for. */
  readonly context: JsonObject;
}

export const wholeInput: ReferencePath = { text: '$', root: 'input', steps: [] };

const step = /\.(?<name>[\p{L}\p{N}_-]+)|\['(?<quoted>[^'\\]+)'\]|\[(?<index>0|[1-9]\d*)\]/uy;

/**
 * Fields of the context object that both engines have. Execution.Input may be followed by any path.
 * https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
 */
const contextFields = [
  'Execution.Id',
  'Execution.Name',
  'Execution.StartTime',
  'Execution.RedriveCount',
  'Execution.Input',
  'StateMachine.Id',
  'StateMachine.Name',
  'State.Name',
  'State.EnteredTime',
  'State.RetryCount',
  'Map.Item.Index',
  'Map.Item.Value',
];

/** Context fields whose values are documents with paths of their own. */
const contextDocuments = ['Execution.Input', 'Map.Item.Value'];

/** Parses a path. Returns the reason as text when it is not a reference path. */
export function parseReferencePath(text: string): ReferencePath | string {
  const root = text.startsWith('$$') ? 'context' : 'input';
  const steps: (string | number)[] = [];
  step.lastIndex = root === 'context' ? 2 : 1;
  while (text.startsWith('$') && step.lastIndex < text.length) {
    const match = step.exec(text)?.groups;
    if (!match) break;
    steps.push(match['name'] ?? match['quoted'] ?? Number(match['index']));
  }
  const isWhole = text.startsWith('$') && step.lastIndex === text.length;
  if (!isWhole) return `Expected a reference path like $.a.b or $[0] but received ${JSON.stringify(text)}`;
  if (root === 'context' && !isContextField(steps)) {
    return `the embedded engine has no ${text} in its context object; it has ${contextFields.join(', ')}`;
  }
  return { text, root, steps };
}

function isContextField(steps: readonly (string | number)[]): boolean {
  const name = steps.join('.');
  return contextFields.includes(name) || contextDocuments.some((document) => name.startsWith(`${document}.`));
}

/** `$$.Map.Item…`, which AWS supports in the ItemSelector of the Map only. */
export function isMapItemPath({ root, steps }: ReferencePath): boolean {
  return root === 'context' && steps[0] === 'Map';
}

/** The node that a path selects, or undefined when there is none. */
export function findNode({ root, steps }: ReferencePath, scope: PathScope): Json | undefined {
  let node: Json | undefined = scope[root];
  for (const name of steps) {
    if (typeof name === 'number') node = Array.isArray(node) ? node[name] : undefined;
    else node = isJsonObject(node) && Object.hasOwn(node, name) ? node[name] : undefined;
    if (node === undefined) return undefined;
  }
  return node;
}

/** The node that a path selects. Throws States.Runtime when there is none. */
export function selectNode(path: ReferencePath, scope: PathScope): Json {
  const node = findNode(path, scope);
  if (node === undefined) throw runtimeError(`Expected ${path.text} in the input but found no such field`);
  return node;
}

/**
 * A copy of `input` with `result` at a path; missing objects on the path are created. Throws
 * States.ResultPathMatchFailure when the path leads through a value of another kind.
 */
export function insertNode({ text, steps }: ReferencePath, input: Json, result: Json): Json {
  return insertBelow(text, steps, input, result);
}

function insertBelow(text: string, [name, ...rest]: ReferencePath['steps'], node: Json, result: Json): Json {
  if (name === undefined) return result;
  if (typeof name === 'number') {
    if (!Array.isArray(node) || name >= node.length) throw resultPathMismatch(text);
    return node.with(name, insertBelow(text, rest, node[name] ?? null, result));
  }
  if (!isJsonObject(node)) throw resultPathMismatch(text);
  const inner = Object.hasOwn(node, name) ? (node[name] ?? null) : {};
  return { ...node, [name]: insertBelow(text, rest, inner, result) };
}

function resultPathMismatch(text: string): StateError {
  return new StateError('States.ResultPathMatchFailure', `Expected an input that ResultPath ${text} can be set in`);
}
