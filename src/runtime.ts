/**
 * Makes a Lambda handler of a function over ports. A handler file is one call of `lambdaHandler`;
 * only this file chooses adapters on AWS.
 */
import type { z } from 'zod';
import { type Config, type DeployedConfig, readConfig } from './config.ts';
import type { Executions } from './executions/executions.ts';
import type { Ledger } from './ledger/ledger.ts';
import { jsonLog, type Log } from './log.ts';
import { logNotifier, type Notifier } from './notifications/notifier.ts';
import type { ObjectStore } from './storage/object-store.ts';

export interface Ports {
  readonly config: Config;
  readonly store: ObjectStore;
  readonly ledger: Ledger;
  readonly notifier: Notifier;
  readonly executions: Executions;
  readonly clock: () => Date;
  readonly log: Log;
}

/** One invocation. */
export interface Call {
  /** Milliseconds until the platform ends this invocation. */
  readonly remainingMs: () => number;
  /** A log whose lines carry the fields that identify the execution. */
  readonly log: Log;
}

/** The part of the Lambda context that is used. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
  /** The ports of a host that runs functions in its own process; undefined on AWS. */
  readonly ports?: Ports;
}

export type LambdaHandler = (event: unknown, context: InvocationContext) => Promise<unknown>;

/**
 * Returns a Lambda handler that parses the event, takes the ports of the host or builds them from
 * the environment, and calls the function. `logFields` picks the fields that every log line of the
 * invocation carries.
 */
export function lambdaHandler<Event, Result>(
  event: z.ZodType<Event>,
  make: (ports: Ports) => (event: Event, call: Call) => Promise<Result>,
  logFields: (event: Event) => Record<string, unknown> = () => ({}),
): LambdaHandler {
  return async (raw, context) => {
    const ports = context.ports ?? (await deployedPorts(readConfig(process.env)));
    const parsed = event.parse(raw);
    const log = ports.log.with(logFields(parsed));
    return make({ ...ports, log })(parsed, { remainingMs: () => context.getRemainingTimeInMillis(), log });
  };
}

/** What a function needs that serves published objects. */
export type Published = Pick<Ports, 'config' | 'store' | 'log'>;

export async function publishedObjects(): Promise<Published> {
  const config = readConfig(process.env);
  return { config, store: await chooseStore(config, false), log: deployedLog(config) };
}

const built = new Map<string, Promise<Ports>>();

/** The adapters for a configuration, built once per configuration. */
function deployedPorts(config: DeployedConfig): Promise<Ports> {
  const identity = JSON.stringify(config);
  const ports = built.get(identity) ?? buildPorts(config);
  built.set(identity, ports);
  return ports;
}

async function buildPorts(config: DeployedConfig): Promise<Ports> {
  const clock = (): Date => new Date();
  const log = deployedLog(config);
  const [store, ledger, notifier, executions] = await Promise.all([
    chooseStore(config),
    openLedger(config.ledgerTable, clock),
    chooseNotifier(config.eventBusName, log),
    openExecutions(config.stateMachineArn),
  ]);
  return { config, store, ledger, notifier, executions, clock, log };
}

function deployedLog({ logLevel }: DeployedConfig): Log {
  return jsonLog((line) => process.stderr.write(`${line}\n`), logLevel);
}

// The adapters are imported when they are chosen, so that a host with its own ports does not load
// the AWS SDK.

async function chooseStore({ store, workBucket }: DeployedConfig, writes = true): Promise<ObjectStore> {
  if (store.kind === 'files') return (await import('./storage/files/files.ts')).fileStore(store.workspace);
  const [{ S3Client }, { s3Store }] = await Promise.all([import('@aws-sdk/client-s3'), import('./storage/s3/s3.ts')]);
  return s3Store(new S3Client({}), store.endpoint === undefined || !writes ? {} : { checkedBucket: workBucket });
}

async function openLedger(table: string, clock: () => Date): Promise<Ledger> {
  const [{ DynamoDBClient }, { dynamoLedger }] = await Promise.all([
    import('@aws-sdk/client-dynamodb'),
    import('./ledger/dynamodb/dynamodb.ts'),
  ]);
  return dynamoLedger({ client: new DynamoDBClient({}), table, clock });
}

async function chooseNotifier(eventBusName: string | undefined, log: Log): Promise<Notifier> {
  if (eventBusName === undefined) return logNotifier(log);
  const [{ EventBridgeClient }, { eventBridgeNotifier }] = await Promise.all([
    import('@aws-sdk/client-eventbridge'),
    import('./notifications/eventbridge.ts'),
  ]);
  return eventBridgeNotifier(new EventBridgeClient({}), eventBusName);
}

async function openExecutions(stateMachineArn: string | undefined): Promise<Executions> {
  const [{ SFNClient }, { sfnExecutions }] = await Promise.all([
    import('@aws-sdk/client-sfn'),
    import('./executions/sfn.ts'),
  ]);
  return sfnExecutions(new SFNClient({}), stateMachineArn);
}
