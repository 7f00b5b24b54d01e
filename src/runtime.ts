/**
 * Where the adapters are chosen and a Lambda is made of a function over ports. A handler file is one call of
 * `lambdaHandler`; nothing below `handlers` and `steps` knows which store or engine it runs on.
 */
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { type Config, readConfig } from './config.ts';
import { dynamoLedger } from './ledger/dynamodb/dynamodb.ts';
import type { Ledger } from './ledger/ledger.ts';
import { jsonLog, type Log } from './log.ts';
import { eventBridgeNotifier, logNotifier, type Notifier } from './notifications/eventbridge.ts';
import { fileStore } from './storage/files/files.ts';
import type { ObjectStore } from './storage/object-store.ts';
import { s3Store } from './storage/s3/s3.ts';

export interface Ports {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  /** Step Functions, or the embedded engine behind the same API. */
  readonly engine: SFNClient;
  readonly clock: () => Date;
  readonly log: Log;
}

/** One invocation: how long it may take, and a log that carries its execution. */
export interface Call {
  /** Milliseconds until the platform ends this invocation. */
  readonly remainingMs: () => number;
  readonly log: Log;
}

/** The part of the Lambda context that is used. The embedded engine passes the same. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
}

export type LambdaHandler = (event: unknown, context: InvocationContext) => Promise<unknown>;

/**
 * A Lambda handler: parses the event, builds the ports once per configuration, calls the function.
 * `about` picks the fields that every log line of the invocation carries.
 */
export function lambdaHandler<Event, Result>(
  event: z.ZodType<Event>,
  make: (ports: Ports) => (event: Event, call: Call) => Promise<Result>,
  about: (event: Event) => Record<string, unknown> = () => ({}),
): LambdaHandler {
  return async (raw, context) => {
    const ports = portsFor(readConfig(process.env));
    const parsed = event.parse(raw);
    const log = ports.log.with(about(parsed));
    return make({ ...ports, log })(parsed, { remainingMs: () => context.getRemainingTimeInMillis(), log });
  };
}

const built = new Map<string, Ports>();

/** The adapters for a configuration; the same ones for the same configuration. */
export function portsFor(config: Config): Ports {
  const identity = JSON.stringify([
    config,
    process.env['AWS_ENDPOINT_URL_SFN'],
    process.env['AWS_ENDPOINT_URL_DYNAMODB'],
  ]);
  const known = built.get(identity);
  if (known) return known;
  const clock = (): Date => new Date();
  const log = jsonLog((line) => process.stderr.write(`${line}\n`), config.logLevel);
  const ports: Ports = {
    config,
    store: config.store.kind === 's3' ? s3Store(new S3Client({})) : fileStore(config.store.workspace),
    ledger: dynamoLedger({ client: new DynamoDBClient({}), table: config.ledgerTable, clock }),
    notifier: config.eventBusName
      ? eventBridgeNotifier(new EventBridgeClient({}), config.eventBusName)
      : logNotifier(log),
    engine: new SFNClient({}),
    clock,
    log,
  };
  built.set(identity, ports);
  return ports;
}
