/** The images of a folder of the published bucket, from its listing and the ledger. */
import type { Ledger, LedgerEntry } from '../../ledger/ledger.ts';
import { MAX_PAGE_ENTRIES } from '../../ledger/ledger.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { identifierOf, isPublishedEntry, type PublishedEntry } from './describe-entry.ts';
import { type LabelFiles, labelOf } from './find-labels.ts';
import { type Label, type LabelProblem, noLabels } from './labels.ts';
import { compareNames } from './natural-order.ts';

export interface FolderPorts {
  readonly store: ObjectStore;
  readonly ledger: Pick<Ledger, 'findAllPublished'>;
  readonly publishedBucket: string;
  readonly labels: LabelFiles;
}

export interface LabelledImage {
  readonly entry: PublishedEntry;
  readonly label?: Label | undefined;
}

/** The row of a file of labels that describes its folder. */
const FOLDER_ROW = '.';

/** A folder with its images in their order. */
export interface PublishedFolder {
  /** With `/` at its end; '' is the root. */
  readonly folder: string;
  /** Of the folder itself. */
  readonly label?: Label | undefined;
  readonly images: readonly LabelledImage[];
  /** Problems of the folder's own file of labels, in the order of its lines. */
  readonly problems: readonly LabelProblem[];
  /** Identifiers of images that no file of labels names, if the folder has a file of its own. */
  readonly unlabelled: readonly string[];
}

/**
 * The images that are public in a folder and that the ledger has, in the order of the folder's own
 * labels; those without a row follow by name. What is listed decides: images that were removed or
 * replaced by other files are not in the result. Reads no pixels; the number of requests is
 * proportional to the number of images.
 */
export async function readFolder(ports: FolderPorts, folder: string): Promise<PublishedFolder> {
  const files = await ports.labels.inAndAbove(folder);
  const own = files[0]?.labels ?? noLabels;
  const images: LabelledImage[] = [];
  for await (const entry of publicImages(ports, folder)) {
    images.push({ entry, label: labelOf(files, entry) });
  }
  const ownRows = new Set(own.rows.values());
  const rankOf = ({ label }: LabelledImage): number => (label && ownRows.has(label) ? label.rank : Infinity);
  const ranked = images.map((image) => ({ image, rank: rankOf(image), name: identifierOf(image.entry) }));
  ranked.sort((a, b) => (a.rank === b.rank ? compareNames(a.name, b.name) : a.rank - b.rank));
  const named = new Set(images.map(({ label }) => label));
  // Rows with a folder name images of folders below.
  const isOfFolder = ({ identifier }: Label): boolean => identifier !== FOLDER_ROW && !identifier.includes('/');
  const unused = [...own.rows.values()].filter((row) => isOfFolder(row) && !named.has(row));
  const problems = [
    ...own.problems,
    ...unused.map(({ line, identifier }) => ({ line, message: `no published image is named "${identifier}"` })),
  ];
  return {
    folder,
    label: own.rows.get(FOLDER_ROW),
    images: ranked.map(({ image }) => image),
    problems: problems.sort((a, b) => a.line - b.line),
    unlabelled: own.rows.size === 0 ? [] : ranked.filter(({ image }) => !image.label).map(({ name }) => name),
  };
}

async function* publicImages(
  { store, ledger, publishedBucket }: FolderPorts,
  folder: string,
): AsyncGenerator<PublishedEntry> {
  let batch = new Map<string, string>();
  const read = async (): Promise<PublishedEntry[]> => {
    const listed = batch;
    batch = new Map();
    const found = await ledger.findAllPublished(publishedBucket, [...listed.keys()]);
    const isListed = ({ published }: PublishedEntry): boolean => published.etag === listed.get(published.key);
    return [...found.values()].filter((entry: LedgerEntry) => isPublishedEntry(entry)).filter(isListed);
  };
  for await (const { key, etag } of store.list(publishedBucket, folder, { delimiter: '/' })) {
    if (key.endsWith('.tif')) batch.set(key, etag);
    if (batch.size === MAX_PAGE_ENTRIES) yield* await read();
  }
  if (batch.size > 0) yield* await read();
}
