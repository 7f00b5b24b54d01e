/**
 * Expressions of payload templates: a reference path, or an intrinsic function whose arguments are
 * paths, literals or further intrinsic functions.
 * https://states-language.net/spec.html#intrinsic-functions
 */
import type { Json } from '../json.ts';
import { parseReferencePath, type PathScope, type ReferencePath, selectNode } from './reference-paths.ts';
import { StateError } from './state-errors.ts';

export type Expression =
  | { readonly kind: 'path'; readonly path: ReferencePath }
  /**
   * `raw` is the text between the quotes with its escapes, which States.Format interprets itself.
   */
  | { readonly kind: 'literal'; readonly value: Json; readonly raw: string }
  | { readonly kind: 'call'; readonly name: IntrinsicName; readonly arguments: readonly Expression[] };

export interface ExpressionScope extends PathScope {
  readonly uuid: () => string;
}

/** Evaluated arguments, and the first one as written, if it is a literal. */
type Intrinsic = (values: readonly Json[], scope: ExpressionScope, format: string | undefined) => Json;

const intrinsics = {
  'States.Array': (values) => [...values],
  'States.ArrayLength': ([list, ...others]) => {
    if (!Array.isArray(list) || others.length > 0) throw intrinsicFailure('States.ArrayLength takes one array');
    return list.length;
  },
  'States.Format': ([, ...values], _scope, format) => formatted(format, values),
  'States.JsonToString': ([value, ...others]) => {
    if (value === undefined || others.length > 0) throw intrinsicFailure('States.JsonToString takes one value');
    return JSON.stringify(value);
  },
  'States.StringToJson': ([text, ...others]) => {
    if (typeof text !== 'string' || others.length > 0) throw intrinsicFailure('States.StringToJson takes one string');
    try {
      return JSON.parse(text) as Json;
    } catch {
      throw intrinsicFailure('States.StringToJson takes JSON');
    }
  },
  'States.UUID': (values, { uuid }) => {
    if (values.length > 0) throw intrinsicFailure('States.UUID takes no arguments');
    return uuid();
  },
} satisfies Record<string, Intrinsic>;

type IntrinsicName = keyof typeof intrinsics;

/** Names of the intrinsic functions that the embedded engine has. */
const intrinsicNames: readonly string[] = Object.keys(intrinsics);

function formatted(format: string | undefined, values: readonly Json[]): string {
  if (format === undefined) throw intrinsicFailure('States.Format takes a template in quotes as its first argument');
  const remaining = [...values];
  const text = format.replace(/\\(?<escaped>.)|\{\}/gsu, (found: string, escaped: string | undefined) => {
    if (escaped !== undefined) return escaped;
    const value = remaining.shift();
    if (value === undefined || (typeof value === 'object' && value !== null)) {
      throw intrinsicFailure(`States.Format takes a string, number, boolean or null for every ${found}`);
    }
    return String(value);
  });
  if (remaining.length > 0) throw intrinsicFailure('States.Format takes as many values as its template has {}');
  return text;
}

function intrinsicFailure(message: string): StateError {
  return new StateError('States.IntrinsicFailure', message);
}

export function evaluateExpression(expression: Expression, scope: ExpressionScope): Json {
  if (expression.kind === 'path') return selectNode(expression.path, scope);
  if (expression.kind === 'literal') return expression.value;
  const values = expression.arguments.map((argument) => evaluateExpression(argument, scope));
  const [first] = expression.arguments;
  const run: Intrinsic = intrinsics[expression.name];
  return run(values, scope, first?.kind === 'literal' && typeof first.value === 'string' ? first.raw : undefined);
}

/** Every path inside an expression. */
export function pathsOf(expression: Expression): ReferencePath[] {
  if (expression.kind === 'path') return [expression.path];
  return expression.kind === 'call' ? expression.arguments.flatMap(pathsOf) : [];
}

/** Parses a path or an intrinsic function. Returns the reason as text when it is neither. */
export function parseExpression(text: string): Expression | string {
  if (text.startsWith('$')) {
    const path = parseReferencePath(text);
    return typeof path === 'string' ? path : { kind: 'path', path };
  }
  const reader = new ExpressionReader(text);
  try {
    const expression = reader.argument();
    if (expression.kind !== 'call' || !reader.isAtEnd()) throw new SyntaxError(unexpected(text));
    return expression;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function unexpected(text: string): string {
  return `Expected a reference path or an intrinsic function but received ${JSON.stringify(text)}`;
}

/** Reads the arguments of intrinsic functions from left to right. Throws SyntaxErrors. */
class ExpressionReader {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.#position === this.#text.length;
  }

  argument(): Expression {
    const name = this.#take(/States\.[A-Za-z0-9]+(?=\()/uy);
    if (name !== undefined) return this.#call(name);
    const quoted = this.#take(/'(?:[^'\\]|\\.)*'/suy);
    if (quoted !== undefined) {
      const raw = quoted.slice(1, -1);
      return { kind: 'literal', value: raw.replace(/\\(.)/gsu, '$1'), raw };
    }
    const path = this.#take(/\$(?:[^\s,()']|'[^']*')*/uy);
    if (path !== undefined) {
      const parsed = parseReferencePath(path);
      if (typeof parsed === 'string') throw new SyntaxError(parsed);
      return { kind: 'path', path: parsed };
    }
    const raw = this.#take(/-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/uy);
    if (raw === undefined) throw new SyntaxError(unexpected(this.#text));
    return { kind: 'literal', value: JSON.parse(raw) as Json, raw };
  }

  #call(name: string): Expression {
    if (!isIntrinsicName(name)) {
      throw new SyntaxError(`the embedded engine has no ${name}; it has ${intrinsicNames.join(', ')}`);
    }
    const given: Expression[] = [];
    this.#take(/\(\s*/uy);
    while (this.#take(/\s*\)/uy) === undefined) {
      if (given.length > 0 && this.#take(/\s*,\s*/uy) === undefined) throw new SyntaxError(unexpected(this.#text));
      given.push(this.argument());
    }
    return { kind: 'call', name, arguments: given };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#position = pattern.lastIndex;
    return found;
  }
}

function isIntrinsicName(name: string): name is IntrinsicName {
  return Object.hasOwn(intrinsics, name);
}
