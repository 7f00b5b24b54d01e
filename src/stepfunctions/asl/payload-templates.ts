/**
 * Payload templates (Parameters, ItemSelector, ResultSelector): JSON in which a member `name.$` is
 * replaced by `name` with the value of an expression.
 * https://states-language.net/spec.html#payload-template
 */
import { isJsonObject, type Json } from '../json.ts';
import { evaluateExpression, type Expression, type ExpressionScope, parseExpression, pathsOf } from './intrinsics.ts';
import { isMapItemPath } from './reference-paths.ts';

export type PayloadTemplate =
  | { readonly kind: 'constant'; readonly value: Json }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | { readonly kind: 'array'; readonly items: readonly PayloadTemplate[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, PayloadTemplate])[] };

/** Reports what is wrong with a template, at a path inside it. */
type ReportProblem = (path: readonly (string | number)[], why: string) => void;

/** Compiles a template; problems go to `report`. `allowsMapItem` says that `$$.Map.Item` exists. */
export function compileTemplate(
  value: Json,
  { allowsMapItem }: { readonly allowsMapItem: boolean },
  report: ReportProblem,
  path: readonly (string | number)[] = [],
): PayloadTemplate {
  const compile = (inner: Json, name: string | number): PayloadTemplate =>
    compileTemplate(inner, { allowsMapItem }, report, [...path, name]);
  if (Array.isArray(value)) {
    const items = value.map(compile);
    return items.every(isConstant) ? { kind: 'constant', value } : { kind: 'array', items };
  }
  if (!isJsonObject(value)) return { kind: 'constant', value };
  const members = Object.entries(value).map(([key, inner]): [string, PayloadTemplate] => {
    if (!key.endsWith('.$')) return [key, compile(inner, key)];
    const name = key.slice(0, -2);
    if (Object.hasOwn(value, name)) report([...path, key], `Expected ${name} or ${key}, not both`);
    return [
      name,
      compileExpression(inner, allowsMapItem, (why) => {
        report([...path, key], why);
      }),
    ];
  });
  return members.every(([, member]) => isConstant(member)) ? { kind: 'constant', value } : { kind: 'object', members };
}

function compileExpression(value: Json, allowsMapItem: boolean, report: (why: string) => void): PayloadTemplate {
  const expression =
    typeof value === 'string'
      ? parseExpression(value)
      : `Expected a reference path or an intrinsic function but received ${JSON.stringify(value)}`;
  if (typeof expression === 'string') {
    report(expression);
    return { kind: 'constant', value: null };
  }
  if (!allowsMapItem && pathsOf(expression).some(isMapItemPath)) {
    report("$$.Map.Item exists in a Map's ItemSelector only; select it into the item there");
  }
  return { kind: 'expression', expression };
}

function isConstant({ kind }: PayloadTemplate): boolean {
  return kind === 'constant';
}

export function evaluateTemplate(template: PayloadTemplate, scope: ExpressionScope): Json {
  if (template.kind === 'constant') return template.value;
  if (template.kind === 'expression') return evaluateExpression(template.expression, scope);
  if (template.kind === 'array') return template.items.map((item) => evaluateTemplate(item, scope));
  return Object.fromEntries(template.members.map(([name, member]) => [name, evaluateTemplate(member, scope)]));
}
