/** Describes a published image for manifests, from its ledger entry and its label. */
import path from 'node:path';
import type { LedgerEntry, Publication } from '../../ledger/ledger.ts';
import { fileUrl, imageUri, type PublicAddresses } from './addresses.ts';
import type { DescribedImage, LinkedPicture, MetadataPair } from './described-image.ts';
import { type Label, normalIdentifier } from './labels.ts';

/** The entry of an image that is public. */
export type PublishedEntry = LedgerEntry & { readonly published: Publication };

export function isPublishedEntry(entry: LedgerEntry): entry is PublishedEntry {
  return entry.published !== undefined;
}

/** What is public beside the pyramid, and is not in the entry. */
export interface PublicCompanions {
  readonly thumbnails?: readonly LinkedPicture[] | undefined;
  /** Key of the copy of the PDF. */
  readonly pdf?: string | undefined;
  /** Base URI of static tiles of the Image API. */
  readonly tiles?: { readonly v3?: string; readonly v2?: string } | undefined;
}

/** The published key without `.tif`. */
export function identifierOf({ published }: PublishedEntry): string {
  return published.key.replace(/\.tif$/u, '');
}

/**
 * The names by which a row of labels may name an image, best first: its identifier, its published
 * file and its master, each relative to the folder of the labels.
 */
export function namesOf(entry: PublishedEntry, folder: string): string[] {
  const names = [identifierOf(entry), entry.published.key, ...(entry.page ? [] : [entry.key])];
  return names.filter((name) => name.startsWith(folder)).map((name) => normalIdentifier(name.slice(folder.length)));
}

/**
 * The description of a published image. The title is that of its label, the embedded one, or its
 * file name.
 */
export function describeEntry(
  entry: PublishedEntry,
  label: Label | undefined,
  addresses: PublicAddresses,
  { thumbnails = [], pdf, tiles }: PublicCompanions = {},
): DescribedImage {
  const { published, sidecar } = entry;
  const identifier = identifierOf(entry);
  const { server } = addresses;
  const served = server === undefined ? undefined : (version: 2 | 3) => imageUri(server, version, identifier);
  return {
    identifier,
    title: label?.title ?? embeddedTitle(entry) ?? path.posix.basename(identifier),
    summary: label?.description,
    pairs: pairsOf(entry, label),
    width: published.width,
    height: published.height,
    services: served ? { level: 2, v3: served(3), v2: served(2) } : tiles && { level: 0, ...tiles },
    file: { url: fileUrl(addresses, published.key), format: 'image/tiff' },
    thumbnails,
    sidecar: sidecar && { url: fileUrl(addresses, sidecar.key), format: 'application/json' },
    pdf: pdf === undefined ? undefined : { url: fileUrl(addresses, pdf), format: 'application/pdf' },
  };
}

/** All pages of a document have its title, so their numbers are added. */
function embeddedTitle({ metadata, page }: LedgerEntry): string | undefined {
  const title = metadata?.about?.['title'];
  return title === undefined || !page ? title : `${title} (${page.number})`;
}

/** The embedded metadata that readers look for; a column of the same name replaces it. */
const embeddedPairs: readonly { readonly field: string; readonly label: string }[] = [
  { field: 'creator', label: 'Creator' },
  { field: 'dateTaken', label: 'Date' },
  { field: 'copyright', label: 'Copyright' },
];

function pairsOf({ metadata }: LedgerEntry, label: Label | undefined): MetadataPair[] {
  const given = label?.pairs ?? [];
  const names = new Set(given.map((pair) => pair.label.toLowerCase()));
  const embedded = embeddedPairs.flatMap(({ field, label: name }) => {
    const value = metadata?.about?.[field];
    return value === undefined || names.has(name.toLowerCase()) ? [] : [{ label: name, value }];
  });
  return [...given, ...embedded];
}
