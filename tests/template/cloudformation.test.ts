import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { readConfig } from '../../src/config.ts';
import { memoryLimits } from '../../src/limits.ts';
import { checkAgainstSpec, checkReferences, findCycle } from '../support/cloudformation-check.ts';
import { layerNames } from '../../layers/layers.ts';
import { lambdaFunctions, resource, text } from '../support/cloudformation.ts';
import { declaredResources, functionKeys } from '../support/service-definition.ts';
import { type Package, packaged, PACKAGING_MS, type Template } from '../support/packaged-template.ts';

const Sizes = z.object({ MemorySize: z.int(), EphemeralStorage: z.object({ Size: z.int() }).optional() });

let made: Package;
beforeAll(async () => {
  made = await packaged();
}, PACKAGING_MS);

describe('the packaged template', () => {
  test('contains every resource of the stack', () => {
    const declared = declaredResources();
    for (const [id, type] of declared) expect([id, made.template.Resources[id]?.Type]).toEqual([id, type]);
    const added = Object.entries(made.template.Resources).filter(([id]) => !declared.has(id));
    const count = (type: string): number => added.filter(([, { Type }]) => Type === type).length;
    expect(count('AWS::Lambda::Function')).toBe(functionKeys().length);
    expect(count('AWS::Logs::LogGroup')).toBe(functionKeys().length);
    expect(count('AWS::Lambda::LayerVersion')).toBe(layerNames.length);
    expect(count('AWS::StepFunctions::StateMachine')).toBe(1);
    // The framework adds its deployment bucket only, and no role.
    expect(count('AWS::S3::Bucket')).toBe(1);
    expect(count('AWS::IAM::Role')).toBe(0);
  });

  test('conforms to the resource specification: types, properties, JSON types', () => {
    expect(checkAgainstSpec(made.template)).toEqual([]);
  });

  test('refers only to resources that exist under the same conditions', () => {
    const { faults, checked } = checkReferences(made.template);
    expect(faults).toEqual([]);
    expect(checked).toBeGreaterThan(Object.keys(made.template.Resources).length);
  });

  test('has no circular dependencies', () => {
    expect(findCycle(made.template)).toBeUndefined();
  });

  test('retains masters, pyramids and the ledger when the stack is removed, not when its creation fails', () => {
    const kept = Object.entries(made.template.Resources).filter(([, { DeletionPolicy }]) => DeletionPolicy);
    expect(Object.fromEntries(kept.map(([id, { DeletionPolicy }]) => [id, DeletionPolicy]))).toEqual({
      LedgerTable: 'RetainExceptOnCreate',
      PublishedBucket: 'RetainExceptOnCreate',
      SourceBucket: 'RetainExceptOnCreate',
    });
    for (const [, { UpdateReplacePolicy }] of kept) expect(UpdateReplacePolicy).toBe('Retain');
  });

  test('has outputs for the buckets, the ledger table, the queues and the state machine', () => {
    expect(Object.keys(made.template.Outputs)).toEqual(
      expect.arrayContaining([
        'SourceBucketName',
        'WorkBucketName',
        'PublishedBucketName',
        'LedgerTableName',
        'StateMachineArn',
        'UploadQueueUrl',
        'UploadDeadLettersUrl',
        'OutcomeDeadLettersUrl',
      ]),
    );
  });

  test('is packaged without a warning', () => {
    expect(made.log ?? '').not.toMatch(/warn|deprecat|error/iu);
  });
});

describe.each(['small', 'standard'] as const)('a stage of %s functions', (memory) => {
  let template: Template;
  beforeAll(async () => {
    ({ template } = await packaged(memory));
  }, PACKAGING_MS);
  const limits = memoryLimits[memory];
  const megabytesOf = (name: string): number =>
    Sizes.parse(resource(template, `${name}LambdaFunction`).Properties).MemorySize;

  test.each([
    ['ConvertSource', limits.conversion],
    ['RenderBlock', limits.rendering],
    ['RenderImage', limits.rendering],
    ['RenderTopLevels', limits.rendering],
  ])('gives %s the memory that work is planned with, and some for itself', (name, budget) => {
    expect(megabytesOf(name) * 1_048_576 - budget).toBeGreaterThanOrEqual(768 * 1_048_576);
  });

  test('gives ConvertSource disk space for every master that fits its memory', () => {
    const { EphemeralStorage } = Sizes.parse(resource(template, 'ConvertSourceLambdaFunction').Properties);
    expect((EphemeralStorage?.Size ?? 512) * 1_048_576).toBeGreaterThan(limits.conversion);
  });

  test('tells every function how much memory there is', () => {
    for (const { key, properties } of lambdaFunctions(template)) {
      const variables = Object.entries(properties.Environment.Variables);
      const { memory: stated } = readConfig(Object.fromEntries(variables.map(([name, value]) => [name, text(value)])));
      expect([key, stated]).toEqual([key, limits]);
    }
  });

  test('conforms to the resource specification', () => {
    expect(checkAgainstSpec(template)).toEqual([]);
  });
});

describe('the memory of the functions', () => {
  const memoryOf = async (memory: 'small' | 'standard'): Promise<Record<string, number>> => {
    const { template } = await packaged(memory);
    return Object.fromEntries(
      lambdaFunctions(template).map(({ key, logicalId }) => [
        key,
        Sizes.parse(resource(template, logicalId).Properties).MemorySize,
      ]),
    );
  };
  const standard = {
    startPyramid: 256,
    validateObject: 1_769,
    convertSource: 7_076,
    measureSamples: 1_769,
    startPages: 1_769,
    recordMetadata: 256,
    planPyramid: 256,
    renderBlock: 3_538,
    renderImage: 3_538,
    checksumSource: 1_769,
    renderTopLevels: 3_538,
    assembleTiff: 512,
    verifyTiff: 1_769,
    publishTiff: 256,
    publishBlockTiles: 1_769,
    publishOutputs: 3_538,
    publishSidecar: 256,
    recordRejection: 256,
    recordOutcome: 256,
    deliverImage: 1_769,
    deliverThumbnail: 1_769,
  };

  test('is that of serverless.yml in a standard stage', async () => {
    expect(await memoryOf('standard')).toEqual(standard);
  });

  test('is at most 3,008 MB, the quota of a new account, in a small one', async () => {
    const large = {
      convertSource: 3_008,
      renderBlock: 3_008,
      renderImage: 3_008,
      renderTopLevels: 3_008,
      publishOutputs: 3_008,
    };
    expect(await memoryOf('small')).toEqual({ ...standard, ...large });
  });
});

describe('the template check reports', () => {
  const faulty = (id: string, change: (properties: Record<string, unknown>) => void): Template => {
    const template = structuredClone(made.template);
    change(resource(template, id).Properties);
    return template;
  };

  test('a type that does not exist', () => {
    const template = structuredClone(made.template);
    resource(template, 'WorkBucket').Type = 'AWS::S3::Bukket';
    expect(checkAgainstSpec(template)).toEqual(['WorkBucket: unknown type AWS::S3::Bukket']);
  });

  test('a misspelt property', () => {
    const template = faulty('UploadQueue', (properties) => (properties['VisibilityTimeOut'] = 180));
    expect(checkAgainstSpec(template)).toEqual(['UploadQueue: unknown property VisibilityTimeOut']);
  });

  test('a misspelt property inside a property', () => {
    const template = faulty('WorkBucket', (properties) => {
      properties['LifecycleConfiguration'] = { Rules: [{ Status: 'Enabled', ExpirationDays: 21 }] };
    });
    expect(checkAgainstSpec(template)).toEqual([
      'WorkBucket.LifecycleConfiguration.Rules[0]: unknown property ExpirationDays',
    ]);
  });

  test('a string for a number', () => {
    const template = faulty('RenderBlockLambdaFunction', (properties) => (properties['MemorySize'] = '3538'));
    expect(checkAgainstSpec(template)).toEqual([
      'RenderBlockLambdaFunction.MemorySize: expected integer but received "3538"',
    ]);
  });

  test('a missing property', () => {
    const template = faulty('PyramidStateMachine', (properties) => delete properties['RoleArn']);
    expect(checkAgainstSpec(template)).toEqual(['PyramidStateMachine: missing RoleArn']);
  });

  test('references to missing resources', () => {
    const template = faulty('PublishTiffLambdaFunction', (properties) => {
      properties['Environment'] = {
        Variables: {
          A: { Ref: 'Nothing' },
          B: { 'Fn::GetAtt': ['WorkBucket', 'Name'] },
          C: { 'Fn::Sub': '${Missing.Arn}/${AWS::Region}/${LedgerTable}' },
          D: { Ref: 'SourceBucket' },
          E: { 'Fn::If': ['Never', 'a', 'b'] },
        },
      };
    });
    expect(checkReferences(template).faults).toEqual([
      'PublishTiffLambdaFunction: no Nothing',
      'PublishTiffLambdaFunction: WorkBucket has no attribute Name',
      'PublishTiffLambdaFunction: no Missing',
      'PublishTiffLambdaFunction: SourceBucket exists only if OwnSourceBucket',
      'no condition Never',
    ]);
  });

  test('a circular dependency', () => {
    const template = faulty('PlanPyramidLambdaFunction', (properties) => {
      properties['Environment'] = { Variables: { STATE_MACHINE_ARN: { Ref: 'PyramidStateMachine' } } };
    });
    expect(findCycle(template)).toEqual(expect.arrayContaining(['PlanPyramidLambdaFunction', 'PyramidStateMachine']));
  });
});
