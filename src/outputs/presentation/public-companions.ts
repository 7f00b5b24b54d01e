/** What is public beside a pyramid: thumbnails, static tiles and the PDF. */
import { ObjectNotFoundError } from '../../errors.ts';
import { imageId } from '../../ledger/identity.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { fileUrl, type PublicAddresses } from './addresses.ts';
import { type PublicCompanions, type PublishedEntry } from './describe-entry.ts';

interface CompanionPorts {
  readonly store: Pick<ObjectStore, 'head'>;
  readonly publishedBucket: string;
}

/** Finds them by the ledger entry; only the PDF of a document takes a request. */
export async function publicCompanions(
  ports: CompanionPorts,
  entry: PublishedEntry,
  addresses: PublicAddresses,
): Promise<PublicCompanions> {
  const has = new Map(entry.outputs?.map((output) => [output.name, output]));
  const descriptor = has.get('iiif')?.descriptor;
  const isPdf = entry.metadata?.format === 'pdf' && (await isPublicPdf(ports, entry));
  return {
    thumbnails: has.get('thumbnails')?.pictures?.map(({ key, width, height }) => ({
      ...{ url: fileUrl(addresses, key), format: 'image/jpeg', width, height },
    })),
    tiles: descriptor === undefined ? undefined : tilesOf(descriptor, addresses),
    pdf: isPdf ? entry.key : undefined,
  };
}

/** The base URI of static tiles, whose last info.json the ledger names. */
function tilesOf(descriptor: string, addresses: PublicAddresses): PublicCompanions['tiles'] {
  const uri = fileUrl(addresses, descriptor.replace(/\/info\.json$/u, ''));
  return uri.endsWith('/iiif2') ? { v2: uri } : { v3: uri };
}

/** Whether the PDF was copied beside the pyramid, under the id of the whole document. */
async function isPublicPdf(
  { store, publishedBucket }: CompanionPorts,
  { bucket, key }: PublishedEntry,
): Promise<boolean> {
  try {
    const { metadata } = await store.head({ bucket: publishedBucket, key });
    return metadata['stepwell-image'] === imageId(bucket, key);
  } catch (error) {
    if (error instanceof ObjectNotFoundError) return false;
    throw error;
  }
}
