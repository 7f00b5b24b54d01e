/** The labels of images, from the files `labels.csv` of their folder and the folders above it. */
import { ObjectNotFoundError } from '../../errors.ts';
import type { ObjectRef, ObjectStore } from '../../storage/object-store.ts';
import { namesOf, type PublishedEntry } from './describe-entry.ts';
import { type Label, type Labels, MAX_LABELS_BYTES, noLabels, parseLabels } from './labels.ts';

/** The file of labels of a folder of the published bucket. */
export const LABELS_FILE = 'labels.csv';

/**
 * Files that are kept once they were read: those of the folders that are published side by side.
 */
const KEPT_FILES = 16;

/** The labels in the file of one folder. */
export interface FolderLabels {
  readonly folder: string;
  readonly labels: Labels;
}

interface Kept {
  readonly etag: string;
  readonly labels: Labels;
}

/** Files of labels, each parsed once for each of its versions. */
export class LabelFiles {
  readonly #store: ObjectStore;
  readonly #bucket: string;
  readonly #kept = new Map<string, Kept>();

  constructor(store: ObjectStore, bucket: string) {
    this.#store = store;
    this.#bucket = bucket;
  }

  /** The labels of a folder, without those of the folders above it. '' is the root. */
  async of(folder: string): Promise<Labels> {
    const ref = { bucket: this.#bucket, key: `${folder}${LABELS_FILE}` };
    const kept = this.#kept.get(ref.key);
    const etag = await this.#etagOf(ref);
    if (etag === undefined) return noLabels;
    if (kept?.etag === etag) return kept.labels;
    // One byte more than allowed suffices to recognise a file that is too large.
    const range = { offset: 0, length: MAX_LABELS_BYTES + 1 };
    const labels = parseLabels(await this.#store.read(ref, { ifMatch: etag, range }));
    this.#kept.delete(ref.key);
    this.#kept.set(ref.key, { etag, labels });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_FILES && oldest !== undefined) this.#kept.delete(oldest);
    return labels;
  }

  /** The labels of a folder and of all folders above it, the nearest first. */
  inAndAbove(folder: string): Promise<readonly FolderLabels[]> {
    return Promise.all(foldersAbove(folder).map(async (each) => ({ folder: each, labels: await this.of(each) })));
  }

  async #etagOf(ref: ObjectRef): Promise<string | undefined> {
    try {
      return (await this.#store.head(ref)).etag;
    } catch (error) {
      if (error instanceof ObjectNotFoundError) return undefined;
      throw error;
    }
  }
}

/** The row for an image in the nearest folder that has one. */
export function labelOf(files: readonly FolderLabels[], entry: PublishedEntry): Label | undefined {
  for (const { folder, labels } of files) {
    for (const name of namesOf(entry, folder)) {
      const label = labels.rows.get(name);
      if (label) return label;
    }
  }
  return undefined;
}

/** The folder of a key, with `/` at its end; '' is the root. */
export function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/') + 1);
}

/** The folder of a key and all folders above it, the nearest first. */
function foldersAbove(key: string): string[] {
  const folder = folderOf(key);
  return folder === '' ? [''] : [folder, ...foldersAbove(folder.slice(0, -1))];
}
