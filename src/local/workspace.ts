/**
 * The stack on one machine: folders as buckets, one SQLite file, the embedded engine, and the
 * events that connect them.
 */
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import type { Config } from '../config.ts';
import { embeddedExecutions } from '../executions/embedded.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { sqliteLedger } from '../ledger/sqlite/sqlite.ts';
import { memoryLimits } from '../limits.ts';
import { jsonLog, type LogLevel } from '../log.ts';
import { logNotifier } from '../notifications/notifier.ts';
import type { Ports } from '../runtime.ts';
import { registerBucket } from '../storage/files/buckets.ts';
import { fileStore, removeLeftOvers } from '../storage/files/files.ts';
import { unfinishedFolder } from '../storage/files/unfinished.ts';
import { type ServedApi, serveApi } from '../stepfunctions/api.ts';
import { type Engine, startEngine } from '../stepfunctions/engine.ts';
import { sqliteExecutionStore } from '../stepfunctions/sqlite-store.ts';
import { writableFolder } from './folders.ts';
import { readFunctions } from './functions.ts';
import { inProcessHost } from './in-process-host.ts';
import { Intake } from './intake.ts';
import type { WrittenManifests } from './manifests.ts';
import type { TakenUpload } from './resume.ts';
import { openState, type WorkspaceState } from './state.ts';
import { uploadsIn } from './uploads.ts';
import type { Progress } from '../stepfunctions/progress.ts';
import type { StatusChangeEvent } from '../stepfunctions/status-event.ts';

export interface WorkspaceOptions {
  /** Folder of the database and the work area. */
  readonly directory: string;
  /** Folder of the published bucket. */
  readonly out: string;
  /** Name of the recipe for all masters. */
  readonly recipe: string;
  /** Absolute path of the folder of recipes; by default that of the project. */
  readonly recipes?: string;
  /** The folder of serverless.yml, state-machines and recipes. */
  readonly project: string;
  /**
   * Number of functions that the planner assumes to compute concurrently; by default the number of
   * cores.
   */
  readonly concurrency?: number;
  /** The first of these ports that is free is used; 0 stands for any free port. */
  readonly ports?: readonly number[];
  /** Serve the viewer and what is published at the address of the Step Functions API. */
  readonly serve?: boolean;
  /** Process images again during which the process ended twice. */
  readonly retryCrashed?: boolean;
  readonly logLevel?: LogLevel;
  readonly onProgress?: (step: Progress) => void;
}

const WORK_BUCKET = 'stepwell-work';

export class Workspace {
  readonly engine: Engine;
  /** URL of the Step Functions API. */
  readonly endpoint: string;
  /** Folder whose files the next start removes. */
  readonly temporaryFolder: string;
  readonly #intake: Intake;
  readonly #outcomes: Outcomes;
  readonly #directory: string;
  readonly #ports: Ports;
  readonly #stop: (how?: 'unfinished') => Promise<void>;
  #isInterrupted = false;

  private constructor(parts: WorkspaceParts) {
    this.engine = parts.engine;
    this.endpoint = parts.api.endpoint;
    this.temporaryFolder = unfinishedFolder(parts.directory);
    this.#intake = parts.intake;
    this.#outcomes = parts.outcomes;
    this.#directory = parts.directory;
    this.#ports = parts.ports;
    this.#stop = parts.stop;
  }

  /**
   * Removes what a killed process left in the workspace, and starts the engine and its API. Throws
   * UsageError when another process uses the directory or it cannot be read.
   */
  static async start(options: WorkspaceOptions): Promise<Workspace> {
    const out = await writableFolder(options.out, '--out');
    const directory = await writableFolder(options.directory, '--workspace');
    const state = openState(directory);
    try {
      return new Workspace(await startParts(directory, state, { ...options, out }));
    } catch (error) {
      state.close();
      throw error;
    }
  }

  /** The bucket of a folder. */
  bucketOf(folder: string): Promise<string> {
    return bucketFor(this.#directory, folder);
  }

  /** Takes an object in: raises the event of its upload, or redrives its unfinished execution. */
  take(bucket: string, key: string, onNamed: (execution: string) => void): Promise<TakenUpload> {
    return this.#intake.take(bucket, key, onNamed);
  }

  /**
   * The uploads of the pages of a document; none for any other image. Redrives those whose
   * execution ended without an outcome before this process; `ranHere` tells whether one has run in
   * it.
   */
  pages(document: TakenUpload, ranHere: (execution: string) => boolean): Promise<readonly TakenUpload[]> {
    return this.#intake.pages(document, ranHere);
  }

  /** Resolves when the upload's execution has ended and the ledger has recorded it. */
  async ended(upload: TakenUpload): Promise<void> {
    const arn = this.engine.arnOf(upload.execution);
    await this.#outcomes.until(upload.execution, (status) => status === this.engine.describe(arn).status);
  }

  /** The ledger entry of an upload's image. */
  entry(upload: TakenUpload): Promise<LedgerEntry | undefined> {
    return this.#intake.entry(upload);
  }

  /** Whether the published file of an entry is still there and unchanged. */
  isPublic(entry: LedgerEntry): Promise<boolean> {
    return this.#intake.isPublic(entry);
  }

  /** Whether one of the images that were published last is still there and unchanged. */
  hasPublished(): Promise<boolean> {
    return this.#intake.hasPublished();
  }

  /** Stores a file of labels for all published images. */
  async storeLabels(csv: Uint8Array): Promise<void> {
    await (await import('./manifests.ts')).storeLabels(this.#ports, csv);
  }

  /** Writes the manifests of the folders of these images, or of all published images. */
  async writeManifests(entries: Iterable<LedgerEntry> | 'all'): Promise<WrittenManifests> {
    // Loaded only when it is needed, so that other commands start as fast without it.
    const { allPublished, writeManifests } = await import('./manifests.ts');
    return writeManifests(this.#ports, entries === 'all' ? allPublished(this.#ports) : entries);
  }

  /** Removes the work objects of an upload. */
  clearWork(upload: TakenUpload): Promise<void> {
    return this.#intake.clearWork(upload);
  }

  /**
   * Ends the running executions as interrupted; no further one starts. Resolves when the ledger has
   * recorded it. The entries can still be read.
   */
  interrupt(): Promise<void> {
    this.#isInterrupted = true;
    return this.engine.stop();
  }

  /** Stops the engine and releases the workspace. */
  stop(): Promise<void> {
    // Functions of interrupted executions write files until the process ends.
    return this.#stop(this.#isInterrupted ? 'unfinished' : undefined);
  }
}

interface WorkspaceParts {
  readonly engine: Engine;
  readonly api: ServedApi;
  readonly intake: Intake;
  readonly outcomes: Outcomes;
  readonly directory: string;
  readonly ports: Ports;
  readonly stop: (how?: 'unfinished') => Promise<void>;
}

async function startParts(
  directory: string,
  { database, close, unfinishedSince }: WorkspaceState,
  options: WorkspaceOptions,
): Promise<WorkspaceParts> {
  if (unfinishedSince) await removeLeftOvers(directory, unfinishedSince);
  await mkdir(unfinishedFolder(directory), { recursive: true });
  const published = await bucketFor(directory, options.out);
  const functions = readFunctions(path.join(options.project, 'serverless.yml'));
  // The engine is a port of the functions that it invokes, so invocations wait until the ports
  // exist.
  const ready = Promise.withResolvers<Ports>();
  const host = inProcessHost(functions, { ports: ready.promise });
  const outcomes = new Outcomes();
  const engine = startEngine({
    store: sqliteExecutionStore(database),
    definitionFile: path.join(options.project, 'state-machines', 'pyramid.asl.yml'),
    functions,
    host,
    ...(options.onProgress ? { onProgress: options.onProgress } : {}),
    onStatusChange: async (event) => {
      await host.invoke('recordOutcome', event);
      outcomes.recorded(event);
    },
  });
  const clock = (): Date => new Date();
  const log = jsonLog((line) => process.stderr.write(`${line}\n`), options.logLevel ?? 'silent');
  const ports: Ports = {
    config: configOf(options, directory, published),
    store: fileStore(directory),
    ledger: sqliteLedger({ database, clock }),
    notifier: logNotifier(log),
    executions: embeddedExecutions(engine),
    clock,
    log,
  };
  ready.resolve(ports);
  // The ledger records the executions that an earlier process left.
  await engine.idle();
  const uploads = uploadsIn(database);
  const intake = new Intake({ ports: { ...ports, retryCrashed: options.retryCrashed ?? false }, host, uploads });
  if (unfinishedSince) await intake.clearUnneededWork();
  // Loaded only when it is needed, so that other commands start as fast without it.
  const otherwise = options.serve ? await (await import('./site.ts')).siteListener(ports) : undefined;
  const api = await serveApi(engine, { ports: options.ports ?? [0], otherwise }).catch(async (error: unknown) => {
    await engine.stop();
    throw error;
  });
  const stop = async (how?: 'unfinished'): Promise<void> => {
    await engine.stop();
    await api.stop();
    close(how);
  };
  return { engine, api, outcomes, directory, intake, ports, stop };
}

function configOf(
  { recipe, recipes, project, concurrency = availableParallelism() }: WorkspaceOptions,
  workspace: string,
  publishedBucket: string,
): Config {
  return {
    store: { kind: 'files', workspace },
    workBucket: WORK_BUCKET,
    publishedBucket,
    defaultRecipe: recipe,
    recipeRules: [],
    recipesDirectory: recipes ?? path.join(project, 'recipes'),
    concurrency,
    memory: memoryLimits.standard,
  };
}

/** The last status of each execution that the ledger has recorded. */
class Outcomes {
  readonly #last = new Map<string, string>();
  readonly #events = new EventEmitter().setMaxListeners(0);

  recorded({ detail }: StatusChangeEvent): void {
    this.#last.set(detail.name, detail.status);
    this.#events.emit(detail.name);
  }

  /**
   * Resolves when the last recorded status of an execution is not RUNNING and is its current one.
   */
  async until(execution: string, isCurrent: (status: string) => boolean): Promise<void> {
    for (;;) {
      const last = this.#last.get(execution);
      if (last !== undefined && last !== 'RUNNING' && isCurrent(last)) return;
      await once(this.#events, execution);
    }
  }
}

/** Registers a folder as a bucket, whose name is derived from the folder's path. */
async function bucketFor(workspace: string, folder: string): Promise<string> {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 12);
  const bucket = `folder-${hash}`;
  await registerBucket(workspace, bucket, folder);
  return bucket;
}
