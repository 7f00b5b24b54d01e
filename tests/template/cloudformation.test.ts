import { beforeAll, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { CONVERSION_BUDGET, MEMORY_BUDGET } from '../../src/limits.ts';
import { checkAgainstSpec, checkReferences, findCycle } from '../support/cloudformation-check.ts';
import { layerNames } from '../../layers/layers.ts';
import { resource } from '../support/cloudformation.ts';
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

  test('retains masters, pyramids and the ledger when the stack is removed', () => {
    const kept = Object.entries(made.template.Resources).filter(
      ([, { DeletionPolicy }]) => DeletionPolicy === 'Retain',
    );
    expect(kept.map(([id]) => id).sort()).toEqual(['LedgerTable', 'PublishedBucket', 'SourceBucket']);
    for (const [, { UpdateReplacePolicy }] of kept) expect(UpdateReplacePolicy).toBe('Retain');
  });

  test.each([
    ['ConvertSource', CONVERSION_BUDGET],
    ['RenderBlock', MEMORY_BUDGET],
    ['RenderImage', MEMORY_BUDGET],
    ['RenderTopLevels', MEMORY_BUDGET],
  ])('%s has the memory that work is planned with, and some for itself', (name, budget) => {
    const { MemorySize } = Sizes.parse(resource(made.template, `${name}LambdaFunction`).Properties);
    expect(MemorySize * 2 ** 20 - budget).toBeGreaterThanOrEqual(768 * 2 ** 20);
  });

  test('gives ConvertSource disk space for every master that fits its memory', () => {
    const { EphemeralStorage } = Sizes.parse(resource(made.template, 'ConvertSourceLambdaFunction').Properties);
    expect((EphemeralStorage?.Size ?? 512) * 2 ** 20).toBeGreaterThan(CONVERSION_BUDGET);
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
