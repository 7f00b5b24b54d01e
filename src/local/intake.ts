/** How files come in on one machine: the same events as from S3, but raised when somebody asks. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RedriveExecutionCommand } from '@aws-sdk/client-sfn';
import { z } from 'zod';
import { ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import { executionName, imageId, sequenceOf } from '../ledger/identity.ts';
import type { LedgerEntry, UploadId } from '../ledger/ledger.ts';
import { readRecipe } from '../recipe/read.ts';
import type { Ports } from '../runtime.ts';
import { ApiError } from '../stepfunctions/api-errors.ts';
import type { Engine } from '../stepfunctions/engine.ts';
import type { ExecutionStatus } from '../stepfunctions/executions.ts';
import type { FunctionHost } from '../stepfunctions/function-host.ts';

export interface TakenUpload extends UploadId {
  /** Name of its execution. */
  readonly execution: string;
  /** `unchanged`: published before from the same bytes, and still there. `resumed`: an unfinished execution goes on. */
  readonly how: 'started' | 'resumed' | 'unchanged';
}

/** What an image was last taken in as; kept so that the same request twice is one. */
const Receipt = z.object({ sequencer: z.string(), request: z.string() });
type Receipt = z.infer<typeof Receipt>;

export class Intake {
  readonly #ports: Pick<Ports, 'store' | 'ledger' | 'config' | 'engine' | 'clock'>;
  readonly #host: FunctionHost;
  readonly #runner: Engine;
  readonly #directory: string;

  constructor(
    options: Pick<Ports, 'store' | 'ledger' | 'config' | 'clock'> & {
      readonly host: FunctionHost;
      readonly engine: Engine;
      readonly client: Ports['engine'];
      readonly directory: string;
    },
  ) {
    this.#ports = { ...options, engine: options.client };
    this.#host = options.host;
    this.#runner = options.engine;
    this.#directory = path.join(options.directory, 'intake');
  }

  /**
   * Takes an object in. The same bytes for the same recipe and the same published bucket are the same upload: it is left
   * alone when it was published, goes on where it stopped when it was not, and comes anew after a rejection.
   * `onNamed` hears the name of the execution before that can do anything.
   */
  async take(bucket: string, key: string, onNamed: (execution: string) => void): Promise<TakenUpload> {
    const { etag, size } = await this.#ports.store.head({ bucket, key });
    const image = imageId(bucket, key);
    const request = await this.#requestFor(etag);
    const known = await this.#readReceipt(image);
    if (known?.request === request) {
      const again = await this.#takeAgain({ imageId: image, sequence: sequenceOf(known.sequencer) }, onNamed);
      if (again) return again;
    }
    const sequencer = this.#nextSequencer(known);
    await this.#writeReceipt(image, { sequencer, request });
    const upload = taken({ imageId: image, sequence: sequenceOf(sequencer) }, 'started');
    onNamed(upload.execution);
    await this.#host.invoke('startPyramid', uploadEvent(bucket, key, etag, size, sequencer));
    return upload;
  }

  async entry(upload: TakenUpload): Promise<LedgerEntry | undefined> {
    return this.#ports.ledger.get(upload.imageId);
  }

  async clearWork({ imageId: image, sequence }: UploadId): Promise<void> {
    const { store, config } = this.#ports;
    for await (const { key } of store.list(config.workBucket, `work/${image}/${sequence}/`)) {
      await store.remove({ bucket: config.workBucket, key });
    }
  }

  async #takeAgain(upload: UploadId, onNamed: (execution: string) => void): Promise<TakenUpload | undefined> {
    const entry = await this.#ports.ledger.get(upload.imageId);
    if (entry?.sequence !== upload.sequence) return undefined;
    if (entry.status === 'PUBLISHED' && !(await this.#isPublic(entry))) return undefined;
    if (entry.status === 'PUBLISHED' && entry.sidecar) return taken(upload, 'unchanged');
    if (entry.status === 'REJECTED' || entry.status === 'SUPERSEDED') return undefined;
    const executionArn = this.#runner.arnOf(executionName(upload));
    const status = this.#statusOf(executionArn);
    if (status === undefined || status === 'SUCCEEDED') return undefined;
    onNamed(executionName(upload));
    if (status !== 'RUNNING') await this.#ports.engine.send(new RedriveExecutionCommand({ executionArn }));
    return taken(upload, 'resumed');
  }

  #statusOf(executionArn: string): ExecutionStatus | undefined {
    try {
      return this.#runner.describe(executionArn).status;
    } catch (error) {
      if (error instanceof ApiError && error.type === 'ExecutionDoesNotExist') return undefined;
      throw error;
    }
  }

  async #isPublic({ published }: LedgerEntry): Promise<boolean> {
    if (!published) return false;
    try {
      await this.#ports.store.head(published, { ifMatch: published.etag });
      return true;
    } catch (error) {
      if (error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError) return false;
      throw error;
    }
  }

  async #requestFor(etag: string): Promise<string> {
    const { defaultRecipe, recipesDirectory, publishedBucket } = this.#ports.config;
    const recipe = await readRecipe(recipesDirectory, defaultRecipe);
    const request = JSON.stringify([etag, recipe, publishedBucket]);
    return createHash('sha256').update(request).digest('hex');
  }

  /** Later than any before it, by the clock or, where that stood still or went back, by one. */
  #nextSequencer(known: Receipt | undefined): string {
    const now = BigInt(this.#ports.clock().getTime()) << 20n;
    const last = known ? BigInt(`0x${known.sequencer}`) : -1n;
    return (now > last ? now : last + 1n).toString(16).padStart(18, '0');
  }

  async #readReceipt(image: string): Promise<Receipt | undefined> {
    const text = await readFile(this.#receiptFile(image), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : Receipt.parse(JSON.parse(text));
  }

  async #writeReceipt(image: string, receipt: Receipt): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    const unfinished = path.join(this.#directory, `.${randomUUID()}`);
    await writeFile(unfinished, JSON.stringify(receipt));
    await rename(unfinished, this.#receiptFile(image));
  }

  #receiptFile(image: string): string {
    return path.join(this.#directory, `${image}.json`);
  }
}

function taken(upload: UploadId, how: TakenUpload['how']): TakenUpload {
  return { ...upload, execution: executionName(upload), how };
}

/** As EventBridge delivers S3's Object Created. */
function uploadEvent(bucket: string, key: string, etag: string, size: number, sequencer: string): object {
  return {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: bucket }, object: { key, size, etag, sequencer } },
  };
}
