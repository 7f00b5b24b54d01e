/** Intake on one machine: invokes StartPyramid with the upload events that S3 would send. */
import { createHash } from 'node:crypto';
import { imageId, sequenceOf } from '../ledger/identity.ts';
import { type LedgerEntry, MAX_PAGE_ENTRIES, type UploadId } from '../ledger/ledger.ts';
import { readRecipe } from '../recipe/read.ts';
import type { Ports } from '../runtime.ts';
import type { FunctionHost } from '../stepfunctions/function-host.ts';
import { isPublic, isSettled, resumePages, type ResumePorts, resumeUpload, type TakenUpload, taken } from './resume.ts';
import type { RecordedUpload, Uploads } from './uploads.ts';

type IntakePorts = ResumePorts & Pick<Ports, 'config' | 'clock'>;

export class Intake {
  readonly #ports: IntakePorts;
  readonly #host: FunctionHost;
  readonly #uploads: Uploads;

  constructor(options: { readonly ports: IntakePorts; readonly host: FunctionHost; readonly uploads: Uploads }) {
    this.#ports = options.ports;
    this.#host = options.host;
    this.#uploads = options.uploads;
  }

  /**
   * Takes an object in. An object with the same bytes, recipe and published bucket as before is the
   * same upload: nothing is done if it is published, it is resumed if its execution has not
   * succeeded, and it is started again after a rejection. An upload whose execution ended as
   * CRASHED is left alone unless retries are asked for. `onNamed` is called with the name of the
   * execution before the execution starts.
   */
  async take(bucket: string, key: string, onNamed: (execution: string) => void): Promise<TakenUpload> {
    const { etag, size } = await this.#ports.store.head({ bucket, key });
    const image = imageId(bucket, key);
    const request = await this.#requestFor(etag);
    const known = this.#uploads.find(image);
    if (known?.request === request) {
      const again = await resumeUpload(this.#ports, { imageId: image, sequence: sequenceOf(known.sequencer) }, onNamed);
      if (again) return again;
    }
    const sequencer = this.#nextSequencer(known);
    this.#uploads.record(image, { bucket, key, sequencer, request, takenAt: this.#ports.clock() });
    const upload = taken({ imageId: image, sequence: sequenceOf(sequencer) }, 'started');
    onNamed(upload.execution);
    await this.#host.invoke('startPyramid', uploadEvent(bucket, key, etag, size, sequencer));
    return upload;
  }

  /** See `resumePages`. */
  pages(document: TakenUpload, ranHere: (execution: string) => boolean): Promise<readonly TakenUpload[]> {
    return resumePages(this.#ports, document, ranHere);
  }

  async entry(upload: TakenUpload): Promise<LedgerEntry | undefined> {
    return this.#ports.ledger.get(upload.imageId);
  }

  /** Whether the published file of an entry is still there and unchanged. */
  isPublic(entry: LedgerEntry): Promise<boolean> {
    return isPublic(this.#ports, entry);
  }

  /** Whether one of the images that were published last is still there and unchanged. */
  async hasPublished(): Promise<boolean> {
    const { ledger, config } = this.#ports;
    const { entries } = await ledger.listPublished(config.publishedBucket, { limit: MAX_PAGE_ENTRIES });
    for (const entry of entries) if (await this.isPublic(entry)) return true;
    return false;
  }

  /** Removes the work objects of an upload and of the older uploads of its image. */
  async clearWork({ imageId: image, sequence }: UploadId): Promise<void> {
    const { store, config } = this.#ports;
    for await (const { key } of store.list(config.workBucket, `work/${image}/`)) {
      const isNewer = (key.split('/')[2] ?? '') > sequence;
      if (!isNewer) await store.remove({ bucket: config.workBucket, key });
    }
  }

  /** Removes the work objects that no upload needs, such as those that a killed process left. */
  async clearUnneededWork(): Promise<void> {
    const { store, config, ledger } = this.#ports;
    for await (const { key } of store.list(config.workBucket, 'work/')) {
      const [, image = '', sequence] = key.split('/');
      const entry = await ledger.get(image);
      const isNeeded = entry !== undefined && entry.sequence === sequence && !isSettled(entry);
      if (!isNeeded) await store.remove({ bucket: config.workBucket, key });
    }
  }

  async #requestFor(etag: string): Promise<string> {
    const { defaultRecipe, recipesDirectory, publishedBucket } = this.#ports.config;
    const recipe = await readRecipe(recipesDirectory, defaultRecipe);
    const request = JSON.stringify([etag, recipe, publishedBucket]);
    return createHash('sha256').update(request).digest('hex');
  }

  /**
   * The clock's time as a sequencer, or the last sequencer plus one if the clock has not advanced.
   */
  #nextSequencer(known: RecordedUpload | undefined): string {
    const now = BigInt(this.#ports.clock().getTime()) << 20n;
    const last = known ? BigInt(`0x${known.sequencer}`) : -1n;
    return (now > last ? now : last + 1n).toString(16).padStart(18, '0');
  }
}

/** The Object Created event of S3 in EventBridge's format. */
function uploadEvent(bucket: string, key: string, etag: string, size: number, sequencer: string): object {
  return {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: bucket }, object: { key, size, etag, sequencer } },
  };
}
