/** Continues uploads of earlier processes: the same bytes, recipe and published bucket. */
import { ObjectNotFoundError, PreconditionFailedError } from '../errors.ts';
import type { ExecutionState } from '../executions/executions.ts';
import { executionName, imageId } from '../ledger/identity.ts';
import type { LedgerEntry, UploadId } from '../ledger/ledger.ts';
import type { Ports } from '../runtime.ts';
import { crashed } from '../stepfunctions/engine.ts';

export interface TakenUpload extends UploadId {
  /** Name of its execution. */
  readonly execution: string;
  /**
   * `unchanged`: already published from the same bytes. `resumed`: its execution had not succeeded.
   * `crashed`: the process ended twice while its execution ran, so it was left alone.
   */
  readonly how: 'started' | 'resumed' | 'unchanged' | 'crashed';
}

export type ResumePorts = Pick<Ports, 'store' | 'ledger' | 'executions'> & {
  /** Redrive executions that ended as CRASHED. */
  readonly retryCrashed: boolean;
};

/**
 * `complete`: published with its sidecar, or divided into such pages or those below. `running`: its
 * execution runs or is queued. `stopped`: its execution can be redriven. `crashed`: it can, and is
 * not. `over`: it must be started again.
 */
type Standing = 'complete' | 'running' | 'stopped' | 'crashed' | 'over';

/** True if the upload needs no further work, so that its work area can be removed. */
export function isSettled({ status, sidecar }: LedgerEntry): boolean {
  if (status === 'PUBLISHED') return sidecar !== undefined;
  return status === 'DIVIDED' || status === 'REJECTED' || status === 'SUPERSEDED';
}

export function taken({ imageId: image, sequence }: UploadId, how: TakenUpload['how']): TakenUpload {
  const upload = { imageId: image, sequence };
  return { ...upload, execution: executionName(upload), how };
}

/**
 * Redrives an upload whose execution has not succeeded. Returns undefined if it must be started
 * again. `onNamed` is called with the name of the execution before it continues.
 */
export async function resumeUpload(
  ports: ResumePorts,
  upload: UploadId,
  onNamed: (execution: string) => void,
): Promise<TakenUpload | undefined> {
  const standing = await standingOf(ports, upload);
  if (standing === 'over') return undefined;
  if (standing === 'complete') return taken(upload, 'unchanged');
  if (standing === 'crashed') return taken(upload, standing);
  onNamed(executionName(upload));
  if (standing === 'stopped') await redrive(ports, upload);
  return taken(upload, 'resumed');
}

/**
 * The uploads of the pages of a document; none for any other image. Redrives those whose execution
 * ended without an outcome in an earlier process; `ranHere` tells whether an execution has run in
 * this one.
 */
export async function resumePages(
  ports: ResumePorts,
  document: UploadId,
  ranHere: (execution: string) => boolean,
): Promise<readonly TakenUpload[]> {
  const entry = await ports.ledger.get(document.imageId);
  const uploads: TakenUpload[] = [];
  for (const page of entry?.sequence === document.sequence ? pagesOf(entry) : []) {
    const standing = await standingOf(ports, page);
    if (standing === 'running' || ranHere(executionName(page))) uploads.push(taken(page, 'started'));
    else if (standing === 'stopped') {
      await redrive(ports, page);
      uploads.push(taken(page, 'resumed'));
    } else uploads.push(taken(page, standing === 'crashed' ? standing : 'unchanged'));
  }
  return uploads;
}

async function standingOf(ports: ResumePorts, upload: UploadId): Promise<Standing> {
  const entry = await ports.ledger.get(upload.imageId);
  if (entry?.sequence !== upload.sequence) return 'over';
  if (entry.status === 'PUBLISHED' && !(await isPublic(ports, entry))) return 'over';
  if (entry.status === 'PUBLISHED' && entry.sidecar) return 'complete';
  if (entry.status === 'DIVIDED') return standingOfPages(ports, entry);
  if (entry.status === 'REJECTED' || entry.status === 'SUPERSEDED') return 'over';
  const execution = await find(ports, upload);
  if (execution === undefined || execution.status === 'SUCCEEDED') return 'over';
  if (execution.error === crashed.error && !ports.retryCrashed) return 'crashed';
  return execution.status === 'RUNNING' ? 'running' : 'stopped';
}

async function standingOfPages(ports: ResumePorts, entry: LedgerEntry): Promise<Standing> {
  for (const page of pagesOf(entry)) if ((await standingOf(ports, page)) === 'over') return 'over';
  return 'complete';
}

/** The uploads of the pages of a document that is DIVIDED. */
function pagesOf({ bucket, key, sequence, pages = 0 }: LedgerEntry): UploadId[] {
  return Array.from({ length: pages }, (_, index) => ({ imageId: imageId(bucket, key, index + 1), sequence }));
}

async function redrive({ executions }: ResumePorts, upload: UploadId): Promise<void> {
  await executions.redrive(executions.arnOf(executionName(upload)));
}

async function find({ executions }: ResumePorts, upload: UploadId): Promise<ExecutionState | undefined> {
  try {
    return await executions.describe(executions.arnOf(executionName(upload)));
  } catch (error) {
    if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return undefined;
    throw error;
  }
}

/** Whether the published file of an entry is still there and unchanged. */
export async function isPublic({ store }: Pick<ResumePorts, 'store'>, { published }: LedgerEntry): Promise<boolean> {
  if (!published) return false;
  try {
    await store.head(published, { ifMatch: published.etag });
    return true;
  } catch (error) {
    if (error instanceof ObjectNotFoundError || error instanceof PreconditionFailedError) return false;
    throw error;
  }
}
