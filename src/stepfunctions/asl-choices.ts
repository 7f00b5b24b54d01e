import type { Complain } from './asl.ts';
import { checkPath } from './asl-paths.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const equalities = ['StringEquals', 'NumericEquals', 'BooleanEquals'];
const presences = ['IsNull', 'IsPresent', 'IsNumeric', 'IsString', 'IsBoolean', 'IsTimestamp'];

/** Order comparisons and the test that must hold first: the engine coerces where AWS does not match. */
export const guards: Readonly<Record<string, string>> = {
  StringLessThan: 'IsString',
  StringLessThanEquals: 'IsString',
  StringGreaterThan: 'IsString',
  StringGreaterThanEquals: 'IsString',
  NumericLessThan: 'IsNumeric',
  NumericLessThanEquals: 'IsNumeric',
  NumericGreaterThan: 'IsNumeric',
  NumericGreaterThanEquals: 'IsNumeric',
};

/** Choices: rules whose operators the engine evaluates as AWS does. */
export function checkChoices(value: Json | undefined, complain: Complain): void {
  if (!Array.isArray(value)) {
    complain('Choices', 'Expected a list');
    return;
  }
  value.forEach((rule, index) => {
    checkRule(`Choices[${index}]`, rule, ['Next', 'Comment'], complain);
  });
}

function checkRule(field: string, rule: Json, extra: string[], complain: Complain): void {
  if (!isJsonObject(rule)) {
    complain(field, 'Expected an object');
    return;
  }
  const operators = Object.keys(rule).filter((name) => name !== 'Variable' && !extra.includes(name));
  const [operator] = operators;
  if (operator === undefined || operators.length > 1) {
    complain(field, `Expected one operator but received ${operators.join(', ') || 'none'}`);
    return;
  }
  if (operator === 'And' || operator === 'Or') {
    const inner = rule[operator];
    if (!Array.isArray(inner)) complain(`${field}.${operator}`, 'Expected a list');
    else
      inner.forEach((each, index) => {
        checkRule(`${field}.${operator}[${index}]`, each, [], complain);
      });
  } else if (operator === 'Not') checkRule(`${field}.Not`, rule['Not'] ?? null, [], complain);
  else checkComparison(field, rule, operator, complain);
}

function checkComparison(field: string, rule: JsonObject, operator: string, complain: Complain): void {
  const at = `${field}.${operator}`;
  checkPath(`${field}.Variable`, rule['Variable'] ?? null, complain);
  if (presences.includes(operator)) {
    if (rule[operator] !== true) complain(at, 'the engine never matches false; write Not around true');
  } else if (!equalities.includes(operator) && !(operator in guards)) {
    complain(at, 'the embedded engine compares otherwise than AWS; compare with a literal, or in a function');
  }
}
