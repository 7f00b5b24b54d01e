import validateAsl from 'asl-validator';
import { afterAll, describe, expect, test } from '@jest/globals';
import { UsageError } from '../../src/errors.ts';
import { FunctionTable, logicalId } from '../../src/local/functions.ts';
import { readStateMachine } from '../../src/stepfunctions/state-machine.ts';
import { definitionFile, functions, removeFolders, task } from './project.ts';

afterAll(removeFolders);

const table = functions();

function read(definition: object): () => unknown {
  return () => readStateMachine(definitionFile(definition), table);
}

/** Problems that asl-validator, which has AWS's rules, reports for a definition (JSON). */
function awsProblems(text: string): string {
  const validation = validateAsl(JSON.parse(text) as object, { checkPaths: true, checkArn: true });
  return validation.isValid ? '' : validation.errorsText('\n');
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

describe('a definition that the engine cannot run as AWS does is refused', () => {
  test.each<[string, object, RegExp]>([
    [
      'another query language',
      { QueryLanguage: 'JSONata', ...one(task('a')) },
      /state machine, QueryLanguage: .*JSONPath/,
    ],
    ['another query language of one state', oneTask({ QueryLanguage: 'JSONata' }), /One, QueryLanguage/],
    ['Assign', oneTask({ Assign: { x: 1 } }), /One, Assign: .*no such field/],
    ['Output', oneTask({ Output: '{% 1 %}' }), /One, Output/],
    ['Arguments', oneTask({ Arguments: {} }), /One, Arguments/],
    ['Credentials', oneTask({ Credentials: {} }), /One, Credentials/],
    ['a timeout of 0', oneTask({ TimeoutSeconds: 0 }), /One, TimeoutSeconds: Expected an integer/],
    ['a timeout beyond the limit of AWS', oneTask({ TimeoutSeconds: 100_000_000 }), /One, TimeoutSeconds/],
    ['a timeout from the input', oneTask({ TimeoutSecondsPath: '$.t' }), /One, TimeoutSecondsPath/],
    [
      'an execution timeout beyond the limit of AWS',
      { ...one(task('a')), TimeoutSeconds: 100_000_000 },
      /state machine, TimeoutSeconds/,
    ],
    ['a heartbeat', oneTask({ HeartbeatSeconds: 5 }), /One, HeartbeatSeconds/],
    ['$$.Task.Token', oneTask({ Parameters: { 'x.$': '$$.Task.Token' } }), /One, Parameters\.x\.\$: .*Task\.Token/],
    ['$$ as a whole', oneTask({ Parameters: { 'x.$': '$$' } }), /Parameters/],
    [
      '$$.Map.Item outside ItemSelector',
      map({}, task('a', { Parameters: { 'x.$': '$$.Map.Item.Value' } })),
      /Inner, .*ItemSelector/,
    ],
    ['$$.Map.Item in ResultSelector', map({ ResultSelector: { 'x.$': '$$.Map.Item.Index' } }), /One, ResultSelector/],
    ['$$.Map.Item as InputPath', map({}, task('a', { InputPath: '$$.Map.Item.Value' })), /Inner, InputPath/],
    ['a ResultPath in the context object', oneTask({ ResultPath: '$$.Execution.Input' }), /One, ResultPath/],
    ['Result beside Parameters', one({ Type: 'Pass', Result: 1, Parameters: {}, End: true }), /One, Parameters/],
    ['Error beside ErrorPath', one({ Type: 'Fail', Error: 'E', ErrorPath: '$.e' }), /One, ErrorPath/],
    ['Cause beside CausePath', one({ Type: 'Fail', Cause: 'c', CausePath: '$.c' }), /One, CausePath/],
    [
      'an intrinsic function that the engine does not have',
      oneTask({ Parameters: { 'x.$': "States.Hash('a', 'MD5')" } }),
      /One, Parameters\.x\.\$: .*States\.Hash/,
    ],
    ['a call that is not closed', oneTask({ Parameters: { 'x.$': 'States.Array(1' } }), /Parameters\.x\.\$/],
    ['text beside a call', oneTask({ Parameters: { 'x.$': 'States.UUID() ' } }), /Parameters\.x\.\$/],
    ['a template member twice', oneTask({ Parameters: { 'x.$': '$.a', x: 1 } }), /Parameters\.x\.\$: .*not both/],
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
    ['States.Runtime', retry({ ErrorEquals: ['States.Runtime'] }), /States\.Runtime/],
    ['States.DataLimitExceeded', retry({ ErrorEquals: ['States.DataLimitExceeded'] }), /States\.DataLimitExceeded/],
    ['a retry without errors', retry({ ErrorEquals: [] }), /Retry\[0\]\.ErrorEquals/],
    ['an unknown jitter', retry({ JitterStrategy: 'HALF' }), /JitterStrategy/],
    ['a longest delay not above the interval', retry({ IntervalSeconds: 5, MaxDelaySeconds: 5 }), /MaxDelaySeconds/],
    ['an interval of 0', retry({ IntervalSeconds: 0 }), /IntervalSeconds/],
    ['a shrinking back-off', retry({ BackoffRate: 0.5 }), /BackoffRate/],
    ['a fractional number of attempts', retry({ MaxAttempts: 1.5 }), /MaxAttempts/],
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
      /One, ItemProcessor\.ProcessorConfig\.Mode/,
    ],
    [
      'Iterator',
      one({ Type: 'Map', Iterator: { StartAt: 'Inner', States: { Inner: task('a') } }, End: true }),
      /One, Iterator/,
    ],
    ['more concurrency than AWS allows', map({ MaxConcurrency: 41 }), /One, MaxConcurrency/],
    ['a concurrency from the input', map({ MaxConcurrencyPath: '$.n' }), /One, MaxConcurrencyPath/],
    ['a filter', oneTask({ InputPath: '$.a[?(@.b)]' }), /One, InputPath/],
    ['a wildcard', oneTask({ OutputPath: '$.a[*]' }), /One, OutputPath/],
    ['a slice', map({ ItemsPath: '$.a[0:2]' }), /One, ItemsPath/],
    ['a recursive descent', oneTask({ Parameters: { 'x.$': '$..a' } }), /One, Parameters/],
    ['an AWS SDK integration', oneTask({ Resource: 'arn:aws:states:::aws-sdk:s3:getObject' }), /One, Resource/],
    ['.sync', oneTask({ Resource: 'arn:aws:states:::states:startExecution.sync' }), /One, Resource/],
    ['.waitForTaskToken', oneTask({ Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken' }), /One, Resource/],
    ['an activity', oneTask({ Resource: 'arn:aws:states:us-east-1:000000000000:activity:x' }), /One, Resource/],
    ['an unknown function', one(task('missing')), /One, Resource: .*MissingLambdaFunction/],
    ['an alias', oneTask({ Resource: 'arn:aws:lambda:us-east-1:000000000000:function:a:live' }), /version or alias/],
    ['an unknown comparison', choice({ Variable: '$.a', StringContains: 'a' }), /Choices\[0\]\.StringContains/],
    ['a pattern from the input', choice({ Variable: '$.a', StringMatchesPath: '$.b' }), /StringMatchesPath/],
    ['two comparisons in one rule', choice({ Variable: '$.a', IsNull: true, IsString: true }), /one operator/],
    ['a comparison without a variable', choice({ IsNull: true }), /Choices\[0\]\.Variable/],
    ['a number compared as text', choice({ Variable: '$.a', StringEquals: 1 }), /Choices\[0\]\.StringEquals/],
    ['a timestamp without an offset', choice({ Variable: '$.a', TimestampEquals: '2026-01-01T00:00:00' }), /Timestamp/],
    ['a refused rule inside Not', choice({ Not: { Variable: '$.a', IsNull: 1 } }), /Choices\[0\]\.Not\.IsNull/],
    ['a Choice without rules', one({ Type: 'Choice', Choices: [] }), /One, Choices/],
    ['a wait until a moment', one({ Type: 'Wait', Timestamp: '2027-01-01T00:00:00Z', End: true }), /One, Timestamp/],
    ['a wait beyond the limit of AWS', one({ Type: 'Wait', Seconds: 100_000_000, End: true }), /One, Seconds/],
    [
      'a transition to a missing state',
      { StartAt: 'One', States: { One: task('a', { End: undefined, Next: 'Gone' }) } },
      /One, Next: MISSING_TRANSITION_TARGET/,
    ],
    [
      'a start at a missing state',
      { StartAt: 'Gone', States: { One: task('a') } },
      /StartAt: MISSING_TRANSITION_TARGET/,
    ],
    ['an unreachable state', { StartAt: 'One', States: { One: task('a'), Two: task('a') } }, /state Two, name/],
    ['neither Next nor End', one({ Type: 'Pass' }), /One, Next/],
    ['Next beside End', oneTask({ Next: 'One' }), /One, Next/],
    ['an unknown state type', one({ Type: 'Sleep', End: true }), /One, Type/],
    ['a comment that is not text', { ...one(task('a')), Comment: 1 }, /state machine, Comment/],
    ['no states', { StartAt: 'One' }, /States/],
  ])('%s', (_what, definition, message) => {
    expect(read(definition)).toThrow(UsageError);
    expect(read(definition)).toThrow(message);
  });

  test('and the error lists all problems of a file', () => {
    expect(read(oneTask({ Assign: {}, HeartbeatSeconds: 1 }))).toThrow(/Assign[^]*HeartbeatSeconds/);
    const two = { One: task('missing', { End: undefined, Next: 'Two' }), Two: task('a', { Next: 'Gone' }) };
    expect(read({ StartAt: 'One', States: two })).toThrow(/Two, Next[^]*One, Resource/);
  });
});

describe('a definition that runs as on AWS is accepted, and asl-validator accepts it too', () => {
  test.each<[string, object]>([
    ['a task by Fn::GetAtt', one(task('a'))],
    ['a task by its ARN', oneTask({ Resource: 'arn:aws:lambda:eu-west-1:123456789012:function:a' })],
    ['a task without a timeout', oneTask({ TimeoutSeconds: undefined })],
    ['timeouts of years', { ...oneTask({ TimeoutSeconds: 99_999_999 }), TimeoutSeconds: 99_999_999 }],
    ['JSONPath as the query language', { QueryLanguage: 'JSONPath', ...one(task('a', { QueryLanguage: 'JSONPath' })) }],
    [
      'the context object',
      map({ ItemSelector: { 'i.$': '$$.Map.Item.Index', 'n.$': '$$.Execution.Name', 'x.$': '$$.Execution.Input.a' } }),
    ],
    [
      'the state in the context object',
      oneTask({ Parameters: { 'x.$': '$$.State.Name', 'n.$': '$$.State.RetryCount' } }),
    ],
    ['a context path as InputPath', oneTask({ InputPath: '$$.Execution.Input' })],
    ['explicit default paths', oneTask({ InputPath: '$', ResultPath: '$', OutputPath: '$' })],
    [
      'paths with indexes and brackets',
      oneTask({ InputPath: "$.a[0]['b c'].d", ResultPath: '$.a.b', OutputPath: '$.a' }),
    ],
    ['a Pass with a falsy result', one({ Type: 'Pass', Result: 0, End: true })],
    ['a Pass with the result null', one({ Type: 'Pass', Result: null, End: true })],
    ['a Fail without error and cause', one({ Type: 'Fail' })],
    ['an intrinsic function in ErrorPath', one({ Type: 'Fail', ErrorPath: 'States.UUID()', Cause: 'c' })],
    [
      'order comparisons with a literal',
      choice({ And: [{ Variable: '$.a', NumericLessThan: 3 }, { Not: { Variable: '$.b', IsPresent: true } }] }),
    ],
    ['IsPresent: false', choice({ Variable: '$.a', IsPresent: false })],
    ['a comparison with a path', choice({ Variable: '$.a', NumericEqualsPath: '$.b' })],
    ['a comparison of timestamps', choice({ Variable: '$.a', TimestampEquals: '2026-01-01T00:00:00Z' })],
    ['a pattern', choice({ Variable: '$.a', StringMatches: '*' })],
    ['a Parallel', one({ Type: 'Parallel', Branches: [{ StartAt: 'X', States: { X: task('a') } }], End: true })],
    [
      'one branch of a Parallel as its output',
      one({ Type: 'Parallel', Branches: [{ StartAt: 'X', States: { X: task('a') } }], OutputPath: '$[0]', End: true }),
    ],
    ['intrinsic functions', oneTask({ Parameters: { 'x.$': "States.Array($.a, 1, 'b')", 'y.$': 'States.UUID()' } })],
    ['an intrinsic function of another', oneTask({ Parameters: { 'x.$': "States.Format('{}', States.UUID())" } })],
    ['a dollar inside a name', oneTask({ Parameters: { 'a.$b.$': '$.a' } })],
    ['States.TaskFailed', retry({ ErrorEquals: ['States.TaskFailed'] })],
    ['a retry whose last wait would take centuries', retry({ MaxAttempts: 40 })],
  ])('%s', (_what, definition) => {
    const { text } = readStateMachine(definitionFile(definition), table);
    expect(awsProblems(text)).toBe('');
  });

  test('as is the state machine of this repository', () => {
    const names = [
      'validateObject',
      'convertSource',
      'measureSamples',
      'startPages',
      'recordMetadata',
      'planPyramid',
      'renderBlock',
      'renderImage',
      'checksumSource',
      'renderTopLevels',
      'assembleTiff',
      'verifyTiff',
      'publishTiff',
      'publishBlockTiles',
      'publishOutputs',
      'publishSidecar',
      'recordRejection',
    ];
    const bound = names.map((key) => ({ key, module: '', exportName: 'handler', timeoutMs: 1000, memory: 2 ** 30 }));
    const machine = readStateMachine('state-machines/pyramid.asl.yml', new FunctionTable(bound));
    const { definition } = machine;
    expect(machine.functions.get('RenderBlock')?.key).toBe('renderBlock');
    expect(new Set([...machine.functions.values()].map(({ key }) => key))).toEqual(new Set(names));
    expect(awsProblems(machine.text)).toBe('');
    expect(definition.TimeoutSeconds).toBe(86400);
  });
});

test('logical ids are derived as by Serverless', () => {
  expect(logicalId('validateObject')).toBe('ValidateObjectLambdaFunction');
  expect(logicalId('render-block')).toBe('RenderDashblockLambdaFunction');
  expect(logicalId('render_block')).toBe('RenderUnderscoreblockLambdaFunction');
});
