import { describe, expect, test } from '@jest/globals';
import { compileCondition, conditionHolds } from '../../../src/stepfunctions/asl/choice-conditions.ts';
import type { Json } from '../../../src/stepfunctions/json.ts';

const input: Json = {
  text: 'abc',
  number: 20,
  yes: true,
  nothing: null,
  empty: '',
  zero: 0,
  time: '2026-03-01T12:00:00Z',
  other: { text: 'abd', number: 20, time: '2026-03-01T13:00:00.5+02:00' },
  list: ['first'],
};

function holds(rule: Json): boolean {
  const problems: string[] = [];
  const condition = compileCondition(rule, (path, why) => problems.push(`${path.join('.')}: ${why}`));
  if (!condition) throw new Error(problems.join());
  return conditionHolds(condition, { input, context: { Execution: { Name: 'abc' } } });
}

describe('a comparison holds exactly as the States Language defines', () => {
  test.each<[string, string, Json, boolean]>([
    ['$.text', 'StringEquals', 'abc', true],
    ['$.text', 'StringEquals', 'ABC', false],
    ['$.text', 'StringLessThan', 'abd', true],
    ['$.text', 'StringLessThan', 'abc', false],
    ['$.text', 'StringLessThanEquals', 'abc', true],
    ['$.text', 'StringGreaterThan', 'abb', true],
    ['$.text', 'StringGreaterThanEquals', 'abd', false],
    ['$.empty', 'StringEquals', '', true],
    ['$.number', 'NumericEquals', 20, true],
    ['$.number', 'NumericEquals', 20.5, false],
    ['$.number', 'NumericLessThan', 21, true],
    ['$.number', 'NumericLessThanEquals', 20, true],
    ['$.number', 'NumericGreaterThan', 20, false],
    ['$.number', 'NumericGreaterThanEquals', 20, true],
    ['$.zero', 'NumericLessThan', 1, true],
    ['$.yes', 'BooleanEquals', true, true],
    ['$.yes', 'BooleanEquals', false, false],
    ['$.time', 'TimestampEquals', '2026-03-01T13:00:00+01:00', true],
    ['$.time', 'TimestampLessThan', '2026-03-01T12:00:00.001Z', true],
    ['$.time', 'TimestampGreaterThan', '2026-03-01T12:00:00Z', false],
    ['$.time', 'TimestampLessThanEquals', '2026-03-01T12:00:00Z', true],
    ['$.time', 'TimestampGreaterThanEquals', '2026-03-02T00:00:00Z', false],
    ['$.text', 'StringLessThanPath', '$.other.text', true],
    ['$.number', 'NumericEqualsPath', '$.other.number', true],
    ['$.time', 'TimestampGreaterThanPath', '$.other.time', true],
    ['$.text', 'StringEqualsPath', '$$.Execution.Name', true],
    ['$.list[0]', 'StringEquals', 'first', true],
  ])('%s %s %j is %s', (variable, operator, bound, expected) => {
    expect(holds({ Variable: variable, [operator]: bound })).toBe(expected);
  });

  test.each<[string, Json]>([
    ['StringEquals', '20'],
    ['NumericLessThan', 100],
    ['BooleanEquals', true],
    ['TimestampLessThan', '2030-01-01T00:00:00Z'],
    ['StringMatches', '*'],
    ['StringEqualsPath', '$.number'],
  ])('%s is false for values of another type', (operator, bound) => {
    const variable = operator === 'NumericLessThan' ? '$.text' : '$.number';
    expect(holds({ Variable: variable, [operator]: bound })).toBe(false);
    expect(holds({ Variable: '$.nothing', [operator]: bound })).toBe(false);
  });
});

test.each<[string, boolean]>([
  ['abc', true],
  ['a*', true],
  ['*c', true],
  ['*b*', true],
  ['*', true],
  ['b*', false],
  ['a.c', false],
  ['ab', false],
  ['abc\\*', false],
])('StringMatches of abc with %s is %s', (pattern, expected) => {
  expect(holds({ Variable: '$.text', StringMatches: pattern })).toBe(expected);
});

test.each<[string, readonly string[]]>([
  ['IsNull', ['nothing']],
  ['IsString', ['text', 'empty', 'time']],
  ['IsNumeric', ['number', 'zero']],
  ['IsBoolean', ['yes']],
  ['IsTimestamp', ['time']],
  ['IsPresent', ['text', 'number', 'yes', 'nothing', 'empty', 'zero', 'time', 'other', 'list']],
])('%s is true for values of its type and false for all others', (operator, names) => {
  for (const name of Object.keys(input)) {
    expect([name, holds({ Variable: `$.${name}`, [operator]: true })]).toEqual([name, names.includes(name)]);
    expect([name, holds({ Variable: `$.${name}`, [operator]: false })]).toEqual([name, !names.includes(name)]);
  }
});

test('only IsPresent accepts a missing variable', () => {
  expect(holds({ Variable: '$.gone', IsPresent: true })).toBe(false);
  expect(holds({ Variable: '$.text.length', IsPresent: true })).toBe(false);
  expect(holds({ Variable: '$.list.length', IsPresent: true })).toBe(false);
  expect(holds({ Variable: '$.toString', IsPresent: true })).toBe(false);
  const missing = expect.objectContaining({ name: 'States.Runtime', isTerminal: true });
  for (const rule of [{ IsNull: true }, { StringEquals: 'a' }, { NumericEqualsPath: '$.number' }]) {
    expect(() => holds({ Variable: '$.gone', ...rule })).toThrow(missing);
  }
});

test('And, Or and Not combine conditions and stop at the first one that decides', () => {
  const yes = { Variable: '$.yes', BooleanEquals: true };
  const no = { Variable: '$.yes', BooleanEquals: false };
  const fails = { Variable: '$.gone', StringEquals: 'a' };
  expect(holds({ And: [yes, yes] })).toBe(true);
  expect(holds({ And: [no, fails] })).toBe(false);
  expect(holds({ Or: [no, yes, fails] })).toBe(true);
  expect(holds({ Or: [no, no] })).toBe(false);
  expect(holds({ Not: { And: [yes, { Not: yes }] } })).toBe(true);
});
