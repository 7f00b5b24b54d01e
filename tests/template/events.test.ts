import { beforeAll, describe, expect, test } from '@jest/globals';
import { lambdaFunctions, resource, resourcesOfType, statements, text } from '../support/cloudformation.ts';
import { packaged, PACKAGING_MS, type Template } from '../support/packaged-template.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await packaged());
}, PACKAGING_MS);

function properties(id: string): Record<string, unknown> {
  return resource(template, id).Properties;
}

describe('uploads', () => {
  test('only objects created in the source bucket start an execution, except folder markers', () => {
    const { EventPattern, State, ScheduleExpression } = properties('UploadRule');
    expect(EventPattern).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: {
        bucket: { name: [{ 'Fn::If': ['OwnSourceBucket', { Ref: 'SourceBucket' }, { Ref: 'SourceBucketName' }] }] },
        object: { key: [{ 'anything-but': { suffix: '/' } }] },
      },
    });
    expect(State).toBeUndefined();
    expect(ScheduleExpression).toBeUndefined();
    expect(template.Conditions['OwnSourceBucket']).toEqual({ 'Fn::Equals': [{ Ref: 'SourceBucketName' }, ''] });
  });

  test('only the source bucket sends events, so that no output starts an execution', () => {
    const talking = resourcesOfType(template, 'AWS::S3::Bucket').filter(
      ([, { Properties }]) => 'NotificationConfiguration' in Properties,
    );
    expect(talking.map(([id]) => id)).toEqual(['SourceBucket']);
    expect(properties('SourceBucket')['NotificationConfiguration']).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
  });

  test('source, work and published are three different buckets, so that no output starts an execution', () => {
    for (const { key, properties: found } of lambdaFunctions(template)) {
      const { WORK_BUCKET, PUBLISHED_BUCKET } = found.Environment.Variables;
      expect([key, text(WORK_BUCKET), text(PUBLISHED_BUCKET)]).toEqual([key, '<WorkBucket>', '<PublishedBucket>']);
    }
    // CloudFormation generates the names, which are therefore unique.
    for (const id of ['SourceBucket', 'WorkBucket', 'PublishedBucket'])
      expect(properties(id)).not.toHaveProperty('BucketName');
  });

  test('only the upload rule and the upload queue can invoke startPyramid', () => {
    const mappings = resourcesOfType(template, 'AWS::Lambda::EventSourceMapping');
    expect(mappings).toHaveLength(1);
    expect(mappings[0]?.[1].Properties).toMatchObject({
      FunctionName: { 'Fn::GetAtt': ['StartPyramidLambdaFunction', 'Arn'] },
      EventSourceArn: { 'Fn::GetAtt': ['UploadQueue', 'Arn'] },
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 5 },
    });
    const permissions = resourcesOfType(template, 'AWS::Lambda::Permission');
    const invocable = new Set(permissions.map(([, { Properties }]) => text(Properties['FunctionName'])));
    expect([...invocable].sort()).toEqual([
      '<DeliverImageLambdaFunction>',
      '<DeliverThumbnailLambdaFunction>',
      '<RecordOutcomeLambdaFunction>',
    ]);
    expect(targets('UploadRule')).toEqual([{ arn: '<UploadQueue.Arn>', deadLetters: '<UploadDeadLetters.Arn>' }]);
  });

  test('a message is not delivered again while it is processed, and goes to the dead-letter queue after five attempts', () => {
    const start = lambdaFunctions(template).find(({ key }) => key === 'startPyramid');
    const { VisibilityTimeout, RedrivePolicy } = properties('UploadQueue');
    expect(Number(VisibilityTimeout)).toBeGreaterThanOrEqual(6 * (start?.properties.Timeout ?? NaN));
    expect(RedrivePolicy).toEqual({
      deadLetterTargetArn: { 'Fn::GetAtt': ['UploadDeadLetters', 'Arn'] },
      maxReceiveCount: 5,
    });
  });
});

describe('outcomes', () => {
  test('every status change of this state machine, and of no other, invokes recordOutcome', () => {
    const { EventPattern } = properties('OutcomeRule');
    expect(EventPattern).toEqual({
      source: ['aws.states'],
      'detail-type': ['Step Functions Execution Status Change'],
      detail: {
        stateMachineArn: [
          {
            'Fn::Sub':
              'arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:stateMachine:stepwell-dev-pyramid',
          },
        ],
      },
    });
    expect(targets('OutcomeRule')).toEqual([
      { arn: '<RecordOutcomeLambdaFunction.Arn>', deadLetters: '<OutcomeDeadLetters.Arn>' },
    ]);
  });

  test('only the outcome rule may invoke recordOutcome', () => {
    expect(properties('OutcomeRuleMayInvoke')).toEqual({
      Action: 'lambda:InvokeFunction',
      FunctionName: { Ref: 'RecordOutcomeLambdaFunction' },
      Principal: 'events.amazonaws.com',
      SourceArn: { 'Fn::GetAtt': ['OutcomeRule', 'Arn'] },
    });
  });

  test('an outcome that could not be written is retried and then kept in the dead-letter queue', () => {
    const configurations = resourcesOfType(template, 'AWS::Lambda::EventInvokeConfig');
    expect(configurations).toHaveLength(1);
    expect(configurations[0]?.[1].Properties).toMatchObject({
      FunctionName: { Ref: 'RecordOutcomeLambdaFunction' },
      MaximumRetryAttempts: 2,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['OutcomeDeadLetters', 'Arn'] } } },
    });
  });
});

test.each([
  ['UploadQueue', 'UploadRule'],
  ['UploadDeadLetters', 'UploadRule'],
  ['OutcomeDeadLetters', 'OutcomeRule'],
])('%s takes messages from %s only', (queue, rule) => {
  const allowed = resourcesOfType(template, 'AWS::SQS::QueuePolicy')
    .filter(([, { Properties }]) => JSON.stringify(Properties['Queues']) === JSON.stringify([{ Ref: queue }]))
    .flatMap(([, { Properties }]) => statements(Properties['PolicyDocument']))
    .filter(({ effect }) => effect === 'Allow');
  expect(allowed).toEqual([
    {
      sid: 'RuleMaySend',
      effect: 'Allow',
      principal: { Service: 'events.amazonaws.com' },
      actions: ['sqs:SendMessage'],
      resources: [`<${queue}.Arn>`],
      condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [rule, 'Arn'] } } },
    },
  ]);
});

test('alarms monitor failures, dead letters and the age of the queue, and notify the topic if there is one', () => {
  const alarms = resourcesOfType(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const watched = alarms.map(({ MetricName, Dimensions }) => [
    MetricName,
    JSON.stringify(Dimensions).replace(/.*"Value":/u, ''),
  ]);
  expect(watched).toEqual([
    ['ExecutionsFailed', '{"Ref":"PyramidStateMachine"}}]'],
    ['ExecutionsTimedOut', '{"Ref":"PyramidStateMachine"}}]'],
    ['ApproximateNumberOfMessagesVisible', '{"Fn::GetAtt":["UploadDeadLetters","QueueName"]}}]'],
    ['ApproximateNumberOfMessagesVisible', '{"Fn::GetAtt":["OutcomeDeadLetters","QueueName"]}}]'],
    ['ApproximateAgeOfOldestMessage', '{"Fn::GetAtt":["UploadQueue","QueueName"]}}]'],
    ['Url5xxCount', '{"Ref":"DeliverImageLambdaFunction"}}]'],
    ['Throttles', '{"Ref":"DeliverImageLambdaFunction"}}]'],
  ]);
  for (const { AlarmActions } of alarms) {
    expect(AlarmActions).toEqual([{ 'Fn::If': ['HasAlarmTopic', { Ref: 'AlarmTopicArn' }, { Ref: 'AWS::NoValue' }] }]);
  }
});

function targets(rule: string): { arn: string; deadLetters: string }[] {
  const found = properties(rule)['Targets'];
  if (!Array.isArray(found)) throw new Error(`Expected targets for ${rule}`);
  return found.map((target: Record<string, Record<string, unknown>>) => ({
    arn: text(target['Arn']),
    deadLetters: text(target['DeadLetterConfig']?.['Arn']),
  }));
}
