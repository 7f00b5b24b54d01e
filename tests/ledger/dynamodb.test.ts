import { DeleteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { dynamoLedger } from '../../src/ledger/dynamodb/dynamodb.ts';
import { targetId } from '../../src/ledger/dynamodb/items.ts';
import { type Claim, imageStatuses, type Ledger, type LedgerEntry } from '../../src/ledger/ledger.ts';
import { testClock } from '../support/clock.ts';
import { localDynamo, startLedger, type TestLedger } from '../support/ledger.ts';
import { ledgerContract, samples, twoUploads, ownerOf } from './contract.ts';

ledgerContract('DynamoDB', startLedger);

const { metadata, publication, rejection, failure, arn } = samples;

let running: TestLedger;
let ledger: Ledger;
let older: Claim;
beforeAll(async () => {
  running = await startLedger();
  ledger = running.ledger;
});
beforeEach(() => {
  [older] = twoUploads();
});
afterAll(() => running.stop());

async function publish(claim: Claim): Promise<void> {
  await ledger.claim(claim);
  await ledger.published(claim, publication);
}

describe('a reserved public key', () => {
  test('is an item that is not indexed', async () => {
    await ledger.reserveTarget('published', 'maps/a.tif', older);
    const documents = DynamoDBDocumentClient.from(running.client);
    const { Items = [] } = await documents.send(new ScanCommand({ TableName: running.table, ConsistentRead: true }));
    const reserved = Items.filter((item) => String(item['imageId']).startsWith('target#'));
    expect(reserved.length).toBeGreaterThan(0);
    for (const item of reserved) {
      expect(item['imageId']).toMatch(/^target#[0-9a-f]{32}$/u);
      expect(item).not.toHaveProperty('status');
    }
    for (const status of imageStatuses) {
      for await (const { imageId } of ledger.listByStatus(status)) expect(imageId).toMatch(/^[0-9a-f]{32}$/u);
    }
  });
});

test('a public key that an earlier version reserved is released by its owner only', async () => {
  const [other] = twoUploads();
  const target = ['published', `maps/${older.imageId}.tif`] as const;
  await DynamoDBDocumentClient.from(running.client).send(
    new PutCommand({
      TableName: running.table,
      Item: {
        imageId: targetId(...target),
        ownerImageId: older.imageId,
        ownerBucket: older.bucket,
        ownerKey: older.key,
      },
    }),
  );
  expect(await ledger.reserveTarget(...target, other)).toEqual(ownerOf(older));
  await ledger.releaseTarget(...target, older);
  expect(await ledger.reserveTarget(...target, other)).toBeUndefined();
});

describe('after a write was refused', () => {
  const reads: unknown[] = [];
  /** Called once, before the table answers the next read. */
  let meanwhile: () => Promise<unknown> = () => Promise.resolve();

  beforeAll(() => {
    running.client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'GetItemCommand') {
            reads.push(args.input);
            const happens = meanwhile;
            meanwhile = () => Promise.resolve();
            await happens();
          }
          return next(args);
        },
      { step: 'initialize', name: 'meanwhile' },
    );
  });
  afterAll(() => {
    running.client.middlewareStack.remove('meanwhile');
  });

  const remove = (claim: Claim) => (): Promise<unknown> =>
    DynamoDBDocumentClient.from(running.client).send(
      new DeleteCommand({ TableName: running.table, Key: { imageId: claim.imageId } }),
    );

  test('a public key that is released before its owner is read is reserved', async () => {
    const [other] = twoUploads();
    const target = ['published', `maps/${older.imageId}.tif`] as const;
    await ledger.reserveTarget(...target, older);
    meanwhile = () => ledger.releaseTarget(...target, older);
    expect(await ledger.reserveTarget(...target, other)).toBeUndefined();
    expect(await ledger.reserveTarget(...target, older)).toEqual(ownerOf(other));
  });

  test('an entry that is removed before it is read can be claimed at the next attempt', async () => {
    await publish(older);
    meanwhile = remove(older);
    await expect(ledger.claim(older)).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
    expect(await ledger.claim(older)).toEqual({ claimed: true });
  });

  test('the item is read consistently', async () => {
    await publish(older);
    reads.length = 0;
    await ledger.claim(older);
    await ledger.assertCurrent(older);
    expect(reads).toMatchObject([{ ConsistentRead: true }, { ConsistentRead: true }]);
  });
});

test('a list that DynamoDB returns in several pages is complete and in order', async () => {
  const documents = DynamoDBDocumentClient.from(running.client);
  const cause = 'x'.repeat(300_000);
  for (let index = 0; index < 5; index++) {
    const [claim] = twoUploads();
    const updatedAt = `2026-11-01T00:0${index}:00.000Z`;
    const failed = { ...claim, status: 'ABORTED', updatedAt, etag: `big${index}`, failure: { error: 'E', cause } };
    await documents.send(new PutCommand({ TableName: running.table, Item: failed }));
  }
  const found: unknown[] = [];
  for await (const { etag } of ledger.listByStatus('ABORTED')) found.push(etag);
  expect(found).toEqual(['big0', 'big1', 'big2', 'big3', 'big4']);
});

describe('when the table is unavailable', () => {
  let server: Server;
  let answer: { status: number; type: string };
  let unanswered: Ledger;
  beforeAll(async () => {
    server = createServer((request, response) => {
      request.resume();
      if (answer.status === 0) {
        response.destroy();
        return;
      }
      response.writeHead(answer.status, { 'content-type': 'application/x-amz-json-1.0' });
      response.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${answer.type}`, message: 'no' }));
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const client = localDynamo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    unanswered = dynamoLedger({ client, table: 'ledger', clock: testClock() });
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const first = async (entries: AsyncIterable<LedgerEntry>): Promise<unknown> => {
    for await (const found of entries) return found;
    return undefined;
  };
  const calls: [string, () => Promise<unknown>][] = [
    ['claim', () => unanswered.claim(older)],
    ['started', () => unanswered.started(older, arn)],
    ['recordMetadata', () => unanswered.recordMetadata(older, metadata)],
    ['reserveTarget', () => unanswered.reserveTarget('published', 'a.tif', older)],
    ['releaseTarget', () => unanswered.releaseTarget('published', 'a.tif', older)],
    ['assertCurrent', () => unanswered.assertCurrent(older)],
    ['published', () => unanswered.published(older, publication)],
    ['outputsPublished', () => unanswered.outputsPublished(older, [])],
    ['sidecarPublished', () => unanswered.sidecarPublished(older, { key: 'a.tif.json' })],
    ['rejected', () => unanswered.rejected(older, rejection)],
    ['superseded', () => unanswered.superseded(older)],
    ['ended', () => unanswered.ended(older, 'FAILED', failure)],
    ['resumed', () => unanswered.resumed(older)],
    ['get', () => unanswered.get(older.imageId)],
    ['listByStatus', () => first(unanswered.listByStatus('FAILED'))],
    ['listPublished', () => unanswered.listPublished('published', { limit: 1 })],
    ['findPublished', () => unanswered.findPublished('published', 'a.tif')],
    ['findAllPublished', () => unanswered.findAllPublished('published', ['a.tif'])],
  ];
  const unavailable: [string, number, string][] = [
    ['a throttle', 400, 'ProvisionedThroughputExceededException'],
    ['a request throttle', 400, 'ThrottlingException'],
    ['an internal error', 500, 'InternalServerError'],
    ['a bad gateway', 502, 'Unknown'],
    ['a lost connection', 0, ''],
  ];

  test.each(calls)('%s throws ServiceUnavailableError', async (_name, call) => {
    for (const [, status, type] of unavailable) {
      answer = { status, type };
      await expect(call()).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
    }
  });

  test('an error that is not retryable keeps its name', async () => {
    answer = { status: 400, type: 'ResourceNotFoundException' };
    await expect(unanswered.get(older.imageId)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  test('a refused connection throws ServiceUnavailableError', async () => {
    const unreachable = dynamoLedger({
      client: localDynamo('http://127.0.0.1:1'),
      table: 'ledger',
      clock: testClock(),
    });
    await expect(unreachable.get(older.imageId)).rejects.toMatchObject({ name: 'ServiceUnavailableError' });
  });
});

describe('a page of published images', () => {
  type Answer = (operation: string, body: string) => object;
  let server: Server;
  let answer: Answer;
  let requests: { operation: string; body: unknown }[];
  let stubbed: Ledger;
  beforeAll(async () => {
    server = createServer((request, response) => {
      void text(request).then((body) => {
        const operation = String(request.headers['x-amz-target']).replace(/^.*\./u, '');
        requests.push({ operation, body: JSON.parse(body) });
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
        response.end(JSON.stringify(answer(operation, body)));
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    const client = localDynamo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    stubbed = dynamoLedger({ client, table: 'ledger', clock: testClock() });
  });
  beforeEach(() => {
    requests = [];
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const attributes = (imageId: string): object => ({
    imageId: { S: imageId },
    publishedBucket: { S: 'published' },
    publishedAt: { S: '2026-11-01T00:00:00.000Z' },
  });

  test('of a search without hits ends after 5 queries, and the next page goes on where it ended', async () => {
    answer = () => ({ Items: [], LastEvaluatedKey: attributes(`after query ${requests.length}`) });
    const { entries, next } = await stubbed.listPublished('published', { limit: 10, words: ['blaeu'] });
    expect([entries, requests.length]).toEqual([[], 5]);
    expect(requests[0]?.body).toMatchObject({ IndexName: 'byPublication', Limit: 1000, ScanIndexForward: false });
    await stubbed.listPublished('published', { limit: 10, words: ['blaeu'], after: next });
    expect(requests[5]?.body).toMatchObject({ ExclusiveStartKey: attributes('after query 5') });
  });

  test('has the entries that DynamoDB returns at the second attempt, and none that was removed', async () => {
    const image = (imageId: string): object => ({
      ...attributes(imageId),
      ...Object.fromEntries(['sequence', 'bucket', 'key', 'recipe', 'updatedAt'].map((name) => [name, { S: '' }])),
      status: { S: 'PUBLISHED' },
      published: {
        M: {
          ...Object.fromEntries(['bucket', 'key', 'etag'].map((name) => [name, { S: imageId }])),
          ...Object.fromEntries(['size', 'width', 'height', 'levels', 'tileSize'].map((name) => [name, { N: '1' }])),
        },
      },
    });
    answer = (operation) => {
      if (operation === 'Query') return { Items: ['a', 'b', 'gone'].map(attributes) };
      return requests.length === 2
        ? { Responses: { ledger: [image('b')] }, UnprocessedKeys: { ledger: { Keys: [{ imageId: { S: 'a' } }] } } }
        : { Responses: { ledger: [image('a')] }, UnprocessedKeys: {} };
    };
    const { entries, next } = await stubbed.listPublished('published', { limit: 10 });
    expect(entries.map(({ imageId }) => imageId)).toEqual(['a', 'b']);
    expect(next).toBeUndefined();
  });
});

test('items with attributes of a later version can be read', async () => {
  await ledger.claim(older);
  const documents = DynamoDBDocumentClient.from(running.client);
  const key = { TableName: running.table, Key: { imageId: older.imageId } };
  const { Item } = await documents.send(new GetCommand(key));
  await documents.send(new PutCommand({ TableName: running.table, Item: { ...Item, colour: 'sepia' } }));
  expect(await ledger.get(older.imageId)).toEqual({
    ...older,
    status: 'CLAIMED',
    updatedAt: running.clock().toISOString(),
  });
});
