/** Manifests of one image as files: `<base>/manifest.json` and `<base>/manifest.v2.json`. */
import { levelsOf } from '../../pyramid/plan.ts';
import { ManifestSettings } from '../../recipe/manifest-settings.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { sidecarKey } from '../../work/published-key.ts';
import { DESCRIPTOR_CACHE, type FilesContext, type Output, type PlainFile } from '../output.ts';
import { manifestKey, presentationVersions, type PublicAddresses } from './addresses.ts';
import { describeEntry, type PublishedEntry } from './describe-entry.ts';
import { folderOf, LabelFiles, labelOf } from './find-labels.ts';
import { publicCompanions } from './public-companions.ts';
import { imageManifest, manifestBytes } from './publish-folder.ts';

export const manifest: Output = {
  name: 'manifest',
  prefixes: (base) => presentationVersions.map((version) => manifestKey('image', base, version)),
  planned: ({ recipe }, base) => ({
    grids: [],
    tileKeys: () => [],
    images: [],
    // The newest version last: it is the descriptor.
    fileKeys: [2, 3].map((version) => manifestKey('image', base, version === 2 ? 2 : 3)),
    files: (context) => makeFiles(context, recipe.manifest ?? ManifestSettings.parse({})),
  }),
};

/** Where the files of a stage are served, and its image server. */
export function stageAddresses({
  publicUrl,
  serverUrl,
}: Pick<FilesContext, 'publicUrl' | 'serverUrl'>): PublicAddresses {
  return { files: `${publicUrl ?? ''}/`, ...(serverUrl === undefined ? {} : { server: `${serverUrl}/` }) };
}

/** Files of labels are parsed once in a process. */
const labelFiles = new WeakMap<ObjectStore, LabelFiles>();

async function makeFiles(context: FilesContext, settings: ManifestSettings): Promise<PlainFile[]> {
  const { store, published } = context;
  const labels = labelFiles.get(store) ?? new LabelFiles(store, published.bucket);
  labelFiles.set(store, labels);
  const addresses = stageAddresses(context);
  const entry = publishedNow(context);
  const label = labelOf(await labels.inAndAbove(folderOf(published.key)), entry);
  const companions = await publicCompanions({ store, publishedBucket: published.bucket }, entry, addresses);
  const image = describeEntry(entry, label, addresses, companions);
  return [...presentationVersions].reverse().map((version) => ({
    key: manifestKey('image', image.identifier, version),
    bytes: manifestBytes(imageManifest({ addresses, settings }, image, version)),
    contentType: 'application/json',
    cacheControl: DESCRIPTOR_CACHE,
  }));
}

/** The entry as it will be when the sidecar is published, which comes next. */
function publishedNow({ entry, plan, published }: FilesContext): PublishedEntry {
  const { width, height, recipe } = plan;
  const levels = levelsOf(plan).length;
  return {
    ...entry,
    published: { ...published, width, height, levels, tileSize: recipe.tileSize },
    sidecar: { key: sidecarKey(published.key) },
  };
}
