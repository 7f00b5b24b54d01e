/**
 * Schemas of the values that fields of states have; parsing compiles paths, templates and
 * conditions.
 */
import { z } from 'zod';
import type { Json, JsonObject } from '../json.ts';
import { compileCondition } from './choice-conditions.ts';
import { type Expression, parseExpression } from './intrinsics.ts';
import { compileTemplate, type PayloadTemplate } from './payload-templates.ts';
import { isMapItemPath, parseReferencePath, type ReferencePath, wholeInput } from './reference-paths.ts';

/** Names of states have at most 80 characters on AWS. */
export const stateName = z.string().min(1).max(80);

export function integer(least: number, most: number): z.ZodNumber {
  const error = `Expected an integer of ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
}

/** A path into the input or the context object. */
const path = z.string().transform((text, context): ReferencePath => {
  const parsed = parseReferencePath(text);
  const problem =
    typeof parsed === 'string' ? parsed : isMapItemPath(parsed) ? 'Expected no $$.Map.Item outside ItemSelector' : '';
  if (typeof parsed !== 'string' && problem === '') return parsed;
  context.issues.push({ code: 'custom', message: problem, input: text });
  return z.NEVER;
});

/** InputPath, OutputPath: null stands for an empty object. */
export const nullablePath = z.nullable(path).default(wholeInput);

export const itemsPath = path.default(wholeInput);

/** ResultPath: null drops the result. Not into the context object. */
export const resultPath = z
  .nullable(path.refine(({ root }) => root === 'input', { error: 'Expected a path below $' }))
  .default(wholeInput);

/** ErrorPath and CausePath. */
export const textExpression = z.string().transform((text, context): Expression => {
  const parsed = parseExpression(text);
  if (typeof parsed !== 'string') return parsed;
  context.issues.push({ code: 'custom', message: parsed, input: text });
  return z.NEVER;
});

/** Any JSON value; unlike z.json() it does not copy. */
export const anyJson = z.custom<Json>((value) => value !== undefined);

/** Parameters and ResultSelector, or with `allowsMapItem` an ItemSelector. */
export function template(options: { readonly allowsMapItem: boolean }): z.ZodType<PayloadTemplate, Json> {
  return anyJson.transform((value, context) =>
    compileTemplate(value, options, (at, message) => {
      context.issues.push({ code: 'custom', message, input: value, path: [...at] });
    }),
  );
}

/** A Choice rule: one condition, and the state that follows when it holds. */
export const choiceRule = z
  .looseObject({ Next: stateName, Comment: z.string().optional() })
  .transform(({ Next, ...others }, context) => {
    const rule = Object.fromEntries(Object.entries(others).filter(([name]) => name !== 'Comment')) as JsonObject;
    const condition = compileCondition(rule, (at, message) => {
      context.issues.push({ code: 'custom', message, input: rule, path: [...at] });
    });
    return condition ? { Next, condition } : z.NEVER;
  });
