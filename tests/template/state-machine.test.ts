import { beforeAll, expect, test } from '@jest/globals';
import aslValidator from 'asl-validator';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  lambdaFunctions,
  resource,
  resourcesOfType,
  roleStatements,
  text,
  trustStatements,
} from '../support/cloudformation.ts';
import { packaged, PACKAGING_MS, projectRoot, type Template } from '../support/packaged-template.ts';

const functionOfState = {
  ValidateObject: 'ValidateObjectLambdaFunction',
  ConvertSource: 'ConvertSourceLambdaFunction',
  MeasureSamples: 'MeasureSamplesLambdaFunction',
  StartPages: 'StartPagesLambdaFunction',
  RecordMetadata: 'RecordMetadataLambdaFunction',
  PlanPyramid: 'PlanPyramidLambdaFunction',
  RenderBlock: 'RenderBlockLambdaFunction',
  RenderImage: 'RenderImageLambdaFunction',
  ChecksumSource: 'ChecksumSourceLambdaFunction',
  CompareDigest: 'ChecksumSourceLambdaFunction',
  RenderTopLevels: 'RenderTopLevelsLambdaFunction',
  AssembleTiff: 'AssembleTiffLambdaFunction',
  VerifyTiff: 'VerifyTiffLambdaFunction',
  PublishTiff: 'PublishTiffLambdaFunction',
  PublishBlockTiles: 'PublishBlockTilesLambdaFunction',
  PublishOutputs: 'PublishOutputsLambdaFunction',
  PublishSidecar: 'PublishSidecarLambdaFunction',
  RecordRejection: 'RecordRejectionLambdaFunction',
};

const StateMachine = z.object({
  StateMachineName: z.string(),
  StateMachineType: z.literal('STANDARD'),
  RoleArn: z.unknown(),
  DefinitionString: z.object({ 'Fn::Sub': z.tuple([z.string(), z.record(z.string(), z.unknown())]) }),
  LoggingConfiguration: z.object({
    Level: z.string(),
    IncludeExecutionData: z.boolean(),
    Destinations: z.array(z.object({ CloudWatchLogsLogGroup: z.object({ LogGroupArn: z.unknown() }) })).length(1),
  }),
  TracingConfiguration: z.object({ Enabled: z.boolean() }),
});

interface States {
  readonly [name: string]: {
    readonly Type: string;
    readonly Resource?: unknown;
    readonly TimeoutSeconds?: number | undefined;
    readonly ItemProcessor?: { readonly States: States } | undefined;
    readonly Branches?: readonly { readonly States: States }[] | undefined;
  };
}
const States: z.ZodType<States> = z.lazy(() =>
  z.record(
    z.string(),
    z.looseObject({
      Type: z.string(),
      Resource: z.unknown().optional(),
      TimeoutSeconds: z.int().optional(),
      ItemProcessor: z.looseObject({ States }).optional(),
      Branches: z.array(z.looseObject({ States })).optional(),
    }),
  ),
);
const Definition = z.looseObject({ StartAt: z.string(), States });

let template: Template;
let machine: z.infer<typeof StateMachine>;
let definition: z.infer<typeof Definition>;

beforeAll(async () => {
  ({ template } = await packaged());
  machine = StateMachine.parse(resource(template, 'PyramidStateMachine').Properties);
  const [json, variables] = machine.DefinitionString['Fn::Sub'];
  definition = Definition.parse(JSON.parse(json.replace(/\$\{(\w+)\}/gu, (_, name: string) => text(variables[name]))));
}, PACKAGING_MS);

/** Every Task state, including those inside a Map or a Parallel. */
function tasks(states: States): [name: string, task: States[string]][] {
  return Object.entries(states).flatMap(([name, state]): [string, States[string]][] => [
    ...(state.Type === 'Task' ? [[name, state] satisfies [string, States[string]]] : []),
    ...(state.ItemProcessor ? tasks(state.ItemProcessor.States) : []),
    ...(state.Branches ?? []).flatMap((branch) => tasks(branch.States)),
  ]);
}

test('every Task state calls its own function, without a version', () => {
  const called = tasks(definition.States).map(([name, { Resource }]) => [name, Resource]);
  const expected = Object.entries(functionOfState).map(([state, id]) => [state, `<${id}.Arn>`]);
  expect(Object.fromEntries(called)).toEqual(Object.fromEntries(expected));
  expect(called).toHaveLength(Object.keys(functionOfState).length);
  for (const id of Object.values(functionOfState)) expect(resource(template, id).Type).toBe('AWS::Lambda::Function');
});

test('the packaged definition equals state-machines/pyramid.asl.yml', () => {
  const written: unknown = parse(readFileSync(join(projectRoot, 'state-machines', 'pyramid.asl.yml'), 'utf8'), {
    maxAliasCount: -1,
  });
  const withText = JSON.stringify(written).replace(/\{"Fn::GetAtt":\["(\w+)","Arn"\]\}/gu, '"<$1.Arn>"');
  expect(definition).toEqual(JSON.parse(withText));
});

test('the packaged definition is valid ASL', () => {
  // A copy, because the validator writes its defaults into its argument.
  const asDeployed = JSON.stringify(definition).replace(/<(\w+)\.Arn>/gu, 'arn:aws:lambda:eu-west-1:1:function:$1');
  expect(aslValidator(Definition.parse(JSON.parse(asDeployed))).errorsText()).toBe('');
});

test('every function times out at a margin before its state does', () => {
  const functions = new Map(lambdaFunctions(template).map((each) => [each.logicalId, each.properties.Timeout]));
  for (const [name, { TimeoutSeconds, Resource }] of tasks(definition.States)) {
    const timeout = functions.get(String(Resource).replace(/^<(.*)\.Arn>$/u, '$1'));
    expect([name, (TimeoutSeconds ?? NaN) - (timeout ?? NaN)]).toEqual([name, expect.any(Number)]);
    expect((TimeoutSeconds ?? NaN) - (timeout ?? NaN)).toBeGreaterThanOrEqual(30);
  }
  expect(tasks(definition.States)).not.toEqual([]);
});

test('the role of the state machine may invoke exactly the functions that it calls', () => {
  const role = text(machine.RoleArn).replace(/^<(.*)\.Arn>$/u, '$1');
  const invoking = roleStatements(template, role).filter(({ actions }) =>
    actions.some((each) => /^lambda:/u.test(each)),
  );
  expect(invoking).toHaveLength(1);
  expect(invoking[0]).toMatchObject({ effect: 'Allow', actions: ['lambda:InvokeFunction'] });
  expect([...(invoking[0]?.resources ?? [])].sort()).toEqual(
    [...new Set(Object.values(functionOfState))].map((id) => `<${id}.Arn>`).sort(),
  );
  expect(trustStatements(template, role)).toEqual([
    expect.objectContaining({
      effect: 'Allow',
      principal: { Service: 'states.amazonaws.com' },
      actions: ['sts:AssumeRole'],
    }),
  ]);
});

test('the state machine is traced, and logs errors without payloads', () => {
  expect(machine.TracingConfiguration.Enabled).toBe(true);
  expect(machine.LoggingConfiguration).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
  const group = text(machine.LoggingConfiguration.Destinations[0]?.CloudWatchLogsLogGroup.LogGroupArn);
  expect(group).toBe('<PyramidLogGroup.Arn>');
});

test('the state machine has the name that functions and rules refer to', () => {
  expect(resourcesOfType(template, 'AWS::StepFunctions::StateMachine')).toHaveLength(1);
  expect(machine.StateMachineName).toBe('stepwell-dev-pyramid');
  const start = lambdaFunctions(template).find(({ key }) => key === 'startPyramid');
  expect(text(start?.properties.Environment.Variables['STATE_MACHINE_ARN'])).toBe(
    'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:stepwell-dev-pyramid',
  );
});
