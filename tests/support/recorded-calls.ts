/** Records the calls of AWS clients, and states the permissions that each of them needs. */
import type { Permission } from './iam.ts';

export interface AwsCall {
  /** Name of the SDK's command, such as GetObjectCommand. */
  readonly command: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The service answered that there is no such object. */
  readonly isMissing: boolean;
}

/** The part of a client that is used here; every client of the SDK has it. */
interface RecordableClient {
  readonly middlewareStack: {
    // The type of a middleware names the commands of one client; never is assignable to all.
    add(middleware: never, options: { readonly step: 'initialize'; readonly name: string }): void;
  };
}
interface Request {
  readonly input: object;
}
type Next = (request: Request) => Promise<unknown>;

/** What a client does instead of sending a request. */
export type Answer = (command: string) => unknown;

/**
 * Records every call of a client. Object versions are recorded and not sent, because the server of
 * the tests has none. With `answer` no request is sent at all.
 */
export function recordCalls(client: RecordableClient, record: (call: AwsCall) => void, answer?: Answer): void {
  const middleware = (next: Next, { commandName: command = 'none' }: { readonly commandName?: string }): Next => {
    return async (request) => {
      const input = { ...request.input };
      const report = (isMissing: boolean): void => {
        record({ command, input, isMissing });
      };
      if (answer) {
        report(false);
        return { output: answer(command), response: {} };
      }
      try {
        const result: unknown = await next({ ...request, input: withoutVersion(input) });
        report(false);
        return result;
      } catch (error) {
        report(/^(NoSuchKey|NotFound)$/u.test((error as Error).name));
        throw error;
      }
    };
  };
  client.middlewareStack.add(middleware as never, { step: 'initialize', name: 'recordCalls' });
}

function withoutVersion(input: Readonly<Record<string, unknown>>): object {
  const { CopySource: source } = input;
  const CopySource = typeof source === 'string' ? source.replace(/\?versionId=.*/u, '') : source;
  return { ...input, CopySource, VersionId: undefined };
}

const s3Reading: Readonly<Record<string, string>> = {
  GetObjectCommand: 's3:GetObject',
  HeadObjectCommand: 's3:GetObject',
  GetObjectTaggingCommand: 's3:GetObjectTagging',
};
const s3Writing = new Set([
  'PutObjectCommand',
  'CopyObjectCommand',
  'CreateMultipartUploadCommand',
  'UploadPartCommand',
  'UploadPartCopyCommand',
  'CompleteMultipartUploadCommand',
]);
const s3Deleting: Readonly<Record<string, string>> = {
  DeleteObjectCommand: 's3:DeleteObject',
  AbortMultipartUploadCommand: 's3:AbortMultipartUpload',
};

/**
 * The permissions of a call: Service Authorization Reference, and Amazon S3 API Reference
 * (conditional writes need s3:GetObject; a missing object is reported as such only with
 * s3:ListBucket). `partition`: region and account, as in `us-east-1:000000000000`.
 */
export function permissionsOf({ command, input, isMissing }: AwsCall, regionAndAccount: string): Permission[] {
  const field = (name: string): string => String(input[name]);
  const bucket = `arn:aws:s3:::${field('Bucket')}`;
  const object = `${bucket}/${field('Key')}`;
  const versioned = (action: string): string =>
    input['VersionId'] === undefined ? action : action.replace('Object', 'ObjectVersion');
  const list = isMissing ? [{ action: 's3:ListBucket', resource: bucket }] : [];
  const [reading, deleting] = [s3Reading[command], s3Deleting[command]];
  if (reading !== undefined) return [{ action: versioned(reading), resource: object }, ...list];
  if (deleting !== undefined) return [{ action: versioned(deleting), resource: object }];
  if (s3Writing.has(command)) {
    return [
      { action: 's3:PutObject', resource: object },
      ...(input['IfMatch'] === undefined ? [] : [{ action: 's3:GetObject', resource: object }]),
      ...(input['Tagging'] === undefined ? [] : [{ action: 's3:PutObjectTagging', resource: object }]),
      ...copied(input['CopySource']),
    ];
  }
  if (command === 'ListObjectsV2Command') return [{ action: 's3:ListBucket', resource: bucket }];
  const name = command.replace(/Command$/u, '');
  if (input['TableName'] !== undefined) {
    const index = input['IndexName'] === undefined ? '' : `/index/${field('IndexName')}`;
    const resource = `arn:aws:dynamodb:${regionAndAccount}:table/${field('TableName')}${index}`;
    return [{ action: `dynamodb:${name}`, resource }];
  }
  if (name === 'StartExecution') return [{ action: `states:${name}`, resource: field('stateMachineArn') }];
  if (name === 'DescribeExecution') return [{ action: `states:${name}`, resource: field('executionArn') }];
  if (name === 'PutEvents') {
    const entries = input['Entries'] as { readonly EventBusName: string }[];
    return entries.map(({ EventBusName }) => ({
      action: 'events:PutEvents',
      resource: `arn:aws:events:${regionAndAccount}:event-bus/${EventBusName}`,
    }));
  }
  throw new Error(`Expected a command whose permissions are known but received ${command}`);
}

/** Permissions on the source of a copy: `bucket/key?versionId=…`, URL-encoded. */
function copied(source: unknown): Permission[] {
  if (typeof source !== 'string') return [];
  const [path = '', version] = source.split('?versionId=');
  const action = version === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  return [{ action, resource: `arn:aws:s3:::${decodeURIComponent(path)}` }];
}
