/** The URLs that manifests contain. */

/** Where a stage is reached. Absolute URLs, each with `/` at its end. */
export interface PublicAddresses {
  /** The published bucket: the URL of an object is this and its key. */
  readonly files: string;
  /** The image server, if the stage has one. */
  readonly server?: string | undefined;
}

export const presentationVersions = [3, 2] as const;
export type PresentationVersion = (typeof presentationVersions)[number];

/** The URL of an object of the published bucket. */
export function fileUrl({ files }: PublicAddresses, key: string): string {
  return `${files}${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** The base URI of an image on the image server. */
export function imageUri(server: string, version: 2 | 3, identifier: string): string {
  return `${server}iiif/${version}/${encodeURIComponent(identifier)}`;
}

/** An image; or all images of a folder, as one manifest or as a collection of manifests. */
export type DescribedKind = 'image' | 'folder' | 'collection';

/**
 * The key of a stored manifest or collection. The identifier of a folder has `/` at its end; '' is
 * the root.
 */
export function manifestKey(kind: DescribedKind, identifier: string, version: PresentationVersion): string {
  const suffix = version === 2 ? '.v2.json' : '.json';
  if (kind === 'image') return `${identifier}/manifest${suffix}`;
  return `${identifier}folder-${kind === 'folder' ? 'manifest' : 'collection'}${suffix}`;
}

/**
 * The URI of a manifest or collection: that of the server, which answers in one place whichever
 * object is stored, or else that of the object.
 */
export function manifestUri(
  addresses: PublicAddresses,
  kind: DescribedKind,
  identifier: string,
  version: PresentationVersion,
): string {
  const { server } = addresses;
  if (server === undefined) return fileUrl(addresses, manifestKey(kind, identifier, version));
  const name = kind === 'collection' ? 'collection' : 'manifest';
  const id = kind === 'image' ? identifier : identifier === '' ? '/' : identifier;
  return `${server}iiif/presentation/${version}/${encodeURIComponent(id)}/${name}`;
}
