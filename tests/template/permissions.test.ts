import { beforeAll, expect, test } from '@jest/globals';
import {
  lambdaFunctions,
  resourcesOfType,
  roleStatements,
  trustStatements,
  type PolicyStatement,
} from '../support/cloudformation.ts';
import { packaged, PACKAGING_MS, type Template } from '../support/packaged-template.ts';
import { functionKeys } from '../support/service-definition.ts';

const source = 'arn:<AWS::Partition>:s3:::<<SourceBucket>|<SourceBucketName>>';

/** The only actions allowed on every resource, and why they cannot be restricted to one. */
const everywhere: Readonly<Record<string, string>> = {
  'xray:PutTraceSegments': 'X-Ray has no resources',
  'xray:PutTelemetryRecords': 'X-Ray has no resources',
  'xray:GetSamplingRules': 'X-Ray sampling rules are read as a list',
  'xray:GetSamplingTargets': 'X-Ray has no resources',
  'logs:CreateLogDelivery': 'log deliveries have no resources',
  'logs:GetLogDelivery': 'log deliveries have no resources',
  'logs:UpdateLogDelivery': 'log deliveries have no resources',
  'logs:DeleteLogDelivery': 'log deliveries have no resources',
  'logs:ListLogDeliveries': 'log deliveries have no resources',
  'logs:PutResourcePolicy': 'log resource policies have no resources',
  'logs:DescribeResourcePolicies': 'log resource policies have no resources',
  'logs:DescribeLogGroups': 'is a list',
};

const readingTags = ['s3:GetObjectTagging', 's3:GetObjectVersionTagging'];
const reading = ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket', ...readingTags];

let template: Template;
let roles: Map<string, PolicyStatement[]>;

beforeAll(async () => {
  ({ template } = await packaged());
  roles = new Map(resourcesOfType(template, 'AWS::IAM::Role').map(([id]) => [id, roleStatements(template, id)]));
}, PACKAGING_MS);

/** Every (role, action, resource) that is allowed. */
function allowed(): { role: string; action: string; resource: string }[] {
  return [...roles].flatMap(([role, found]) =>
    found
      .filter(({ effect }) => effect === 'Allow')
      .flatMap(({ actions, resources }) =>
        actions.flatMap((action) => resources.map((resource) => ({ role, action, resource }))),
      ),
  );
}

function rolesThatMay(action: RegExp, resource: string): string[] {
  const found = allowed().filter((each) => action.test(each.action) && each.resource === resource);
  return [...new Set(found.map(({ role }) => role))].sort();
}

test('every function has its own role, which only Lambda may assume', () => {
  const functions = lambdaFunctions(template);
  expect(functions.map(({ key }) => key).sort()).toEqual(functionKeys());
  for (const { key, role } of functions) {
    expect(role.toLowerCase()).toBe(`${key}role`.toLowerCase());
    expect(trustStatements(template, role)).toEqual([
      expect.objectContaining({
        effect: 'Allow',
        principal: { Service: 'lambda.amazonaws.com' },
        actions: ['sts:AssumeRole'],
      }),
    ]);
  }
  // The state machine has the additional role.
  expect(roles.size).toBe(functions.length + 1);
});

test('no permissions are defined outside these roles', () => {
  const types = new Set(Object.values(template.Resources).map(({ Type }) => Type));
  for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy']) {
    expect(types.has(type)).toBe(false);
  }
});

test('no action has a wildcard', () => {
  const actions = allowed().map(({ action }) => action);
  expect(actions).not.toEqual([]);
  expect(actions.filter((action) => action.includes('*'))).toEqual([]);
});

test('no resource is a wildcard, except for the listed actions', () => {
  const wide = allowed().filter(({ resource }) => resource === '*');
  expect(wide).not.toEqual([]);
  expect(wide.filter(({ action }) => !(action in everywhere))).toEqual([]);
});

test('every other resource is a resource of this stack, or an object in one', () => {
  const named = allowed().filter(({ resource }) => resource !== '*');
  expect(named).not.toEqual([]);
  const ofThisStack =
    /^(<\w+\.Arn>(\/\*)?|<PublishedBucket\.Arn>\/\*\/thumbnails\/\*|arn:<AWS::Partition>:(s3:::<<SourceBucket>\|<SourceBucketName>>(\/\*)?|(states|events):<AWS::Region>:<AWS::AccountId>:(stateMachine:stepwell-dev-pyramid|execution:stepwell-dev-pyramid:\*|event-bus\/default)))$/u;
  expect(named.filter(({ resource }) => !ofThisStack.test(resource))).toEqual([]);
});

test('no role may write to the source bucket', () => {
  const touching = allowed().filter(({ action, resource }) => action.startsWith('s3:') && resource.startsWith(source));
  expect(touching).not.toEqual([]);
  expect(touching.filter(({ action }) => !reading.includes(action))).toEqual([]);
});

test('every role that may write to S3 has a Deny for the source bucket', () => {
  const writers = [
    ...new Set(
      allowed()
        .filter(({ action }) => action.startsWith('s3:') && !reading.includes(action))
        .map(({ role }) => role),
    ),
  ].sort();
  expect(writers).toEqual([
    'AssembleTiffRole',
    'ChecksumSourceRole',
    'ConvertSourceRole',
    'DeliverThumbnailRole',
    'PlanPyramidRole',
    'PublishBlockTilesRole',
    'PublishOutputsRole',
    'PublishSidecarRole',
    'PublishTiffRole',
    'RenderBlockRole',
    'RenderImageRole',
    'RenderTopLevelsRole',
    'ValidateObjectRole',
  ]);
  for (const role of writers) {
    const denied = roles.get(role)?.filter(({ effect }) => effect === 'Deny') ?? [];
    expect(denied).toHaveLength(1);
    expect(denied[0]?.actions).toEqual(expect.arrayContaining(['s3:Put*', 's3:Delete*']));
    expect(denied[0]?.resources).toEqual([source, `${source}/*`]);
  }
});

test('only the functions that publish write to the published bucket', () => {
  const publishers = ['PublishBlockTilesRole', 'PublishOutputsRole', 'PublishSidecarRole', 'PublishTiffRole'];
  expect(rolesThatMay(/^s3:PutObject$/u, '<PublishedBucket.Arn>/*')).toEqual(publishers);
  expect(rolesThatMay(/^s3:DeleteObject$/u, '<PublishedBucket.Arn>/*')).toEqual([
    'PublishBlockTilesRole',
    'PublishOutputsRole',
    'PublishTiffRole',
  ]);
  const others = allowed().filter(
    ({ role, resource }) => !publishers.includes(role) && resource.startsWith('<PublishedBucket.Arn>'),
  );
  // RecordMetadata and RecordRejection read the origin of an object before they release its name.
  expect(others.map(({ role, action }) => `${role} ${action}`).sort()).toEqual([
    'DeliverImageRole s3:GetObject',
    'DeliverImageRole s3:ListBucket',
    'DeliverThumbnailRole s3:GetObject',
    'DeliverThumbnailRole s3:ListBucket',
    'DeliverThumbnailRole s3:PutObject',
    'RecordMetadataRole s3:GetObject',
    'RecordMetadataRole s3:ListBucket',
    'RecordRejectionRole s3:GetObject',
    'RecordRejectionRole s3:ListBucket',
  ]);
});

test('only the steps that create work objects write to the work bucket', () => {
  expect(rolesThatMay(/^s3:PutObject$/u, '<WorkBucket.Arn>/*')).toEqual([
    'AssembleTiffRole',
    'ChecksumSourceRole',
    'ConvertSourceRole',
    'PlanPyramidRole',
    'RenderBlockRole',
    'RenderImageRole',
    'RenderTopLevelsRole',
    'ValidateObjectRole',
  ]);
});

test('the steps that use work objects of other steps read the work bucket', () => {
  expect(rolesThatMay(/^s3:GetObject$/u, '<WorkBucket.Arn>/*')).toEqual([
    'AssembleTiffRole',
    'ChecksumSourceRole',
    'ConvertSourceRole',
    'PlanPyramidRole',
    'PublishBlockTilesRole',
    'PublishOutputsRole',
    'PublishSidecarRole',
    'PublishTiffRole',
    'RecordMetadataRole',
    'RenderBlockRole',
    'RenderImageRole',
    'RenderTopLevelsRole',
    'VerifyTiffRole',
  ]);
});

test('only the steps that read or copy the master may read the source bucket, in any version', () => {
  const readers = [
    'ChecksumSourceRole',
    'ConvertSourceRole',
    'MeasureSamplesRole',
    'PlanPyramidRole',
    'PublishTiffRole',
    'RenderBlockRole',
    'RenderImageRole',
    'StartPagesRole',
    'ValidateObjectRole',
  ];
  expect(rolesThatMay(/^s3:GetObject$/u, `${source}/*`)).toEqual(readers);
  expect(rolesThatMay(/^s3:GetObjectVersion$/u, `${source}/*`)).toEqual(readers);
});

test('only planPyramid reads tags, of masters only', () => {
  const found = allowed().filter(({ action }) => /^s3:Get.*Tagging$/u.test(action));
  expect(found).toEqual(readingTags.map((action) => ({ role: 'PlanPyramidRole', action, resource: `${source}/*` })));
});

test('no role deletes objects, except those that withdraw what an earlier upload published', () => {
  const deleting = allowed().filter(({ action }) => /^s3:Delete/u.test(action));
  expect(new Set(deleting.map(({ action, resource }) => `${action} ${resource}`))).toEqual(
    new Set(['s3:DeleteObject <PublishedBucket.Arn>/*']),
  );
  // A PDF of a work marked as copyrighted; descriptors of the image before; tiles that are left over.
  expect(deleting.map(({ role }) => role).sort()).toEqual([
    'PublishBlockTilesRole',
    'PublishOutputsRole',
    'PublishTiffRole',
  ]);
});

test('every role that reads objects can tell a missing object from a forbidden one', () => {
  const readers = allowed().filter(({ action }) => action === 's3:GetObject');
  expect(readers).not.toEqual([]);
  for (const { role, resource } of readers) {
    const bucket = resource.replace(/\/\*$/u, '');
    expect([role, rolesThatMay(/^s3:ListBucket$/u, bucket).includes(role)]).toEqual([role, true]);
  }
});

test('only startPyramid and startPages start executions, and only of this state machine', () => {
  const starting = allowed().filter(({ action }) => action === 'states:StartExecution');
  const resource = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:stateMachine:stepwell-dev-pyramid';
  expect(starting).toEqual(
    ['StartPyramidRole', 'StartPagesRole'].map((role) => ({ role, action: 'states:StartExecution', resource })),
  );
});

test('every function writes to its own log group', () => {
  for (const { role, logicalId } of lambdaFunctions(template)) {
    const group = logicalId.replace(/LambdaFunction$/u, 'LogGroup');
    const logging = allowed().filter((each) => each.role === role && each.action.startsWith('logs:'));
    expect(logging).toEqual([
      { role, action: 'logs:CreateLogStream', resource: `<${group}.Arn>` },
      { role, action: 'logs:PutLogEvents', resource: `<${group}.Arn>` },
    ]);
  }
});
