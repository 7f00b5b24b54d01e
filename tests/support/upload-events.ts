/** Upload events as S3 sends them. */
export interface TestObject {
  readonly key: string;
  readonly size?: number;
  readonly sequencer?: string;
  readonly versionId?: string | null;
}

/** Encodes as application/x-www-form-urlencoded, with an encoder of Node.js. */
export function formEncoded(key: string): string {
  return new URLSearchParams([['', key]]).toString().slice(1);
}

/** One record of an S3 notification. */
export function s3Record({ key, size = 4_096, sequencer = '0055AED6DCD90281E5', versionId }: TestObject): object {
  return {
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    awsRegion: 'us-east-1',
    eventTime: '2026-11-01T00:00:00.000Z',
    eventName: 'ObjectCreated:Put',
    s3: {
      s3SchemaVersion: '1.0',
      bucket: { name: 'masters', arn: 'arn:aws:s3:::masters' },
      object: {
        key: formEncoded(key),
        size,
        eTag: 'd41d8cd98f00b204e9800998ecf8427e',
        ...(versionId === undefined ? {} : { versionId }),
        sequencer,
      },
    },
  };
}

export function bridgeEvent({ key, size = 4_096, sequencer = '0055AED6DCD90281E5', versionId }: TestObject): object {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '123456789012',
    time: '2026-11-01T00:00:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:s3:::masters'],
    detail: {
      version: '0',
      bucket: { name: 'masters' },
      object: {
        key,
        size,
        etag: 'd41d8cd98f00b204e9800998ecf8427e',
        ...(versionId === undefined ? {} : { 'version-id': versionId }),
        sequencer,
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      reason: 'PutObject',
    },
  };
}

export const testEvent = {
  Service: 'Amazon S3',
  Event: 's3:TestEvent',
  Time: '2026-11-01T00:00:00.000Z',
  Bucket: 'masters',
  RequestId: '5582815E1AEA5ADF',
  HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR',
};

/** A batch of a queue; bodies other than strings are encoded as JSON. Message ids are m0, m1, … */
export function queueEvent(...bodies: unknown[]): unknown {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `m${index}`,
      receiptHandle: `r${index}`,
      body: typeof body === 'string' ? body : JSON.stringify(body),
      attributes: { ApproximateReceiveCount: '1' },
      messageAttributes: {},
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:uploads',
    })),
  };
}
