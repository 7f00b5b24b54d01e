import { beforeAll, describe, expect, test } from '@jest/globals';
import { ledgerTable } from '../../src/ledger/dynamodb/dynamodb.ts';
import { resource, resourcesOfType, statements, text } from '../support/cloudformation.ts';
import { packaged, PACKAGING_MS, type Template } from '../support/packaged-template.ts';
import { functionKeys } from '../support/service-definition.ts';

const buckets = ['SourceBucket', 'WorkBucket', 'PublishedBucket', 'ServerlessDeploymentBucket'];

let template: Template;
beforeAll(async () => {
  ({ template } = await packaged());
}, PACKAGING_MS);

function properties(id: string): Record<string, unknown> {
  return resource(template, id).Properties;
}

/** The statements of the policies of one bucket or queue. */
function policyOf(
  type: string,
  attached: (properties: Record<string, unknown>) => boolean,
): ReturnType<typeof statements> {
  return resourcesOfType(template, type)
    .filter(([, { Properties }]) => attached(Properties))
    .flatMap(([, { Properties }]) => statements(Properties['PolicyDocument']));
}

function expectTlsOnly(policy: ReturnType<typeof statements>, action: string): void {
  const tls = policy.filter(({ effect }) => effect === 'Deny');
  expect(tls).toHaveLength(1);
  expect(tls[0]).toMatchObject({ principal: '*', actions: [action] });
  expect(String(tls[0]?.condition['Bool']?.['aws:SecureTransport'])).toBe('false');
}

test('the stack has exactly these buckets', () => {
  const ids = resourcesOfType(template, 'AWS::S3::Bucket').map(([id]) => id);
  expect(ids.sort()).toEqual([...buckets].sort());
});

describe.each(buckets)('%s', (id) => {
  test('blocks public access', () => {
    expect(properties(id)['PublicAccessBlockConfiguration']).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(properties(id)).not.toHaveProperty('AccessControl');
    expect(properties(id)['OwnershipControls']).toEqual({ Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] });
  });

  test('is encrypted', () => {
    expect(properties(id)['BucketEncryption']).toEqual({
      ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
    });
  });

  test('accepts TLS connections only, and its policy allows no access', () => {
    const policy = policyOf('AWS::S3::BucketPolicy', ({ Bucket }) => text(Bucket) === `<${id}>`);
    expectTlsOnly(policy, 's3:*');
    expect(policy.filter(({ effect }) => effect === 'Allow')).toEqual([]);
    const arns = policy[0]?.resources ?? [];
    const arn = id === 'ServerlessDeploymentBucket' ? `arn:<AWS::Partition>:s3:::<${id}>` : `<${id}.Arn>`;
    expect([...arns].sort()).toEqual([arn, `${arn}/*`]);
  });
});

describe('retention', () => {
  const unfinished = { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 }, Status: 'Enabled' };
  const rules = (id: string): unknown => properties(id)['LifecycleConfiguration'];

  test('work objects are kept beyond the 14 days of a redrive and expire after 21', () => {
    expect(rules('WorkBucket')).toEqual({
      Rules: [
        { Id: 'work', Status: 'Enabled', ExpirationInDays: 21 },
        { Id: 'unfinished-uploads', ...unfinished },
      ],
    });
  });

  test.each(['SourceBucket', 'PublishedBucket'])('in %s only incomplete uploads expire', (id) => {
    expect(rules(id)).toEqual({ Rules: [{ Id: 'unfinished-uploads', ...unfinished }] });
  });

  test('overwritten masters can be restored', () => {
    expect(properties('SourceBucket')['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
  });

  test('every log group has a retention period', () => {
    const groups = resourcesOfType(template, 'AWS::Logs::LogGroup');
    // The state machine has the additional log group.
    expect(groups).toHaveLength(functionKeys().length + 1);
    for (const [id, { Properties }] of groups) expect([id, Properties['RetentionInDays']]).toEqual([id, 30]);
  });
});

describe('the ledger table', () => {
  test('has the keys and indexes that the ledger uses', () => {
    const { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode } = properties('LedgerTable');
    const asWritten = { AttributeDefinitions, KeySchema, GlobalSecondaryIndexes, BillingMode };
    expect(asWritten).toEqual(ledgerTable);
    expect(GlobalSecondaryIndexes).toEqual([
      {
        IndexName: 'byStatus',
        KeySchema: [
          { AttributeName: 'status', KeyType: 'HASH' },
          { AttributeName: 'updatedAt', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'ALL' },
      },
      {
        IndexName: 'byPublication',
        KeySchema: [
          { AttributeName: 'publishedBucket', KeyType: 'HASH' },
          { AttributeName: 'publishedAt', KeyType: 'RANGE' },
        ],
        Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['searchKey'] },
      },
    ]);
  });

  test('is encrypted and has point-in-time recovery', () => {
    expect(properties('LedgerTable')).toMatchObject({
      SSESpecification: { SSEEnabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    });
  });
});

describe.each(['UploadQueue', 'UploadDeadLetters', 'OutcomeDeadLetters'])('%s', (id) => {
  test('is encrypted, retains messages for 14 days and accepts TLS connections only', () => {
    expect(properties(id)).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: 1_209_600 });
    const policy = policyOf('AWS::SQS::QueuePolicy', ({ Queues }) =>
      [Queues].flat().some((each) => text(each) === `<${id}>`),
    );
    expectTlsOnly(policy, 'sqs:*');
  });
});
