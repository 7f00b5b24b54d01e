/** Manifests of folders on one machine, which are written when all files of a command are done. */
import type { LedgerEntry } from '../ledger/ledger.ts';
import { MAX_PAGE_ENTRIES } from '../ledger/ledger.ts';
import { isPublishedEntry, type PublishedEntry } from '../outputs/presentation/describe-entry.ts';
import { folderOf, LABELS_FILE, LabelFiles } from '../outputs/presentation/find-labels.ts';
import { stageAddresses } from '../outputs/presentation/manifest.ts';
import { publicCompanions } from '../outputs/presentation/public-companions.ts';
import { publishFolder } from '../outputs/presentation/publish-folder.ts';
import { readRecipe } from '../recipe/read.ts';
import { ManifestSettings } from '../recipe/manifest-settings.ts';
import type { Ports } from '../runtime.ts';

type ManifestPorts = Pick<Ports, 'config' | 'store' | 'ledger'>;

/** What was written, and what could not be used of the labels; one sentence each. */
export interface WrittenManifests {
  /** Number of folders that have a manifest. */
  readonly folders: number;
  /** Number of objects that were written or removed. */
  readonly written: number;
  readonly problems: readonly string[];
}

/** Stores a file of labels for the whole published bucket. */
export async function storeLabels({ store, config }: ManifestPorts, csv: Uint8Array): Promise<void> {
  await store.write({ bucket: config.publishedBucket, key: LABELS_FILE }, csv, { contentType: 'text/csv' });
}

/**
 * Writes the manifests of the folders of these images, and those of their images whose labels have
 * changed. Folders whose recipe has no manifests are left out. Reads no pixels.
 */
export async function writeManifests(
  ports: ManifestPorts,
  entries: AsyncIterable<LedgerEntry> | Iterable<LedgerEntry>,
): Promise<WrittenManifests> {
  const { store, ledger, config } = ports;
  const { publishedBucket } = config;
  const labels = new LabelFiles(store, publishedBucket);
  const addresses = stageAddresses(config);
  const companions = (entry: PublishedEntry) => publicCompanions({ store, publishedBucket }, entry, addresses);
  const [problems, settingsOf] = [new Set<string>(), await folderSettings(ports, entries)];
  let written = 0;
  for (const [folder, settings] of settingsOf) {
    const folderPorts = { store, ledger, publishedBucket, labels, addresses, settings, companions };
    const result = await publishFolder(folderPorts, folder, { members: true });
    written += result.written;
    for (const { line, message } of result.folder.problems) {
      problems.add(`${folder}${LABELS_FILE}, line ${line}: ${message}`);
    }
    for (const name of result.folder.unlabelled) {
      problems.add(`${folder}${LABELS_FILE} has no row for "${name}"`);
    }
  }
  return { folders: settingsOf.size, written, problems: [...problems] };
}

/** Every image that is public. */
export async function* allPublished({ ledger, config }: ManifestPorts): AsyncGenerator<LedgerEntry> {
  let after: string | undefined;
  do {
    const page = await ledger.listPublished(config.publishedBucket, { limit: MAX_PAGE_ENTRIES, after });
    yield* page.entries;
    after = page.next;
  } while (after !== undefined);
}

/** The folders that have manifests, with the settings of the recipe of one of their images. */
async function folderSettings(
  { config }: ManifestPorts,
  entries: AsyncIterable<LedgerEntry> | Iterable<LedgerEntry>,
): Promise<Map<string, ManifestSettings>> {
  const found = new Map<string, ManifestSettings>();
  for await (const entry of entries) {
    if (!isPublishedEntry(entry)) continue;
    const folder = folderOf(entry.published.key);
    if (found.has(folder) || !entry.outputs?.some(({ name }) => name === 'manifest')) continue;
    const settings = (await readRecipe(config.recipesDirectory, entry.recipe)).manifest ?? ManifestSettings.parse({});
    if (settings.folders) found.set(folder, settings);
  }
  return found;
}
