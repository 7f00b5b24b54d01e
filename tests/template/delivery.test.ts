import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { z } from 'zod';
import { resource, resourcesOfType, roleStatements, statements, text } from '../support/cloudformation.ts';
import { imageRequest, invokeTask, type LambdaTask, unpackTask } from '../support/lambda-task.ts';
import { type Package, packaged, PACKAGING_MS, type Template } from '../support/packaged-template.ts';
import { testConfig } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';
import { type PublishedPipeline, startPublishedPipeline } from '../support/published.ts';

const Behaviour = z.looseObject({
  PathPattern: z.string().optional(),
  TargetOriginId: z.string(),
  ViewerProtocolPolicy: z.string(),
  AllowedMethods: z.array(z.string()),
  Compress: z.boolean(),
  FunctionAssociations: z.array(z.object({ EventType: z.string(), FunctionARN: z.unknown() })),
});
const Distribution = z.looseObject({
  Origins: z.array(z.looseObject({ Id: z.string(), DomainName: z.unknown(), OriginAccessControlId: z.unknown() })),
  DefaultCacheBehavior: Behaviour,
  CacheBehaviors: z.array(Behaviour),
});

let made: Package;
let template: Template;
let distribution: z.infer<typeof Distribution>;
beforeAll(async () => {
  made = await packaged();
  ({ template } = made);
  distribution = Distribution.parse(resource(template, 'ImageDistribution').Properties['DistributionConfig']);
}, PACKAGING_MS);

const thisDistribution = 'arn:<AWS::Partition>:cloudfront::<AWS::AccountId>:distribution/<ImageDistribution>';

test('a stage without delivery has none of its resources', () => {
  const types = /^AWS::(CloudFront::|Lambda::Url)/u;
  const found = Object.entries(template.Resources).filter(([id, { Type }]) => types.test(Type) || /Deliver/u.test(id));
  expect(found.length).toBeGreaterThan(12);
  expect(found.filter(([, { Condition }]) => Condition !== 'Delivery').map(([id]) => id)).toEqual([]);
  expect(template.Conditions['Delivery']).toEqual({ 'Fn::Equals': [{ Ref: 'Delivery' }, 'true'] });
  expect(template.Parameters['Delivery']).toMatchObject({ Default: 'false', AllowedValues: ['true', 'false'] });
});

describe('the image server', () => {
  test('reads the published bucket and has no other permission but to log and trace', () => {
    const granted = roleStatements(template, 'DeliverImageRole').map(({ sid, actions, resources }) => [
      sid,
      actions,
      resources,
    ]);
    expect(granted).toEqual([
      ['Log', ['logs:CreateLogStream', 'logs:PutLogEvents'], ['<DeliverImageLogGroup.Arn>']],
      ['Traces', ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*']],
      ['ReadPublished', ['s3:GetObject'], ['<PublishedBucket.Arn>/*']],
      ['SeePublished', ['s3:ListBucket'], ['<PublishedBucket.Arn>']],
    ]);
  });
});

test('the function for thumbnails also stores thumbnails, and nothing else', () => {
  const writing = roleStatements(template, 'DeliverThumbnailRole').filter(
    ({ effect, actions }) =>
      effect === 'Allow' && actions.some((action) => !/^(logs|xray|s3:(Get|List))/u.test(action)),
  );
  expect(writing).toMatchObject([{ actions: ['s3:PutObject'], resources: ['<PublishedBucket.Arn>/*/thumbnails/*'] }]);
});

test.each(['DeliverImage', 'DeliverThumbnail'])('%s is called by this distribution only', (name) => {
  expect(resource(template, `${name}LambdaFunctionUrl`).Properties).toMatchObject({
    AuthType: 'AWS_IAM',
    InvokeMode: 'RESPONSE_STREAM',
  });
  const permissions = resourcesOfType(template, 'AWS::Lambda::Permission')
    .map(([, { Properties }]) => Properties)
    .filter(({ FunctionName }) => text(FunctionName) === `<${name}LambdaFunction>`);
  expect(permissions.map(({ Action }) => Action).sort()).toEqual(['lambda:InvokeFunction', 'lambda:InvokeFunctionUrl']);
  for (const { Principal, SourceArn } of permissions) {
    expect([Principal, text(SourceArn)]).toEqual(['cloudfront.amazonaws.com', thisDistribution]);
  }
});

test('the published bucket is read by this distribution, if there is one, and by nobody else', () => {
  const policy = resource(template, 'PublishedBucketPolicy').Properties['PolicyDocument'];
  const allowing = (given: string[]): ReturnType<typeof statements> =>
    statements(policy, given).filter(({ effect }) => effect === 'Allow');
  expect(allowing([])).toEqual([]);
  const [reading, ...others] = allowing(['Delivery']);
  expect(others).toEqual([]);
  expect(reading).toMatchObject({
    principal: { Service: 'cloudfront.amazonaws.com' },
    actions: ['s3:GetObject'],
    resources: ['<PublishedBucket.Arn>/*'],
  });
  expect(text(reading?.condition['StringEquals']?.['aws:SourceArn'])).toBe(thisDistribution);
});

describe('the distribution', () => {
  test('has the image server and the published bucket as origins, and signs its requests to both', () => {
    expect(distribution.Origins.map(({ Id, OriginAccessControlId }) => [Id, text(OriginAccessControlId)])).toEqual([
      ['images', '<ImageAccess>'],
      ['thumbnails', '<ImageAccess>'],
      ['files', '<FileAccess>'],
    ]);
    const controls = resourcesOfType(template, 'AWS::CloudFront::OriginAccessControl');
    const configurations = controls.map(([id, { Properties }]) => [id, Properties['OriginAccessControlConfig']]);
    expect(Object.fromEntries(configurations)).toMatchObject({
      ImageAccess: { OriginAccessControlOriginType: 'lambda', SigningBehavior: 'always' },
      FileAccess: { OriginAccessControlOriginType: 's3', SigningBehavior: 'always' },
    });
    expect(distribution.Origins[0]?.DomainName).toEqual({
      'Fn::Select': [2, { 'Fn::Split': ['/', { 'Fn::GetAtt': ['DeliverImageLambdaFunctionUrl', 'FunctionUrl'] }] }],
    });
  });

  test('serves files below /files/ as they are and everything else by the image server, by HTTPS, for reading', () => {
    const behaviours = [distribution.DefaultCacheBehavior, ...distribution.CacheBehaviors];
    expect(
      behaviours.map(({ PathPattern, TargetOriginId, Compress }) => [PathPattern, TargetOriginId, Compress]),
    ).toEqual([
      [undefined, 'images', true],
      ['/thumbnails/*', 'thumbnails', true],
      ['/files/*', 'files', false],
    ]);
    for (const { ViewerProtocolPolicy, AllowedMethods } of behaviours) {
      expect(ViewerProtocolPolicy).toBe('redirect-to-https');
      expect(AllowedMethods).toEqual(['GET', 'HEAD', 'OPTIONS']);
    }
    expect(behaviours.map(({ FunctionAssociations: [first] }) => [first?.EventType, text(first?.FunctionARN)])).toEqual(
      [
        ['viewer-request', '<NameImageRequest.FunctionARN>'],
        ['viewer-request', '<NameImageRequest.FunctionARN>'],
        ['viewer-request', '<NameFile.FunctionARN>'],
      ],
    );
  });

  test('passes the headers that its function sets to the image server', () => {
    const headersOf = (id: string, ...path: string[]): unknown =>
      path.reduce<unknown>(
        (value, name) => (value as Record<string, unknown>)[name],
        resource(template, id).Properties,
      );
    const inKey = headersOf(
      'ImageCachePolicy',
      'CachePolicyConfig',
      'ParametersInCacheKeyAndForwardedToOrigin',
      'HeadersConfig',
    );
    const beside = headersOf('ImageRequestPolicy', 'OriginRequestPolicyConfig', 'HeadersConfig');
    expect(inKey).toEqual({ HeaderBehavior: 'whitelist', Headers: ['Accept', 'X-Stepwell-Host'] });
    expect(beside).toEqual({ HeaderBehavior: 'whitelist', Headers: ['X-Stepwell-Path'] });
  });
});

const Request = z.object({ uri: z.string(), headers: z.record(z.string(), z.object({ value: z.string() })) });

/** The request after the CloudFront function. */
function requested(id: string, uri: string, headers: Record<string, string> = {}): z.infer<typeof Request> {
  const { FunctionCode } = z.object({ FunctionCode: z.string() }).parse(resource(template, id).Properties);
  const given = Object.entries({ host: 'images.example.org', ...headers }).map(([name, value]) => [name, { value }]);
  const request = { uri, headers: Object.fromEntries(given) as unknown };
  const returned: unknown = runInNewContext(`${FunctionCode}; handler({ request })`, { request });
  return Request.parse(returned);
}

describe('a request to the image server', () => {
  test('states host and path as the viewer sent them', () => {
    const { uri, headers } = requested('NameImageRequest', '/iiif/3/a%2Fb%20c/info.json', {
      'x-stepwell-host': 'elsewhere.example.org',
      'x-stepwell-path': '/other',
    });
    expect(uri).toBe('/iiif/3/a%2Fb%20c/info.json');
    expect(headers['x-stepwell-host']).toEqual({ value: 'images.example.org' });
    expect(headers['x-stepwell-path']).toEqual({ value: uri });
  });

  test.each([
    ['/iiif/3/a/info.json', 'application/ld+json;profile="x", */*', 'application/ld+json'],
    ['/iiif/3/a/info.json', 'application/json', '*/*'],
    ['/iiif/3/a/info.json', undefined, '*/*'],
    ['/iiif/3/a/full/max/0/default.jpg', 'application/ld+json', '*/*'],
  ])('for %s that accepts %s accepts %s', (uri, accept, expected) => {
    const { headers } = requested('NameImageRequest', uri, accept === undefined ? {} : { accept });
    expect(headers['accept']).toEqual({ value: expected });
  });
});

test('a request for a file asks for its key', () => {
  expect(requested('NameFile', '/files/letters/a%20b.tif').uri).toBe('/letters/a%20b.tif');
});

describe('the packaged image server', () => {
  const Streamed = z.object({ statusCode: z.number(), headers: z.record(z.string(), z.string()), body: z.base64() });
  let pipeline: PublishedPipeline;
  let folder: string;
  let task: LambdaTask;
  beforeAll(async () => {
    pipeline = await startPublishedPipeline();
    folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-deliver-'));
    task = unpackTask(made, 'deliverImage', folder);
    await pipeline.run('a/b c.png', await pictureOf(300, 200).png().toBuffer());
  }, PACKAGING_MS);
  afterAll(async () => {
    await pipeline.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** The answer of the function, streamed as on Lambda. */
  async function answerTo(urlPath: string) {
    const environment = {
      OBJECT_STORE: `files:${pipeline.workspace}`,
      WORK_BUCKET: 'work',
      PUBLISHED_BUCKET: testConfig.publishedBucket,
      LEDGER_TABLE: 'ledger',
    };
    const { result } = await invokeTask(task, imageRequest(urlPath), environment);
    const { statusCode, headers, body } = Streamed.parse(result);
    return { statusCode, headers, body: Buffer.from(body, 'base64') };
  }

  test('names an image by the host and the path that the viewer sent', async () => {
    const { statusCode, body } = await answerTo('/iiif/3/a%2Fb%20c/info.json');
    expect(statusCode).toBe(200);
    expect(JSON.parse(body.toString())).toMatchObject({
      id: 'https://images.example.org/iiif/3/a%2Fb%20c',
      width: 300,
      height: 200,
    });
  });

  test('streams an image', async () => {
    const { statusCode, headers, body } = await answerTo('/iiif/3/a%2Fb%20c/full/!100,100/0/default.jpg');
    expect([statusCode, headers['content-type']]).toEqual([200, 'image/jpeg']);
    expect(await sharp(body).metadata()).toMatchObject({ width: 100, height: 67 });
  });

  test('answers with status 404 for an image that is not published', async () => {
    const { statusCode, body } = await answerTo('/iiif/3/none/info.json');
    expect([statusCode, body.toString()]).toEqual([404, expect.stringContaining('"none"')]);
  });
});
