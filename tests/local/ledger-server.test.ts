import { afterAll, expect, test } from '@jest/globals';
import { DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { serveLedger } from '../../src/local/ledger-server.ts';
import { folder, removeFolders } from '../stepfunctions/project.ts';

afterAll(removeFolders);

test('the ledger is there at once and survives a restart', async () => {
  const directory = folder();
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  const first = await serveLedger({ directory, table: 'ledger' });
  expect(first.endpoint).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  const writer = new DynamoDBClient({ endpoint: first.endpoint, region: 'us-east-1', credentials });
  await writer.send(
    new PutItemCommand({ TableName: 'ledger', Item: { imageId: { S: 'a' }, status: { S: 'CLAIMED' } } }),
  );
  writer.destroy();
  await first.stop();
  const second = await serveLedger({ directory, table: 'ledger' });
  const reader = new DynamoDBClient({ endpoint: second.endpoint, region: 'us-east-1', credentials });
  const { Item: item } = await reader.send(new GetItemCommand({ TableName: 'ledger', Key: { imageId: { S: 'a' } } }));
  expect(item?.['status']?.S).toBe('CLAIMED');
  reader.destroy();
  await second.stop();
});
