import { mkdirSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { ledgerTable } from '../ledger/dynamodb/dynamodb.ts';

export interface LedgerServer {
  /** URL to give to a DynamoDB client as its endpoint. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Serves the ledger's table with DynamoDB's API on 127.0.0.1, kept in the directory's `ledger` folder. */
export async function serveLedger({
  directory,
  table,
}: {
  readonly directory: string;
  readonly table: string;
}): Promise<LedgerServer> {
  const path = join(directory, 'ledger');
  mkdirSync(path, { recursive: true });
  const server = dynalite({ path, createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  const { promise: listening, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(0, '127.0.0.1', () => {
    resolve(undefined);
  });
  await listening;
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await createTable(endpoint, table);
  } catch (error) {
    await close(server);
    throw error;
  }
  return { endpoint, stop: () => close(server) };
}

async function createTable(endpoint: string, table: string): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
  try {
    await client.send(new CreateTableCommand({ ...ledgerTable, TableName: table })).catch(unlessThere);
    await whenActive(client, table);
  } finally {
    client.destroy();
  }
}

function unlessThere(error: unknown): void {
  if (!(error instanceof ResourceInUseException)) throw error;
}

async function whenActive(client: DynamoDBClient, table: string): Promise<void> {
  for (;;) {
    const { Table: found } = await client.send(new DescribeTableCommand({ TableName: table }));
    if (found?.TableStatus === 'ACTIVE') return;
    await setTimeout(10);
  }
}

async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve, reject) => {
    server.close((error) => {
      if (error) reject(error);
      else resolve();
    });
  });
  server.closeAllConnections();
  await closed;
}
