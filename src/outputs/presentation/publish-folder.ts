/** Writes the manifests and collections of a folder, from the ledger and the labels. */
import path from 'node:path';
import { PreconditionFailedError, ServiceUnavailableError } from '../../errors.ts';
import { forEachParallel } from '../../parallel.ts';
import type { ObjectRef } from '../../storage/object-store.ts';
import { DESCRIPTOR_CACHE } from '../output.ts';
import {
  manifestKey,
  manifestUri,
  type PresentationVersion,
  presentationVersions,
  type PublicAddresses,
} from './addresses.ts';
import { describeEntry, type PublicCompanions, type PublishedEntry } from './describe-entry.ts';
import type {
  DescribedCollection,
  DescribedImage,
  DescribedManifest,
  PresentationSettings,
} from './described-image.ts';
import type { Label } from './labels.ts';
import { collectionOf2, manifestOf2 } from './manifest-2.ts';
import { collectionOf3, manifestOf3 } from './manifest-3.ts';
import { type FolderPorts, type PublishedFolder, readFolder } from './read-folder.ts';
import { type SeenObject, seenObject, writeChanged } from './write-changed.ts';

/** Number of manifests of images that are written concurrently. */
const WRITERS = 16;
/** Number of attempts to write what other processes write too. */
const ATTEMPTS = 5;

export interface ManifestPorts extends FolderPorts {
  readonly addresses: PublicAddresses;
  readonly settings: PresentationSettings;
  /** What is public beside the pyramid of an image. */
  companions(entry: PublishedEntry): Promise<PublicCompanions> | PublicCompanions;
}

/** What was done to a folder. */
export interface FolderResult {
  readonly folder: PublishedFolder;
  /** Number of objects that were written or removed. */
  readonly written: number;
}

/** A description of an image and the entry that it was made from. */
interface Member {
  readonly entry: PublishedEntry;
  readonly image: DescribedImage;
}

/** Describes the images of a folder, in their order. */
export async function describeFolder(ports: ManifestPorts, { images }: PublishedFolder): Promise<Member[]> {
  const members: Member[] = [];
  await forEachParallel(images, WRITERS, async ({ entry, label }, index) => {
    members[index] = { entry, image: describeEntry(entry, label, ports.addresses, await ports.companions(entry)) };
  });
  return members;
}

/**
 * Writes the manifest and the collection of a folder if they have changed, and removes those of a
 * folder without images. With `members` also the manifests that its images have, whose labels may
 * have changed. Reads no pixels. Other processes may do the same at the same time: what is read
 * last is written last. Throws ServiceUnavailableError if they never let it finish.
 */
export async function publishFolder(
  ports: ManifestPorts,
  folder: string,
  { members = false }: { readonly members?: boolean } = {},
): Promise<FolderResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      return await publishOnce(ports, folder, members);
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
  }
  throw new ServiceUnavailableError(`The manifest of "${folder}" changed each time that it was to be written`);
}

async function publishOnce(ports: ManifestPorts, name: string, withMembers: boolean): Promise<FolderResult> {
  const { store, publishedBucket } = ports;
  // Seen before the folder is read, so that what was written meanwhile is never overwritten.
  const seen = await Promise.all(
    folderObjects(name).map(async (object) => {
      const ref = { bucket: publishedBucket, key: object.key };
      return { ...object, ref, existing: await seenObject(store, ref) };
    }),
  );
  const folder = await readFolder(ports, name);
  const described = await describeFolder(ports, folder);
  let written = 0;
  for (const { kind, version, ref, existing } of seen) {
    if (described.length > 0) {
      const content = contentOf(ports, folder, described, kind, version);
      if (await writeJson(ports, ref, existing, content)) written++;
    } else if (existing) {
      await store.remove(ref);
      written++;
    }
  }
  if (withMembers) {
    await forEachParallel(described, WRITERS, async (member) => {
      written += await rewriteManifests(ports, member);
    });
  }
  return { folder, written };
}

interface FolderObject {
  readonly kind: 'folder' | 'collection';
  readonly version: PresentationVersion;
  readonly key: string;
}

function folderObjects(folder: string): FolderObject[] {
  return (['folder', 'collection'] as const).flatMap((kind) =>
    presentationVersions.map((version) => ({ kind, version, key: manifestKey(kind, folder, version) })),
  );
}

function contentOf(
  ports: ManifestPorts,
  folder: PublishedFolder,
  members: readonly Member[],
  kind: FolderObject['kind'],
  version: PresentationVersion,
): object {
  const images = members.map(({ image }) => image);
  return kind === 'folder'
    ? folderManifest(ports, folder, images, version)
    : folderCollection(ports, folder, images, version);
}

/** The manifest of all images of a folder. */
export function folderManifest(
  { addresses, settings }: Pick<ManifestPorts, 'addresses' | 'settings'>,
  folder: PublishedFolder,
  images: readonly DescribedImage[],
  version: PresentationVersion,
): object {
  const id = manifestUri(addresses, 'folder', folder.folder, version);
  const manifest: DescribedManifest = { id, ...titleOf(folder), images, settings };
  return version === 3 ? manifestOf3(manifest) : manifestOf2(manifest);
}

/** The collection of the manifests of all images of a folder. */
export function folderCollection(
  { addresses, settings }: Pick<ManifestPorts, 'addresses' | 'settings'>,
  folder: PublishedFolder,
  images: readonly DescribedImage[],
  version: PresentationVersion,
): object {
  const members = images.map((image) => ({
    id: manifestUri(addresses, 'image', image.identifier, version),
    type: 'Manifest' as const,
    title: image.title,
    thumbnail: image,
  }));
  const id = manifestUri(addresses, 'collection', folder.folder, version);
  const collection: DescribedCollection = { id, ...titleOf(folder), members, settings };
  return version === 3 ? collectionOf3(collection) : collectionOf2(collection);
}

/** The manifest of one image. */
export function imageManifest(
  { addresses, settings }: Pick<ManifestPorts, 'addresses' | 'settings'>,
  image: DescribedImage,
  version: PresentationVersion,
): object {
  const { identifier, title, summary } = image;
  const { rights, requiredStatement, language } = settings;
  // Behaviour and viewing direction are those of the images of a folder.
  const own = { rights, requiredStatement, language };
  const id = manifestUri(addresses, 'image', identifier, version);
  const manifest: DescribedManifest = { id, title, summary, pairs: image.pairs, images: [image], settings: own };
  return version === 3 ? manifestOf3(manifest) : manifestOf2(manifest);
}

function titleOf({ folder, label }: PublishedFolder): { title: string; summary?: string; pairs: Label['pairs'] } {
  const name = path.posix.basename(folder);
  const summary = label?.description;
  return {
    title: label?.title ?? (name === '' ? 'Images' : name),
    ...(summary === undefined ? {} : { summary }),
    pairs: label?.pairs ?? [],
  };
}

/**
 * Writes the manifests that an image has; one that is published meanwhile has the labels of that
 * moment, and is left. Returns the number that changed.
 */
async function rewriteManifests(ports: ManifestPorts, { image }: Member): Promise<number> {
  let written = 0;
  for (const version of presentationVersions) {
    const ref = { bucket: ports.publishedBucket, key: manifestKey('image', image.identifier, version) };
    const existing = await seenObject(ports.store, ref);
    if (!existing) continue;
    try {
      if (await writeJson(ports, ref, existing, imageManifest(ports, image, version))) written++;
    } catch (error) {
      if (!(error instanceof PreconditionFailedError)) throw error;
    }
  }
  return written;
}

/** Keeps the user metadata of the existing object, which names the upload that it was made for. */
function writeJson({ store }: ManifestPorts, ref: ObjectRef, seen: SeenObject, content: object): Promise<boolean> {
  const options = { contentType: 'application/json', cacheControl: DESCRIPTOR_CACHE, metadata: seen?.metadata };
  return writeChanged(store, ref, seen, manifestBytes(content), options);
}

/** A manifest as it is stored. */
export function manifestBytes(content: object): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(content, undefined, 2)}\n`);
}
