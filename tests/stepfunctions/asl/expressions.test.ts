import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compileTemplate, evaluateTemplate } from '../../../src/stepfunctions/asl/payload-templates.ts';
import { evaluateExpression, parseExpression } from '../../../src/stepfunctions/asl/intrinsics.ts';
import { findNode, insertNode, parseReferencePath } from '../../../src/stepfunctions/asl/reference-paths.ts';
import type { Json, JsonObject } from '../../../src/stepfunctions/json.ts';

const context = { Execution: { Name: 'e', Input: { a: [{ b: 1 }] } } };

function path(text: string) {
  const parsed = parseReferencePath(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

function evaluate(text: string, input: Json = {}): Json {
  const parsed = parseExpression(text);
  if (typeof parsed === 'string') throw new Error(parsed);
  return evaluateExpression(parsed, { input, context, uuid: () => 'uuid-1' });
}

describe('a reference path', () => {
  test.each<[string, Json]>([
    ['$', { a: [{ b: null }, 0], 'c d': { é: false }, '0': 'zero' }],
    ['$.a[0].b', null],
    ['$.a[1]', 0],
    ["$['c d'].é", false],
    ['$.0', 'zero'],
    ['$$.Execution.Input.a[0].b', 1],
  ])('%s selects %j', (text, expected) => {
    const input = { a: [{ b: null }, 0], 'c d': { é: false }, '0': 'zero' };
    expect(findNode(path(text), { input, context })).toEqual(expected);
  });

  test.each(['$.a[2]', '$.a.b', '$.b', '$.a[0].b.c', '$.__proto__', '$.constructor'])('%s selects nothing', (text) => {
    expect(findNode(path(text), { input: { a: [{ b: null }, 0] }, context })).toBeUndefined();
  });

  test.each([
    '',
    'a',
    '$a',
    '$.',
    '$..a',
    '$.a[*]',
    '$.a[-1]',
    '$.a[01]',
    '$.a[0:1]',
    '$.a[?(@.b)]',
    '$.a b',
    '$$.Task',
  ])('is not recognised in %j', (text) => {
    expect(parseReferencePath(text)).toMatch(/^(Expected a reference path|the embedded engine has no)/);
  });

  const member = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,8}$/u);
  const document = fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<JsonObject>;

  test('selects a node that was inserted at it, and the insertion changes nothing else', () => {
    fc.assert(
      fc.property(document, member, fc.array(member, { maxLength: 3 }), fc.jsonValue(), (input, first, more, value) => {
        const at = path(['$', `fresh-${first}`, ...more].join('.'));
        const before = structuredClone(input);
        const output = insertNode(at, input, value as Json) as JsonObject;
        expect(findNode(at, { input: output, context })).toEqual(value);
        expect(input).toEqual(before);
        const { [`fresh-${first}`]: _inserted, ...others } = output;
        expect(_inserted).toBeDefined();
        expect({ ...input, ...others }).toEqual(input);
      }),
    );
  });

  test('is inserted into objects and existing elements of arrays only', () => {
    expect(insertNode(path('$'), null, 1)).toBe(1);
    expect(insertNode(path('$.a.b'), {}, 1)).toEqual({ a: { b: 1 } });
    expect(insertNode(path('$.a[1]'), { a: [1, 2] }, null)).toEqual({ a: [1, null] });
    const mismatch = expect.objectContaining({ name: 'States.ResultPathMatchFailure', isTerminal: false });
    for (const input of [null, 1, 'a', [1], { a: null }, { a: 1 }]) {
      expect(() => insertNode(path('$.a.b'), input, 1)).toThrow(mismatch);
    }
    expect(() => insertNode(path('$.a[2]'), { a: [1, 2] }, 1)).toThrow(mismatch);
  });
});

describe('an intrinsic function', () => {
  test.each<[string, Json]>([
    ['States.Array()', []],
    ["States.Array(1, -2.5, true, null, 'a', $.x)", [1, -2.5, true, null, 'a', { y: [1, 2] }]],
    ['States.ArrayLength($.x.y)', 2],
    ['States.UUID()', 'uuid-1'],
    ["States.Format('Hello, {} {}.', $.name, 4)", 'Hello, Foo 4.'],
    ["States.Format('{}', States.JsonToString($.x))", '{"y":[1,2]}'],
    [String.raw`States.Format('it\'s \{\} \\ {}', null)`, String.raw`it's {} \ null`],
    [String.raw`States.Array('a\'b, (c)')`, ["a'b, (c)"]],
    [`States.StringToJson('{"a":[1]}')`, { a: [1] }],
    ['States.Array( States.Array( 1 ) ,2 )', [[1], 2]],
    ['States.Array($$.Execution.Name)', ['e']],
  ])('%s is %j', (text, expected) => {
    expect(evaluate(text, { name: 'Foo', x: { y: [1, 2] } })).toEqual(expected);
  });

  test.each([
    'States.ArrayLength($.x)',
    'States.ArrayLength(States.Array(), 1)',
    'States.UUID(1)',
    "States.Format('{}')",
    "States.Format('', 1)",
    "States.Format('{}', $.x)",
    'States.Format($.name, 1)',
    "States.StringToJson('{')",
    'States.JsonToString()',
  ])('%s fails with States.IntrinsicFailure, which can be caught', (text) => {
    const failure = expect.objectContaining({ name: 'States.IntrinsicFailure', isTerminal: false });
    expect(() => evaluate(text, { name: 'Foo {}', x: {} })).toThrow(failure);
  });

  test.each([
    'States.Array',
    'States.Array(',
    'States.Array(1 2)',
    'States.Array(,)',
    "States.Array('a)",
    'Array(1)',
    '1',
  ])('%s is refused', (text) => {
    expect(parseExpression(text)).toMatch(/^Expected a reference path or an intrinsic function/);
  });
});

test('a payload template evaluates members that end in .$ at any depth and keeps the others', () => {
  const problems: string[] = [];
  const template = compileTemplate(
    { 'a.$': '$.x', b: [{ 'c.$': '$.y' }, 1], d: { 'e.$b.$': "States.Format('{}', $.y)", f: null }, g: '$.x' },
    { allowsMapItem: false },
    (at, why) => problems.push(`${at.join('.')}: ${why}`),
  );
  expect(problems).toEqual([]);
  expect(evaluateTemplate(template, { input: { x: false, y: 0 }, context, uuid: () => '' })).toEqual({
    a: false,
    b: [{ c: 0 }, 1],
    d: { 'e.$b': '0', f: null },
    g: '$.x',
  });
});
