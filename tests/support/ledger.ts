/** A ledger in DynamoDB: dynalite in memory, called over HTTP like the service. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dynamoLedger, ledgerTable } from '../../src/ledger/dynamodb/dynamodb.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { type TestClock, testClock } from './clock.ts';

// dynalite has no types.
const dynalite = createRequire(import.meta.url)('dynalite') as (options: { createTableMs: number }) => Server;

export interface TestLedger {
  readonly ledger: Ledger;
  readonly client: DynamoDBClient;
  readonly endpoint: string;
  readonly table: string;
  readonly clock: TestClock;
  stop(): Promise<void>;
}

/** A DynamoDB client for an endpoint on this machine, without retries. */
export function localDynamo(endpoint: string): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
}

export async function startLedger(): Promise<TestLedger> {
  const server = dynalite({ createTableMs: 0 });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = localDynamo(endpoint);
  const table = 'ledger';
  await client.send(new CreateTableCommand({ TableName: table, ...ledgerTable }));
  const clock = testClock();
  return {
    ledger: dynamoLedger({ client, table, clock }),
    client,
    endpoint,
    table,
    clock,
    stop: async () => {
      client.destroy();
      await new Promise<void>((resolve, reject) => {
        server.close((error) => {
          if (error) reject(error);
          else resolve();
        });
      });
    },
  };
}
