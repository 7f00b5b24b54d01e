/** Conditions of Choice rules. https://states-language.net/spec.html#choice-state */
import { isJsonObject, type Json } from '../json.ts';
import { findNode, parseReferencePath, type PathScope, type ReferencePath, selectNode } from './reference-paths.ts';

export type ChoiceCondition =
  | { readonly kind: 'And' | 'Or'; readonly conditions: readonly ChoiceCondition[] }
  | { readonly kind: 'Not'; readonly condition: ChoiceCondition }
  /** IsPresent is the only operator whose variable may be missing. */
  | { readonly kind: 'IsPresent'; readonly variable: ReferencePath; readonly expected: boolean }
  | { readonly kind: 'test'; readonly variable: ReferencePath; readonly test: (value: Json) => boolean }
  | {
      readonly kind: 'comparison';
      readonly variable: ReferencePath;
      readonly comparison: Comparison;
      /** A literal, or the path of the value to compare with. */
      readonly bound: { readonly literal: Json } | { readonly path: ReferencePath };
    };

interface Comparison {
  /** "if the values are not both of the appropriate type the comparison will return false". */
  readonly applies: (value: Json) => boolean;
  readonly holds: (value: Json, bound: Json) => boolean;
}

const isText = (value: Json): value is string => typeof value === 'string';
const isNumber = (value: Json): value is number => typeof value === 'number';
const isBoolean = (value: Json): value is boolean => typeof value === 'boolean';

/**
 * RFC 3339 with the restrictions of the States Language: upper case T, and Z or a numeric offset.
 */
const timestamp = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/u;
const isTimestamp = (value: Json): value is string =>
  isText(value) && timestamp.test(value) && !Number.isNaN(Date.parse(value));

const orders = {
  Equals: (order: number) => order === 0,
  LessThan: (order: number) => order < 0,
  LessThanEquals: (order: number) => order <= 0,
  GreaterThan: (order: number) => order > 0,
  GreaterThanEquals: (order: number) => order >= 0,
};

const comparisons: ReadonlyMap<string, Comparison> = new Map([
  ...ordered('String', isText, (a, b) => (a === b ? 0 : a < b ? -1 : 1)),
  ...ordered('Numeric', isNumber, (a, b) => a - b),
  ...ordered('Timestamp', isTimestamp, (a, b) => Date.parse(a) - Date.parse(b)),
  ['BooleanEquals', comparison(isBoolean, (a, b) => a === b)],
  ['StringMatches', comparison(isText, matchesPattern)],
]);

/** Comparisons without a Path variant. */
const literalOnly = ['StringMatches'];

const typeTests: Readonly<Record<string, (value: Json) => boolean>> = {
  IsNull: (value) => value === null,
  IsNumeric: isNumber,
  IsString: isText,
  IsBoolean: isBoolean,
  IsTimestamp: isTimestamp,
};

function comparison<Value extends Json>(
  applies: (value: Json) => value is Value,
  holds: (value: Value, bound: Value) => boolean,
): Comparison {
  return { applies, holds: (value, bound) => applies(value) && applies(bound) && holds(value, bound) };
}

function ordered<Value extends Json>(
  type: string,
  applies: (value: Json) => value is Value,
  compare: (a: Value, b: Value) => number,
): [string, Comparison][] {
  return Object.entries(orders).map(([name, accepts]) => [
    `${type}${name}`,
    comparison(applies, (value, bound) => accepts(compare(value, bound))),
  ]);
}

/** `*` matches any characters; `\*` and `\\` match `*` and `\`. */
function matchesPattern(text: string, pattern: string): boolean {
  const source = pattern.replace(/\\(?<escaped>[*\\])|\*|[^*\\]+|\\/gsu, (part: string, escaped: string | undefined) =>
    part === '*' ? '.*' : (escaped ?? part).replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&'),
  );
  return new RegExp(`^${source}$`, 'su').test(text);
}

/**
 * Whether a condition holds. Throws States.Runtime when the variable of a comparison is missing.
 */
export function conditionHolds(condition: ChoiceCondition, scope: PathScope): boolean {
  switch (condition.kind) {
    case 'And':
      return condition.conditions.every((inner) => conditionHolds(inner, scope));
    case 'Or':
      return condition.conditions.some((inner) => conditionHolds(inner, scope));
    case 'Not':
      return !conditionHolds(condition.condition, scope);
    case 'IsPresent':
      return (findNode(condition.variable, scope) !== undefined) === condition.expected;
    case 'test':
      return condition.test(selectNode(condition.variable, scope));
    case 'comparison': {
      const { bound } = condition;
      const right = 'path' in bound ? selectNode(bound.path, scope) : bound.literal;
      return condition.comparison.holds(selectNode(condition.variable, scope), right);
    }
  }
}

/**
 * Compiles a condition without its rule's Next and Comment. Returns undefined after a problem was
 * reported.
 */
export function compileCondition(
  rule: Json,
  report: (path: readonly (string | number)[], why: string) => void,
  path: readonly (string | number)[] = [],
): ChoiceCondition | undefined {
  if (!isJsonObject(rule)) {
    report(path, 'Expected an object');
    return undefined;
  }
  const operators = Object.keys(rule).filter((name) => name !== 'Variable');
  const [operator] = operators;
  if (operator === undefined || operators.length > 1) {
    report(path, `Expected one operator but received ${operators.join(', ') || 'none'}`);
    return undefined;
  }
  const operand = rule[operator] ?? null;
  const at = [...path, operator];
  if (operator !== 'And' && operator !== 'Or' && operator !== 'Not') {
    return compileTest(rule['Variable'] ?? null, operator, operand, (name, why) => {
      report([...path, name], why);
    });
  }
  if ('Variable' in rule) report([...path, 'Variable'], `Expected no Variable beside ${operator}`);
  if (operator === 'Not') {
    const condition = compileCondition(operand, report, at);
    return condition && { kind: 'Not', condition };
  }
  if (!Array.isArray(operand) || operand.length === 0) {
    report(at, 'Expected a list of conditions');
    return undefined;
  }
  const conditions = operand.map((inner, index) => compileCondition(inner, report, [...at, index]));
  const valid = conditions.filter((inner) => inner !== undefined);
  return valid.length === conditions.length ? { kind: operator, conditions: valid } : undefined;
}

function compileTest(
  variableText: Json,
  operator: string,
  operand: Json,
  report: (field: string, why: string) => void,
): ChoiceCondition | undefined {
  const refuse = (why: string): ChoiceCondition | undefined => {
    report(operator, why);
    return undefined;
  };
  const variable = readPath(variableText, (why) => {
    report('Variable', why);
  });
  const test = typeTests[operator];
  if (operator === 'IsPresent' || test) {
    if (!isBoolean(operand)) return refuse('Expected true or false');
    if (!variable) return undefined;
    if (!test) return { kind: 'IsPresent', variable, expected: operand };
    return { kind: 'test', variable, test: (value) => test(value) === operand };
  }
  const found = comparisons.get(operator);
  if (found) {
    if (!found.applies(operand))
      return refuse(`Expected another type of value but received ${JSON.stringify(operand)}`);
    return variable && { kind: 'comparison', variable, comparison: found, bound: { literal: operand } };
  }
  const name = operator.replace(/Path$/u, '');
  const byPath = name === operator || literalOnly.includes(name) ? undefined : comparisons.get(name);
  if (!byPath) return refuse('the States Language has no such comparison');
  const path = readPath(operand, refuse);
  return path && variable && { kind: 'comparison', variable, comparison: byPath, bound: { path } };
}

function readPath(text: Json, report: (why: string) => void): ReferencePath | undefined {
  const path = isText(text)
    ? parseReferencePath(text)
    : `Expected a reference path but received ${JSON.stringify(text)}`;
  if (typeof path !== 'string') return path;
  report(path);
  return undefined;
}
