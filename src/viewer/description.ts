/** Published images as `/list` and `/info/ID` describe them. docs/serving.md lists the fields. */
import { fileUrl, imageUri, manifestUri, type PublicAddresses } from '../outputs/presentation/addresses.ts';
import { describeEntry, identifierOf, type PublishedEntry } from '../outputs/presentation/describe-entry.ts';

/** Where a site is reached: the viewer and the image server, and the published bucket. */
export type SiteAddresses = Required<PublicAddresses> & { readonly server: string };

/** Addresses of what is served of an image, absolute. */
export interface ImageLinks {
  /** The page on which it is shown. */
  readonly view: string;
  readonly info: string;
  readonly thumbnail: string;
  /** The base URIs of the Image API, without `/info.json`. */
  readonly iiif3: string;
  readonly iiif2: string;
  /** The manifest of the Presentation API 3. */
  readonly manifest: string;
  readonly deepzoom: string;
  readonly tiff: string;
  readonly sidecar?: string;
}

/** An image of `/list`. Size in pixels. */
export interface ListedImage {
  /** The published key without `.tif`. */
  readonly id: string;
  readonly key: string;
  /** The embedded title, or else the name of the file. */
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** ISO 8601. */
  readonly publishedAt: string | undefined;
  readonly links: Pick<ImageLinks, 'view' | 'info' | 'thumbnail' | 'iiif3'>;
}

/** The answer of `/info/ID`. Sizes of images in pixels, of files in bytes. */
export interface ImageInfo extends Omit<ListedImage, 'links'> {
  readonly levels: number;
  readonly tileSize: number;
  readonly bytes: number;
  readonly recipe: string;
  /** The metadata of the master in short form, as in the ledger. */
  readonly about: Readonly<Record<string, string>>;
  readonly master?: {
    readonly format: string;
    readonly bytes: number;
    readonly bands: number;
    readonly bitDepth: number;
  };
  readonly links: ImageLinks;
}

/** The thumbnail fits into a square of so many pixels. */
const THUMBNAIL_SIZE = 250;

export function listedImage(entry: PublishedEntry, site: SiteAddresses): ListedImage {
  const { key, width, height } = entry.published;
  const { view, info, thumbnail, iiif3 } = linksOf(entry, site);
  const { title } = describeEntry(entry, undefined, site);
  const links = { view, info, thumbnail, iiif3 };
  return { id: identifierOf(entry), key, title, width, height, publishedAt: entry.publishedAt, links };
}

export function imageInfo(entry: PublishedEntry, site: SiteAddresses): ImageInfo {
  const { published, metadata, recipe } = entry;
  const master = metadata && {
    format: metadata.format,
    bytes: metadata.fileSize,
    bands: metadata.bands,
    bitDepth: metadata.bitDepth,
  };
  return {
    ...listedImage(entry, site),
    levels: published.levels,
    tileSize: published.tileSize,
    bytes: published.size,
    recipe,
    about: metadata?.about ?? {},
    ...(master ? { master } : {}),
    links: linksOf(entry, site),
  };
}

/** As a parameter of the Image API. An image that is smaller is not enlarged. */
function thumbnailSize({ width, height }: { readonly width: number; readonly height: number }): string {
  return Math.max(width, height) <= THUMBNAIL_SIZE ? 'max' : `!${THUMBNAIL_SIZE},${THUMBNAIL_SIZE}`;
}

function linksOf(entry: PublishedEntry, site: SiteAddresses): ImageLinks {
  const { published, sidecar } = entry;
  const { server } = site;
  const identifier = identifierOf(entry);
  const id = encodeURIComponent(identifier);
  const iiif3 = imageUri(server, 3, identifier);
  return {
    view: `${server}view/${id}`,
    info: `${server}info/${id}`,
    thumbnail: `${iiif3}/full/${thumbnailSize(published)}/0/default.jpg`,
    iiif3,
    iiif2: imageUri(server, 2, identifier),
    manifest: manifestUri(site, 'image', identifier, 3),
    deepzoom: `${server}deepzoom/${id}.dzi`,
    tiff: fileUrl(site, published.key),
    ...(sidecar ? { sidecar: fileUrl(site, sidecar.key) } : {}),
  };
}
