import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hostileKeys } from '../support/hostile-keys.ts';
import { type S3Server, startS3 } from '../support/s3-server.ts';
import { s3Store } from '../../src/storage/s3/s3.ts';
import { listKeys } from '../storage/contract.ts';

interface Plugin {
  readonly hooks: Readonly<Record<'before:remove:remove', () => Promise<void>>>;
}
const EmptyWorkBucket = createRequire(import.meta.url)('../../serverless-plugins/empty-work-bucket.cjs') as new (
  serverless: unknown,
  options: unknown,
  tools: unknown,
) => Plugin;

interface Stack {
  readonly protected?: boolean;
  /** Physical id and status of each resource. */
  readonly resources: Readonly<Record<string, readonly [id: string, status: string]>>;
}

const machine = 'arn:aws:states:eu-west-1:000000000000:stateMachine:stepwell-dev-pyramid';
const deployed: Stack = {
  resources: {
    WorkBucket: ['work', 'CREATE_COMPLETE'],
    PublishedBucket: ['published', 'CREATE_COMPLETE'],
    PyramidStateMachine: [machine, 'UPDATE_COMPLETE'],
  },
};

let s3: S3Server;
let stack: Stack | undefined;
let running: string[];
let notices: string[];
let stopServer: () => Promise<unknown>;
let endpoint: string;

beforeEach(async () => {
  s3 = await startS3(['work', 'published']);
  stack = deployed;
  running = [];
  notices = [];
  const server = createServer((incoming, answer) => void respond(incoming, answer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stopServer = () => {
    server.closeAllConnections();
    return once(server.close(), 'close');
  };
});
afterEach(async () => {
  await stopServer();
  await s3.stop();
});

/** CloudFormation and Step Functions of one stack; all other requests are those of S3. */
async function respond(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
  if (incoming.headers['x-amz-target'] === 'AWSStepFunctions.ListExecutions') {
    const { stateMachineArn, statusFilter } = JSON.parse(await text(incoming)) as Record<string, string>;
    expect([stateMachineArn, statusFilter]).toEqual([machine, 'RUNNING']);
    const executions = running.map((name) => ({ name, executionArn: name, stateMachineArn, status: 'RUNNING' }));
    answer.end(JSON.stringify({ executions }));
  } else if (incoming.headers['content-type'] === 'application/x-www-form-urlencoded') {
    const [status, xml] = cloudFormation(new URLSearchParams(await text(incoming)).get('Action') ?? '');
    answer.writeHead(status, { 'content-type': 'text/xml' }).end(xml);
  } else {
    const { method, url, headers } = incoming;
    const onward = forward(`${s3.endpoint}${url ?? ''}`, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 500, response.headers);
      response.pipe(answer);
    });
    incoming.pipe(onward);
  }
}

function cloudFormation(action: string): [status: number, xml: string] {
  if (!stack) {
    const message = 'Stack with id stepwell-dev does not exist';
    return [
      400,
      `<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>${message}</Message></Error></ErrorResponse>`,
    ];
  }
  const members = Object.entries(stack.resources).map(
    ([id, [physical, status]]) =>
      `<member><LogicalResourceId>${id}</LogicalResourceId><PhysicalResourceId>${physical}</PhysicalResourceId>` +
      `<ResourceStatus>${status}</ResourceStatus></member>`,
  );
  const result =
    action === 'DescribeStacks'
      ? `<Stacks><member><StackName>stepwell-dev</StackName><EnableTerminationProtection>${stack.protected ?? false}</EnableTerminationProtection></member></Stacks>`
      : `<StackResourceSummaries>${members.join('')}</StackResourceSummaries>`;
  return [200, `<${action}Response><${action}Result>${result}</${action}Result></${action}Response>`];
}

function remove(): Promise<void> {
  const config = {
    endpoint,
    region: 'eu-west-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  const provider = {
    getAwsSdkV3Config: () => Promise.resolve(config),
    getCloudFormationClient: () => Promise.resolve(new CloudFormationClient(config)),
    naming: { getStackName: () => 'stepwell-dev' },
  };
  const serverless = { getProvider: () => provider, classes: { Error } };
  const log = { notice: (line: string) => notices.push(line) };
  return new EmptyWorkBucket(serverless, {}, { log }).hooks['before:remove:remove']();
}

const keysOf = (bucket: string): Promise<string[]> => listKeys(s3Store(s3.client), bucket);

describe('serverless remove', () => {
  test('deletes every object of the work bucket, whatever its key, and none of another bucket', async () => {
    // The server of the tests does not decode the character references of line ends in a request.
    const named = hostileKeys.filter((key) => !/[\r\n]/u.test(key));
    const keys = [...named, ...Array.from({ length: 1_500 }, (_, index) => `work/${index}`)];
    for (const key of keys) s3.put('work', key, Buffer.from('x'));
    s3.put('published', 'a.tif', Buffer.from('x'));
    await remove();
    expect(await keysOf('work')).toEqual([]);
    expect(await keysOf('published')).toEqual(['a.tif']);
    expect(notices).toEqual([`Deleted ${keys.length} intermediate objects of the work bucket work`]);
  });

  test('succeeds where the work bucket is empty', async () => {
    await remove();
    expect(notices).toEqual(['Deleted 0 intermediate objects of the work bucket work']);
  });

  test('stops while executions are running, names one of them, and deletes nothing', async () => {
    s3.put('work', 'a', Buffer.from('x'));
    running = ['first-execution', 'second-execution'];
    await expect(remove()).rejects.toThrow(
      /no running executions of .*:stepwell-dev-pyramid but received 2, such as first-execution\. .* stop-execution/u,
    );
    expect(await keysOf('work')).toEqual(['a']);
  });

  test('deletes nothing from a stack that is protected against deletion', async () => {
    s3.put('work', 'a', Buffer.from('x'));
    stack = { ...deployed, protected: true };
    await remove();
    expect(await keysOf('work')).toEqual(['a']);
  });

  test('continues where a first attempt has deleted the state machine or the bucket', async () => {
    s3.put('work', 'a', Buffer.from('x'));
    stack = { resources: { ...deployed.resources, PyramidStateMachine: [machine, 'DELETE_COMPLETE'] } };
    running = ['never asked for'];
    await remove();
    expect(await keysOf('work')).toEqual([]);
    stack = { resources: { WorkBucket: ['work-that-is-gone', 'DELETE_COMPLETE'] } };
    await expect(remove()).resolves.toBeUndefined();
  });

  test('leaves a stack that does not exist to the framework', async () => {
    stack = undefined;
    await expect(remove()).resolves.toBeUndefined();
  });

  test('reports an object that cannot be deleted', async () => {
    s3.put('work', 'a', Buffer.from('x'));
    s3.failNext(1, { status: 403, code: 'AccessDenied', matching: ({ method }) => method === 'POST' });
    await expect(remove()).rejects.toThrow('AccessDenied');
  });
});
