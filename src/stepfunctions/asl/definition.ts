/**
 * The part of the Amazon States Language (JSONPath) that the embedded engine runs. The schema
 * accepts definitions that run as on AWS and refuses all others. Its output, with defaults set and
 * paths, templates and conditions compiled, is the input of the interpreter.
 * https://states-language.net/spec.html
 */
import { z } from 'zod';
import { errorHandlers, longestWaitSeconds } from './error-handlers.ts';
import {
  anyJson,
  choiceRule,
  integer,
  itemsPath,
  nullablePath,
  resultPath,
  stateName,
  template,
  textExpression,
} from './fields.ts';

/** States of a state machine, of a Map's ItemProcessor or of a branch of a Parallel. */
export interface RegionDefinition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, StateDefinition>>;
}

/** Largest number of iterations that an inline Map runs concurrently on AWS. */
export const maxMapConcurrency = 40;

const queryLanguage = z.literal('JSONPath', { error: 'Expected JSONPath, the only query language of the engine' });
const everyState = { Comment: z.string().optional(), QueryLanguage: queryLanguage.optional() };
const inputOutput = { InputPath: nullablePath, OutputPath: nullablePath };
const parameters = { Parameters: template({ allowsMapItem: false }).optional() };
const resultSelector = { ResultSelector: template({ allowsMapItem: false }).optional() };
const transition = { Next: stateName.optional(), End: z.boolean().optional() };

/** A Lambda function: its ARN, or a reference of CloudFormation to it. */
const functionReference = z.union(
  [
    z
      .strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) })
      .transform((reference) => ({ logicalId: reference['Fn::GetAtt'][0] })),
    z
      .string()
      .regex(/^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(?::.+)?$/u)
      .transform((arn): { readonly name: string; readonly qualifier: string | undefined } => {
        const [name = '', qualifier] = arn.split(':').slice(6);
        return { name, qualifier };
      }),
  ],
  { error: 'Expected a Lambda function, as Fn::GetAtt: [NameLambdaFunction, Arn]' },
);

export type FunctionReference = z.output<typeof functionReference>;

const task = z.strictObject({
  Type: z.literal('Task'),
  ...everyState,
  Resource: functionReference,
  TimeoutSeconds: integer(1, longestWaitSeconds).default(longestWaitSeconds),
  ...inputOutput,
  ...parameters,
  ...resultSelector,
  ResultPath: resultPath,
  ...errorHandlers,
  ...transition,
});

const region = { StartAt: stateName, States: z.lazy(() => states) };

const itemProcessor: z.ZodType<RegionDefinition> = z.strictObject({
  Comment: z.string().optional(),
  ProcessorConfig: z
    .strictObject({ Mode: z.literal('INLINE', { error: 'Expected INLINE, the only mode of the engine' }) })
    .optional(),
  ...region,
});

const branch: z.ZodType<RegionDefinition> = z.strictObject({ Comment: z.string().optional(), ...region });

const map = z.strictObject({
  Type: z.literal('Map'),
  ...everyState,
  ItemsPath: itemsPath,
  ItemSelector: template({ allowsMapItem: true }).optional(),
  ItemProcessor: itemProcessor,
  MaxConcurrency: integer(0, maxMapConcurrency).default(0),
  ...inputOutput,
  ...resultSelector,
  ResultPath: resultPath,
  ...errorHandlers,
  ...transition,
});

const parallel = z.strictObject({
  Type: z.literal('Parallel'),
  ...everyState,
  Branches: z.array(branch).min(1),
  ...inputOutput,
  ...parameters,
  ...resultSelector,
  ResultPath: resultPath,
  ...errorHandlers,
  ...transition,
});

const pass = z
  .strictObject({
    Type: z.literal('Pass'),
    ...everyState,
    Result: anyJson.optional(),
    ...inputOutput,
    ...parameters,
    ResultPath: resultPath,
    ...transition,
  })
  .refine(({ Result, Parameters }) => Result === undefined || Parameters === undefined, {
    path: ['Parameters'],
    error: 'Expected Parameters or Result, not both',
  });

const wait = z.strictObject({
  Type: z.literal('Wait'),
  ...everyState,
  Seconds: integer(0, longestWaitSeconds),
  ...inputOutput,
  ...transition,
});

const choice = z.strictObject({
  Type: z.literal('Choice'),
  ...everyState,
  Choices: z.array(choiceRule).min(1),
  Default: stateName.optional(),
  ...inputOutput,
});

const succeed = z.strictObject({ Type: z.literal('Succeed'), ...everyState, ...inputOutput });

const fail = z
  .strictObject({
    Type: z.literal('Fail'),
    ...everyState,
    Error: z.string().optional(),
    Cause: z.string().optional(),
    ErrorPath: textExpression.optional(),
    CausePath: textExpression.optional(),
  })
  .refine((state) => state.Error === undefined || state.ErrorPath === undefined, {
    path: ['ErrorPath'],
    error: 'Expected Error or ErrorPath, not both',
  })
  .refine((state) => state.Cause === undefined || state.CausePath === undefined, {
    path: ['CausePath'],
    error: 'Expected Cause or CausePath, not both',
  });

const state = z.discriminatedUnion('Type', [task, map, parallel, pass, wait, choice, succeed, fail], {
  error: 'Expected one of Task, Map, Parallel, Pass, Wait, Choice, Succeed, Fail',
});

export type TaskState = z.output<typeof task>;
export type MapState = z.output<typeof map>;
export type ParallelState = z.output<typeof parallel>;
export type PassState = z.output<typeof pass>;
export type ChoiceState = z.output<typeof choice>;
export type FailState = z.output<typeof fail>;
export type StateDefinition =
  | TaskState
  | MapState
  | ParallelState
  | PassState
  | z.output<typeof wait>
  | ChoiceState
  | z.output<typeof succeed>
  | FailState;

const states: z.ZodType<Readonly<Record<string, StateDefinition>>> = z.record(stateName, state);

export const stateMachineDefinition = z.strictObject({
  Comment: z.string().optional(),
  QueryLanguage: queryLanguage.optional(),
  Version: z.literal('1.0').optional(),
  TimeoutSeconds: integer(1, longestWaitSeconds).optional(),
  ...region,
});

export type StateMachineDefinition = z.output<typeof stateMachineDefinition>;

/** The regions inside a state: a Map's item processor, a Parallel's branches, or none. */
export function regionsOf(definition: StateDefinition): readonly RegionDefinition[] {
  if (definition.Type === 'Map') return [definition.ItemProcessor];
  return definition.Type === 'Parallel' ? definition.Branches : [];
}
