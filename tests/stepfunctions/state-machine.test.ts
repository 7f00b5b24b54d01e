import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { UsageError } from '../../src/errors.ts';
import { CheckedDefinitions } from '../../src/stepfunctions/checked-definitions.ts';
import { type FunctionTable, logicalId } from '../../src/stepfunctions/functions.ts';
import { readStateMachine } from '../../src/stepfunctions/state-machine.ts';
import { definitionFile, functions, removeFolders, task } from './project.ts';

afterAll(removeFolders);

const table = functions();

function read(definition: object): () => unknown {
  return () => readStateMachine(definitionFile(definition), table);
}

const one = (state: object): object => ({ StartAt: 'One', States: { One: state } });
const oneTask = (more: object): object => one(task('a', more));
const map = (more: object = {}, inner: object = task('a')): object =>
  one({ Type: 'Map', ItemProcessor: { StartAt: 'Inner', States: { Inner: inner } }, End: true, ...more });
const choice = (rule: object): object => ({
  StartAt: 'One',
  States: { One: { Type: 'Choice', Choices: [{ ...rule, Next: 'Two' }] }, Two: task('a') },
});
const retry = (more: object): object => oneTask({ Retry: [{ ErrorEquals: ['E'], ...more }] });

describe('a definition that the engine would run differently from AWS is refused', () => {
  test.each<[string, object, RegExp]>([
    [
      'another query language',
      { QueryLanguage: 'JSONata', ...one(task('a')) },
      /state machine, QueryLanguage: .*JSONPath/,
    ],
    ['another query language of one state', oneTask({ QueryLanguage: 'JSONata' }), /One, QueryLanguage/],
    ['Assign', oneTask({ Assign: { x: 1 } }), /One, Assign: .*ignores/],
    ['Output', oneTask({ Output: '{% 1 %}' }), /One, Output/],
    ['Arguments', oneTask({ Arguments: {} }), /One, Arguments/],
    ['Credentials', oneTask({ Credentials: {} }), /One, Credentials/],
    [
      'a task without a timeout',
      oneTask({ TimeoutSeconds: undefined }),
      /One, TimeoutSeconds: Expected a positive integer/,
    ],
    ['a timeout beyond timers', oneTask({ TimeoutSeconds: 2_000_000 }), /One, TimeoutSeconds/],
    ['a timeout from the input', oneTask({ TimeoutSecondsPath: '$.t' }), /One, TimeoutSecondsPath/],
    [
      'an execution timeout beyond timers',
      { ...one(task('a')), TimeoutSeconds: 2_000_000 },
      /state machine, TimeoutSeconds/,
    ],
    ['a heartbeat', oneTask({ HeartbeatSeconds: 5 }), /One, HeartbeatSeconds/],
    ['$$.State', oneTask({ Parameters: { 'x.$': '$$.State.Name' } }), /One, Parameters\.x\.\$/],
    ['$$.Task.Token', oneTask({ Parameters: { 'x.$': '$$.Task.Token' } }), /Task\.Token/],
    ['$$ as a whole', oneTask({ Parameters: { 'x.$': '$$' } }), /Parameters/],
    [
      '$$.Map.Item outside ItemSelector',
      map({}, task('a', { Parameters: { 'x.$': '$$.Map.Item.Value' } })),
      /Inner, .*ItemSelector/,
    ],
    ['$$.Map.Item in ResultSelector', map({ ResultSelector: { 'x.$': '$$.Map.Item.Index' } }), /One, ResultSelector/],
    ['a context path as InputPath', oneTask({ InputPath: '$$.Execution.Input' }), /One, InputPath/],
    ['a falsy Pass result', one({ Type: 'Pass', Result: 0, End: true }), /One, Result/],
    ['a null Pass result', one({ Type: 'Pass', Result: null, End: true }), /One, Result/],
    [
      'an intrinsic function in ErrorPath',
      one({ Type: 'Fail', ErrorPath: 'States.UUID()', Cause: 'c' }),
      /One, ErrorPath/,
    ],
    [
      'an intrinsic function in CausePath',
      one({ Type: 'Fail', Error: 'E', CausePath: 'States.UUID()' }),
      /One, CausePath/,
    ],
    ['a Fail without an error', one({ Type: 'Fail', Cause: 'c' }), /One, Error/],
    ['a Fail without a cause', one({ Type: 'Fail', Error: 'E' }), /One, Cause/],
    [
      'an intrinsic function that loses backslashes',
      oneTask({ Parameters: { 'x.$': "States.Format('{}', $.a)" } }),
      /States\.Format/,
    ],
    [
      'an intrinsic function of another',
      oneTask({ Parameters: { 'x.$': 'States.Array(States.UUID())' } }),
      /Parameters\.x\.\$/,
    ],
    [
      'one name for two states',
      {
        StartAt: 'One',
        States: { One: { Type: 'Map', ItemProcessor: { StartAt: 'One', States: { One: task('a') } }, End: true } },
      },
      /state One, name/,
    ],
    [
      'States.ALL before others',
      oneTask({ Retry: [{ ErrorEquals: ['States.ALL'] }, { ErrorEquals: ['E'] }] }),
      /Retry\[0\]\.ErrorEquals/,
    ],
    [
      'States.ALL among others',
      oneTask({ Catch: [{ ErrorEquals: ['E', 'States.ALL'], Next: 'One' }] }),
      /Catch\[0\]\.ErrorEquals/,
    ],
    ['States.TaskFailed', retry({ ErrorEquals: ['States.TaskFailed'] }), /States\.TaskFailed/],
    ['States.Runtime', retry({ ErrorEquals: ['States.Runtime'] }), /States\.Runtime/],
    ['an unknown jitter', retry({ JitterStrategy: 'HALF' }), /JitterStrategy/],
    ['a longest delay not above the interval', retry({ IntervalSeconds: 5, MaxDelaySeconds: 5 }), /MaxDelaySeconds/],
    ['an interval of none', retry({ IntervalSeconds: 0 }), /IntervalSeconds/],
    ['a shrinking back-off', retry({ BackoffRate: 0.5 }), /BackoffRate/],
    ['a wait beyond timers', retry({ MaxAttempts: 40 }), /last wait/],
    ['part of an attempt', retry({ MaxAttempts: 1.5 }), /MaxAttempts/],
    ['an unknown retrier field', retry({ Interval: 1 }), /Retry\[0\]\.Interval/],
    ['ItemReader', map({ ItemReader: {} }), /One, ItemReader/],
    ['ItemBatcher', map({ ItemBatcher: {} }), /One, ItemBatcher/],
    ['ResultWriter', map({ ResultWriter: {} }), /One, ResultWriter/],
    ['tolerated failures', map({ ToleratedFailureCount: 1 }), /One, ToleratedFailureCount/],
    [
      'a distributed Map',
      map({
        ItemProcessor: {
          ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
          StartAt: 'Inner',
          States: { Inner: task('a') },
        },
      }),
      /ProcessorConfig\.Mode/,
    ],
    [
      'Iterator',
      one({ Type: 'Map', Iterator: { StartAt: 'Inner', States: { Inner: task('a') } }, End: true }),
      /One, Iterator/,
    ],
    ['more at once than AWS runs', map({ MaxConcurrency: 41 }), /One, MaxConcurrency/],
    ['a concurrency from the input', map({ MaxConcurrencyPath: '$.n' }), /One, MaxConcurrencyPath/],
    ['ResultPath $', oneTask({ ResultPath: '$' }), /One, ResultPath/],
    ['an index within a path', oneTask({ OutputPath: '$.a[0]' }), /One, OutputPath/],
    ['ResultPath with an index', oneTask({ ResultPath: '$.a[0]' }), /One, ResultPath/],
    ['ResultPath into what may be no object', oneTask({ ResultPath: '$.a.b' }), /One, ResultPath/],
    ['a filter', oneTask({ InputPath: '$.a[?(@.b)]' }), /One, InputPath/],
    ['a slice', map({ ItemsPath: '$.a[0:2]' }), /One, ItemsPath/],
    ['a descent', oneTask({ Parameters: { 'x.$': '$..a' } }), /One, Parameters/],
    ['the length of an array', oneTask({ OutputPath: '$.a.length' }), /One, OutputPath/],
    ['an AWS SDK integration', oneTask({ Resource: 'arn:aws:states:::aws-sdk:s3:getObject' }), /One, Resource/],
    ['.sync', oneTask({ Resource: 'arn:aws:states:::states:startExecution.sync' }), /One, Resource/],
    ['.waitForTaskToken', oneTask({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }), /One, Resource/],
    ['an activity', oneTask({ Resource: 'arn:aws:states:us-east-1:000000000000:activity:x' }), /One, Resource/],
    ['a function that is not there', one(task('nobody')), /One, Resource: .*NobodyLambdaFunction/],
    ['an alias', oneTask({ Resource: 'arn:aws:lambda:us-east-1:000000000000:function:a:live' }), /version or alias/],
    ['IsPresent: false', choice({ Variable: '$.a', IsPresent: false }), /IsPresent: .*Not/],
    ['a comparison with a path', choice({ Variable: '$.a', NumericEqualsPath: '$.b' }), /NumericEqualsPath/],
    [
      'a comparison of timestamps',
      choice({ Variable: '$.a', TimestampEquals: '2026-01-01T00:00:00Z' }),
      /TimestampEquals/,
    ],
    ['a pattern', choice({ Variable: '$.a', StringMatches: '*' }), /StringMatches/],
    ['a refused rule inside Not', choice({ Not: { Variable: '$.a', IsNull: false } }), /Choices\[0\]\.Not\.IsNull/],
    ['a wait until a moment', one({ Type: 'Wait', Timestamp: '2027-01-01T00:00:00Z', End: true }), /One, Timestamp/],
    ['a wait beyond timers', one({ Type: 'Wait', Seconds: 2_000_000, End: true }), /One, Seconds/],
    ['a dollar inside a name', oneTask({ Parameters: { 'a.$b.$': '$.a' } }), /One, Parameters/],
    [
      'a transition to nowhere',
      { StartAt: 'One', States: { One: task('a', { End: undefined, Next: 'Gone' }) } },
      /MISSING_TRANSITION_TARGET/,
    ],
    ['an unknown state type', one({ Type: 'Sleep', End: true }), /One, Type/],
    ['no states', { StartAt: 'One' }, /States/],
  ])('%s', (_what, definition, message) => {
    expect(read(definition)).toThrow(UsageError);
    expect(read(definition)).toThrow(message);
  });

  test('every problem of a file is named at once', () => {
    expect(read(oneTask({ Assign: {}, HeartbeatSeconds: 1 }))).toThrow(/Assign[^]*HeartbeatSeconds/);
  });
});

describe('a definition that runs alike is accepted', () => {
  test.each<[string, object]>([
    ['a task by Fn::GetAtt', one(task('a'))],
    ['a task by its ARN', oneTask({ Resource: 'arn:aws:lambda:eu-west-1:123456789012:function:a' })],
    ['JSONPath said aloud', { QueryLanguage: 'JSONPath', ...one(task('a', { QueryLanguage: 'JSONPath' })) }],
    [
      'the context object',
      map({ ItemSelector: { 'i.$': '$$.Map.Item.Index', 'n.$': '$$.Execution.Name', 'x.$': '$$.Execution.Input.a' } }),
    ],
    [
      'order comparisons with a literal',
      choice({ And: [{ Variable: '$.a', NumericLessThan: 3 }, { Not: { Variable: '$.b', IsPresent: true } }] }),
    ],
    ['a Parallel', one({ Type: 'Parallel', Branches: [{ StartAt: 'X', States: { X: task('a') } }], End: true })],
    [
      'one branch of a Parallel as its output',
      one({ Type: 'Parallel', Branches: [{ StartAt: 'X', States: { X: task('a') } }], OutputPath: '$[0]', End: true }),
    ],
    [
      'simple intrinsic functions',
      oneTask({ Parameters: { 'x.$': "States.Array($.a, 1, 'b')", 'y.$': 'States.UUID()' } }),
    ],
  ])('%s', (_what, definition) => {
    expect(read(definition)).not.toThrow();
  });

  test('the state machine of this repository', () => {
    const names = [
      'validateObject',
      'convertSource',
      'recordMetadata',
      'planPyramid',
      'renderBlock',
      'checksumSource',
      'renderTopLevels',
      'assembleTiff',
      'verifyTiff',
      'publishTiff',
      'publishSidecar',
      'recordRejection',
    ];
    const bound = names.map((key) => ({ key, module: '', exportName: 'handler', timeoutMs: 1000, memory: 2 ** 30 }));
    const byKey = new Map(bound.map((each) => [each.key, each]));
    const pipeline: FunctionTable = {
      byKey,
      byName: byKey,
      byLogicalId: new Map(bound.map((each) => [logicalId(each.key), each])),
    };
    const { tasks, definition } = readStateMachine('state-machines/pyramid.asl.yml', pipeline);
    expect(tasks.get('RenderBlock')).toBe('renderBlock');
    expect(tasks.size).toBe(13);
    expect(definition.TimeoutSeconds).toBe(86400);
  });
});

test('a definition that was found valid is not looked at again, one that was not is', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'stepwell-checked-'));
  const checked = new CheckedDefinitions(directory);
  const valid = definitionFile(one(task('a')));
  const invalid = definitionFile({ ...one(task('a')), Comment: 1 });
  try {
    readStateMachine(valid, table, checked);
    expect(readdirSync(directory)).toHaveLength(1);
    expect(() => readStateMachine(invalid, table, checked)).toThrow(/Comment/);
    expect(() => readStateMachine(invalid, table, checked)).toThrow(/Comment/);
    expect(readdirSync(directory)).toHaveLength(1);
    readStateMachine(valid, table, checked);
    expect(readdirSync(directory)).toHaveLength(1);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('logical ids are those of Serverless', () => {
  expect(logicalId('validateObject')).toBe('ValidateObjectLambdaFunction');
  expect(logicalId('render-block')).toBe('RenderDashblockLambdaFunction');
  expect(logicalId('render_block')).toBe('RenderUnderscoreblockLambdaFunction');
});
