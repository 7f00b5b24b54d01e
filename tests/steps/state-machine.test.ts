/**
 * Consistency of the state machine with the code: its files, its errors and
 * its display.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { stateDescriptions } from '../../src/cli/progress.ts';
import * as errors from '../../src/errors.ts';
import { MAP_CONCURRENCY } from '../../src/limits.ts';
import { declaredFunctions } from '../support/service-definition.ts';

interface State {
  readonly Type: string;
  readonly Resource?: { readonly 'Fn::GetAtt': readonly string[] } | undefined;
  readonly MaxConcurrency?: number | undefined;
  readonly Retry?:
    readonly (Readonly<Record<string, unknown>> & { readonly ErrorEquals: readonly string[] })[] | undefined;
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[]; readonly Next: string }[] | undefined;
  readonly ItemProcessor?: { readonly States: States } | undefined;
  readonly Branches?: readonly { readonly States: States }[] | undefined;
}
interface States {
  readonly [name: string]: State;
}
const States: z.ZodType<States> = z.lazy(() =>
  z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Resource: z.object({ 'Fn::GetAtt': z.array(z.string()) }).optional(),
      MaxConcurrency: z.int().optional(),
      Retry: z.array(z.looseObject({ ErrorEquals: z.array(z.string()) })).optional(),
      Catch: z.array(z.object({ ErrorEquals: z.array(z.string()), Next: z.string() })).optional(),
      ItemProcessor: z.object({ States }).optional(),
      Branches: z.array(z.object({ States })).optional(),
    }),
  ),
);

const file = readFileSync('state-machines/pyramid.asl.yml', 'utf8');
const top = z.object({ States }).parse(parse(file, { maxAliasCount: -1 })).States;

/** A state and the names that a Catch around it handles. */
interface Handled {
  readonly state: State;
  readonly caught: ReadonlySet<string>;
}

function walk(states: States, around: readonly string[] = []): [name: string, handled: Handled][] {
  return Object.entries(states).flatMap(([name, state]) => {
    const caught = [...around, ...(state.Catch ?? []).flatMap(({ ErrorEquals }) => ErrorEquals)];
    const inner = [state.ItemProcessor, ...(state.Branches ?? [])].flatMap((part) =>
      part ? walk(part.States, caught) : [],
    );
    return [[name, { state, caught: new Set(caught) }] satisfies [string, Handled], ...inner];
  });
}

const all = new Map(walk(top));
const tasks = [...all].filter(([, { state }]) => state.Type === 'Task');
const retried = (state: State): string[] => (state.Retry ?? []).flatMap(({ ErrorEquals }) => ErrorEquals);

/**
 * Names of AWS: https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 * and
 * https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception
 */
const awsNames = [
  'Lambda.AWSLambdaException',
  'Lambda.ClientExecutionTimeoutException',
  'Lambda.SdkClientException',
  'Lambda.ServiceException',
  'Lambda.TooManyRequestsException',
  'Lambda.Unknown',
  'Runtime.ExitError',
  'Sandbox.Timedout',
  'States.Timeout',
];

/** The handling of each typed error in the state machine. */
const treatment: Readonly<Record<string, 'retried' | 'caught' | 'fails the execution' | 'never leaves a step'>> = {
  RejectedImageError: 'caught',
  SourceChangedError: 'caught',
  ServiceUnavailableError: 'retried',
  DeadlineExceededError: 'retried',
  ProcessEndedError: 'retried',
  InconsistentWorkError: 'fails the execution',
  UnsuitableStoreError: 'fails the execution',
  ObjectNotFoundError: 'never leaves a step',
  PreconditionFailedError: 'never leaves a step',
  MalformedTiffError: 'never leaves a step',
  UsageError: 'never leaves a step',
};

type ErrorClass = new (first: never, second?: never, third?: never) => Error;
const typedErrors = Object.values<unknown>(errors)
  .filter((value): value is ErrorClass => typeof value === 'function')
  .map((ErrorType) => new ErrorType('' as never).name);

describe('the errors of src/errors.ts and those of the state machine', () => {
  test('every typed error is handled', () => {
    expect(Object.keys(treatment).sort()).toEqual([...typedErrors].sort());
  });

  test('every name in ErrorEquals is a typed error or a name of AWS', () => {
    const named = [...all.values()].flatMap(({ state, caught }) => [...retried(state), ...caught]);
    const unknown = named.filter((name) => !typedErrors.includes(name) && !awsNames.includes(name));
    expect(unknown).toEqual([]);
    expect(awsNames.filter((name) => !named.includes(name))).toEqual([]);
  });

  test.each(tasks)('%s retries the retryable errors and catches rejections', (name, { state, caught }) => {
    const names = (wanted: string): string[] => Object.keys(treatment).filter((error) => treatment[error] === wanted);
    expect(
      retried(state)
        .filter((error) => typedErrors.includes(error))
        .sort(),
    ).toEqual(names('retried').sort());
    const expected = name === 'RecordRejection' ? [] : names('caught').sort();
    expect([...caught].sort()).toEqual(expected);
  });

  test.each(tasks)('%s waits for up to two hours while its function is throttled', (_, { state }) => {
    const throttling = (state.Retry ?? []).filter(({ ErrorEquals }) =>
      ErrorEquals.includes('Lambda.TooManyRequestsException'),
    );
    expect(throttling).toEqual([
      {
        ErrorEquals: ['Lambda.TooManyRequestsException', 'Lambda.ClientExecutionTimeoutException'],
        IntervalSeconds: 2,
        BackoffRate: 2,
        MaxAttempts: 30,
        MaxDelaySeconds: 300,
        JitterStrategy: 'FULL',
      },
    ]);
  });

  test('every Catch leads to RecordRejection', () => {
    const catchers = [...all.values()].flatMap(({ state }) => state.Catch ?? []);
    expect(new Set(catchers.map(({ Next }) => Next))).toEqual(new Set(['RecordRejection']));
  });
});

test('MaxConcurrency of the Map is the concurrency that the planner assumes', () => {
  expect(all.get('RenderPyramid')?.state.MaxConcurrency).toBe(MAP_CONCURRENCY);
});

const kebab = (name: string): string => name.replace(/(?<!^)([A-Z])/gu, '-$1').toLowerCase();
/** States that call the function of another state. */
const shared = new Map([['CompareDigest', 'ChecksumSource']]);

describe('states, functions and files', () => {
  test('every task calls the function with the name of its state', () => {
    for (const [name, { state }] of tasks) {
      const [logicalId] = state.Resource?.['Fn::GetAtt'] ?? [];
      expect([name, logicalId]).toEqual([name, `${shared.get(name) ?? name}LambdaFunction`]);
    }
  });

  test('src/steps has one file for every task', () => {
    const expected = tasks.filter(([name]) => !shared.has(name)).map(([name]) => `${kebab(name)}.ts`);
    expect(readdirSync('src/steps').sort()).toEqual(expected.sort());
  });

  test('the functions of serverless.yml are the files of src/steps and src/handlers', () => {
    const files = ['steps', 'handlers'].flatMap((folder) =>
      readdirSync(`src/${folder}`).map((name) => `src/${folder}/${name.replace(/\.ts$/u, '')}.handler`),
    );
    expect([...declaredFunctions().values()].sort()).toEqual(files.sort());
    for (const [key, handler] of declaredFunctions()) {
      expect(handler).toMatch(new RegExp(`/${kebab(key)}\\.handler$`, 'u'));
    }
  });
});

/** The Map states of the tasks that run once a block. */
const mapStates: Readonly<Record<string, string>> = { RenderBlock: 'RenderPyramid', PublishBlockTiles: 'PublishTiles' };

test('the progress display describes every task, and blocks by the Map state', () => {
  const shown = tasks.map(([name]) => mapStates[name] ?? name);
  expect(Object.keys(stateDescriptions).sort()).toEqual(shown.sort());
});
