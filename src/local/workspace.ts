/** One machine as a stack: folders as buckets, dynalite as the ledger, the embedded engine, and the events between them. */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { readConfig } from '../config.ts';
import { type Database, openDatabase } from '../database/database.ts';
import { lockWorkspace } from '../database/lock.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import type { LogLevel } from '../log.ts';
import { portsFor } from '../runtime.ts';
import { registerBucket } from '../storage/files/buckets.ts';
import { type ServedApi, serveApi } from '../stepfunctions/api.ts';
import { type Engine, startEngine } from '../stepfunctions/engine.ts';
import { executionMigrations, sqliteExecutionStore } from '../stepfunctions/sqlite-store.ts';
import { readFunctions } from './functions.ts';
import { inProcessHost } from './in-process-host.ts';
import { Intake, type TakenUpload } from './intake.ts';
import { serveLedger } from './ledger-server.ts';
import type { Progress } from '../stepfunctions/progress.ts';
import type { StatusChangeEvent } from '../stepfunctions/status-event.ts';

export interface WorkspaceOptions {
  /** Where the ledger, the executions and the work area are kept. */
  readonly directory: string;
  /** The published bucket is this folder. */
  readonly out: string;
  /** Name of the recipe for what is taken in. */
  readonly recipe: string;
  /** Absolute path of the folder of recipes; by default the project's own. */
  readonly recipes?: string;
  /** The folder of serverless.yml, state-machines and recipes. */
  readonly project: string;
  /** Functions that the planner assumes to compute at the same time; the number of cores unless given. */
  readonly concurrency?: number;
  readonly port?: number;
  readonly logLevel?: LogLevel;
  readonly onProgress?: (step: Progress) => void;
}

const WORK_BUCKET = 'stepwell-work';
const LEDGER_TABLE = 'stepwell-ledger';

export class Workspace {
  readonly engine: Engine;
  /** URL of the Step Functions API. */
  readonly endpoint: string;
  readonly #intake: Intake;
  readonly #outcomes: Outcomes;
  readonly #directory: string;
  readonly #stop: () => Promise<void>;

  private constructor(parts: {
    engine: Engine;
    api: ServedApi;
    intake: Intake;
    outcomes: Outcomes;
    directory: string;
    stop: () => Promise<void>;
  }) {
    this.engine = parts.engine;
    this.endpoint = parts.api.endpoint;
    this.#intake = parts.intake;
    this.#outcomes = parts.outcomes;
    this.#directory = parts.directory;
    this.#stop = parts.stop;
  }

  /** Starts everything. Throws UsageError when another process has the directory. */
  static async start(options: WorkspaceOptions): Promise<Workspace> {
    const directory = await makeDirectory(options.directory);
    const published = await bucketFor(directory, await makeDirectory(options.out));
    const functions = readFunctions(path.join(options.project, 'serverless.yml'));
    const host = inProcessHost(functions);
    const outcomes = new Outcomes();
    // Status events of executions that an earlier process left behind come as soon as the engine starts, before there is
    // an API and an environment to handle them in.
    const ready = Promise.withResolvers<undefined>();
    const records = openRecords(directory);
    const engine = startEngine({
      store: sqliteExecutionStore(records.database),
      definitionFile: path.join(options.project, 'state-machines', 'pyramid.asl.yml'),
      functions,
      host,
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      onStatusChange: async (event) => {
        await ready.promise;
        await host.invoke('recordOutcome', event);
        outcomes.recorded(event);
      },
    });
    const ledger = await serveLedger({ directory, table: LEDGER_TABLE });
    const api = await serveApi(engine, { port: options.port ?? 0 });
    Object.assign(process.env, {
      ...localCredentials,
      AWS_ENDPOINT_URL_DYNAMODB: ledger.endpoint,
      AWS_ENDPOINT_URL_SFN: api.endpoint,
      OBJECT_STORE: `files:${directory}`,
      WORK_BUCKET,
      PUBLISHED_BUCKET: published,
      LEDGER_TABLE,
      STATE_MACHINE_ARN: engine.stateMachine.arn,
      DEFAULT_RECIPE: options.recipe,
      RECIPES_BY_PREFIX: '',
      RECIPES_DIRECTORY: options.recipes ?? path.join(options.project, 'recipes'),
      CONCURRENCY: String(options.concurrency ?? availableParallelism()),
      LOG_LEVEL: options.logLevel ?? 'silent',
    });
    const ports = portsFor(readConfig(process.env));
    ready.resolve(undefined);
    return new Workspace({
      engine,
      api,
      outcomes,
      directory,
      intake: new Intake({ ...ports, client: ports.engine, host, engine, directory }),
      stop: async () => {
        await engine.stop();
        await api.stop();
        await ledger.stop();
        records.close();
      },
    });
  }

  /** The bucket that is this folder. */
  bucketOf(folder: string): Promise<string> {
    return bucketFor(this.#directory, folder);
  }

  /** Takes an object in as if it had just arrived: raises its event, redrives what was left unfinished. */
  take(bucket: string, key: string, onNamed: (execution: string) => void): Promise<TakenUpload> {
    return this.#intake.take(bucket, key, onNamed);
  }

  /** Resolves when the upload's execution has ended and the ledger knows. */
  async ended(upload: TakenUpload): Promise<void> {
    const arn = this.engine.arnOf(upload.execution);
    await this.#outcomes.until(upload.execution, (status) => status === this.engine.describe(arn).status);
  }

  /** What became of an upload. */
  entry(upload: TakenUpload): Promise<LedgerEntry | undefined> {
    return this.#intake.entry(upload);
  }

  /** Removes the work of an upload that needs none any more. */
  clearWork(upload: TakenUpload): Promise<void> {
    return this.#intake.clearWork(upload);
  }

  stop(): Promise<void> {
    return this.#stop();
  }
}

/** Which ends of executions the ledger has been told of. */
class Outcomes {
  readonly #last = new Map<string, string>();
  readonly #events = new EventEmitter().setMaxListeners(0);

  recorded({ detail }: StatusChangeEvent): void {
    this.#last.set(detail.name, detail.status);
    this.#events.emit(detail.name);
  }

  /** Resolves when the last status recorded of an execution is an end, and still its status. */
  async until(execution: string, isCurrent: (status: string) => boolean): Promise<void> {
    for (;;) {
      const last = this.#last.get(execution);
      if (last !== undefined && last !== 'RUNNING' && isCurrent(last)) return;
      await once(this.#events, execution);
    }
  }
}

/** Nothing may reach a real account by accident, whatever profile the machine has. */
const localCredentials = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
  AWS_SESSION_TOKEN: '',
  AWS_EC2_METADATA_DISABLED: 'true',
};

/** The workspace's database, for this process alone. */
function openRecords(directory: string): { readonly database: Database; readonly close: () => void } {
  const unlock = lockWorkspace(path.join(directory, 'lock'));
  try {
    const database = openDatabase(path.join(directory, 'stepwell.db'), executionMigrations);
    return {
      database,
      close: () => {
        database.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

async function makeDirectory(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  return realpath(directory);
}

/** A bucket's name says which folder it is, and the same folder always has the same name. */
async function bucketFor(workspace: string, folder: string): Promise<string> {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const bucket = `folder-${hash}`;
  await registerBucket(workspace, bucket, folder);
  return bucket;
}
