/**
 * A stage in memory: the handlers of all functions, run by the state machine on the embedded engine
 * over an S3 server and a DynamoDB server. Every function has AWS clients of its own, whose calls
 * are recorded.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { readConfig } from '../../src/config.ts';
import { createDelivery } from '../../src/delivery/delivery.ts';
import { sfnExecutions } from '../../src/executions/sfn.ts';
import { dynamoLedger } from '../../src/ledger/dynamodb/dynamodb.ts';
import type { LedgerEntry } from '../../src/ledger/ledger.ts';
import { imageId } from '../../src/ledger/identity.ts';
import { memoryLimits } from '../../src/limits.ts';
import { readFunctions } from '../../src/local/functions.ts';
import { inProcessHost } from '../../src/local/in-process-host.ts';
import { jsonLog } from '../../src/log.ts';
import { eventBridgeNotifier } from '../../src/notifications/eventbridge.ts';
import type { Ports } from '../../src/runtime.ts';
import { s3Store } from '../../src/storage/s3/s3.ts';
import type { FunctionHost } from '../../src/stepfunctions/function-host.ts';
import { type Fixture, serve } from '../stepfunctions/project.ts';
import { everyPage, recipesForPages } from './documents.ts';
import { localDynamo, startLedger, type TestLedger } from './ledger.ts';
import { type AwsCall, recordCalls } from './recorded-calls.ts';
import { type S3Server, startS3 } from './s3-server.ts';
import { queueEvent } from './upload-events.ts';

export const sourceBucket = 'masters';
const stateMachineName = 'stepwell-dev-pyramid';
/** Of the embedded engine. */
export const regionAndAccount = 'us-east-1:000000000000';

type StageConfig = ReturnType<typeof configOf>;

function configOf(recipesDirectory: string) {
  const config = readConfig({
    WORK_BUCKET: 'work',
    PUBLISHED_BUCKET: 'published',
    LEDGER_TABLE: 'ledger',
    RECIPES_BY_PREFIX: `marble/=marble\nlossless/=archival\nzoom/=deepzoom\nbooks/=${everyPage}`,
    RECIPES_DIRECTORY: recipesDirectory,
  });
  // So little that an image of a megapixel is cut into blocks.
  return { ...config, memory: { ...memoryLimits.standard, rendering: 180 * 2 ** 20 } };
}

export interface RecordedStage {
  readonly s3: S3Server;
  /** The calls of each function so far. */
  readonly calls: ReadonlyMap<string, readonly AwsCall[]>;
  /** Uploads a master, sends its event and waits until its execution has ended. */
  upload(key: string, body: Uint8Array, options?: UploadOptions): Promise<LedgerEntry | undefined>;
  /** The ledger entry of a page of a document. */
  pageEntry(key: string, page: number): Promise<LedgerEntry | undefined>;
  /** Removes a public object, as a person may. */
  unpublish(key: string): Promise<unknown>;
  /** Asks the image server for a URL below its root and returns the status of the answer. */
  deliver(path: string): Promise<number>;
  /** Redrives the last execution of a master and waits until it has ended. */
  redrive(key: string): Promise<LedgerEntry | undefined>;
  stop(): Promise<void>;
}

export interface UploadOptions {
  readonly metadata?: Record<string, string>;
  readonly versionId?: string;
  /** How many times the event is delivered. */
  readonly deliveries?: number;
}

export async function startRecordedStage(): Promise<RecordedStage> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-stage-'));
  const config = configOf(await recipesForPages(folder));
  await cp('recipes', config.recipesDirectory, { recursive: true });
  const s3 = await startS3([sourceBucket, config.workBucket, config.publishedBucket]);
  const ledger = await startLedger();
  const calls = new Map<string, AwsCall[]>();
  const recordAs =
    (key: string) =>
    (call: AwsCall): void => {
      calls.set(key, [...(calls.get(key) ?? []), call]);
    };
  const functions = readFunctions('serverless.yml');
  const hosts = new Map<string, FunctionHost>();
  const clients: { destroy(): void }[] = [];
  const host: FunctionHost = {
    invoke(key, event, options) {
      const known = hosts.get(key);
      if (known) return known.invoke(key, event, options);
      const ports = portsOf({ config, s3, ledger, endpoint: engine.api.endpoint, clients }, recordAs(key));
      const made = inProcessHost(functions, { ports: Promise.resolve(ports) });
      hosts.set(key, made);
      return made.invoke(key, event, options);
    },
  };
  const engine: Fixture = await serve({
    definitionFile: 'state-machines/pyramid.asl.yml',
    name: stateMachineName,
    functions,
    host,
    sleep: withoutRetryWaits,
    onStatusChange: async (event) => {
      await host.invoke('recordOutcome', event);
    },
  });
  const { engine: running } = engine;
  const entryOf = (key: string, page?: number) => ledger.ledger.get(imageId(sourceBucket, key, page));
  let uploads = 0;
  return {
    s3,
    calls,
    async upload(key, body, { metadata, versionId, deliveries = 1 } = {}) {
      const put = new PutObjectCommand({ Bucket: sourceBucket, Key: key, Body: body, Metadata: metadata });
      const { ETag = '' } = await s3.client.send(put);
      uploads += 1;
      const event = objectCreated({
        key,
        size: body.length,
        etag: ETag.replaceAll('"', ''),
        sequencer: uploads.toString(16).padStart(16, '0').toUpperCase(),
        ...(versionId === undefined ? {} : { 'version-id': versionId }),
      });
      for (let n = 0; n < deliveries; n++) await host.invoke('startPyramid', queueEvent(event));
      await running.idle();
      return entryOf(key);
    },
    pageEntry: entryOf,
    unpublish: (key) => s3.client.send(new DeleteObjectCommand({ Bucket: config.publishedBucket, Key: key })),
    async deliver(urlPath) {
      const key = urlPath.startsWith('/thumbnails/') ? 'deliverThumbnail' : 'deliverImage';
      const { store } = portsOf({ config, s3, ledger, endpoint: engine.api.endpoint, clients }, recordAs(key));
      const thumbnails = { sizes: ['auto'], quality: 80 };
      const server = createDelivery({ store, publishedBucket: config.publishedBucket, thumbnails });
      return (await server.request(`https://images.example.org${urlPath}`)).status;
    },
    async redrive(key) {
      const arn = (await entryOf(key))?.executionArn;
      if (arn === undefined) throw new Error(`Expected an execution of ${key}`);
      running.redrive(arn);
      await running.idle();
      return entryOf(key);
    },
    async stop() {
      await engine.stop();
      for (const client of clients) client.destroy();
      await s3.stop();
      await ledger.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits of retries end at once; the time limit of an execution ends with it. */
function withoutRetryWaits(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  if (milliseconds < 3_600_000) return Promise.resolve(true);
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => {
      resolve(false);
    });
  });
}

interface Services {
  readonly config: StageConfig;
  readonly s3: S3Server;
  readonly ledger: TestLedger;
  /** Of the Step Functions API. */
  readonly endpoint: string;
  readonly clients: { destroy(): void }[];
}

/** The ports of one function, over clients of its own. */
function portsOf({ config, s3, ledger, endpoint, clients }: Services, record: (call: AwsCall) => void): Ports {
  const s3Client = s3.newClient(1);
  const dynamo = localDynamo(ledger.endpoint);
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const stepFunctions = new SFNClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  const eventBridge = new EventBridgeClient({ region: 'us-east-1', credentials });
  clients.push(dynamo, stepFunctions, eventBridge);
  for (const client of [s3Client, dynamo, stepFunctions]) recordCalls(client, record);
  recordCalls(eventBridge, record, () => ({ Entries: [{ EventId: '1' }] }));
  const clock = (): Date => new Date();
  const stateMachineArn = `arn:aws:states:${regionAndAccount}:stateMachine:${stateMachineName}`;
  return {
    config,
    store: s3Store(s3Client),
    ledger: dynamoLedger({ client: dynamo, table: ledger.table, clock }),
    notifier: eventBridgeNotifier(eventBridge, 'default'),
    executions: sfnExecutions(stepFunctions, stateMachineArn),
    clock,
    log: jsonLog(() => undefined, 'silent'),
  };
}

function objectCreated(object: Readonly<Record<string, unknown>>): object {
  return {
    'detail-type': 'Object Created',
    source: 'aws.s3',
    detail: { version: '0', bucket: { name: sourceBucket }, object, reason: 'PutObject' },
  };
}
