/** What manifests say about images, independent of the version of the Presentation API. */

import type { ManifestSettings } from '../../recipe/manifest-settings.ts';

/** A label and its value, as shown beside an image. */
export interface MetadataPair {
  readonly label: string;
  readonly value: string;
}

/** Title and description for readers. */
export interface DescribedText {
  readonly title: string;
  readonly summary?: string | undefined;
  readonly pairs: readonly MetadataPair[];
}

/** A file that a manifest links to. */
export interface LinkedFile {
  /** Absolute URL. */
  readonly url: string;
  readonly format: string;
}

/** A picture in a file of its own. Size in pixels. */
export interface LinkedPicture extends LinkedFile {
  readonly width: number;
  readonly height: number;
}

/**
 * The base URIs of an image in the Image API, one a version. Level 0: static files; level 2: the
 * image server.
 */
export interface ImageServices {
  readonly level: 0 | 2;
  readonly v2?: string | undefined;
  readonly v3?: string | undefined;
}

/** A published image. Size in pixels. */
export interface DescribedImage extends DescribedText {
  /** The published key without `.tif`. */
  readonly identifier: string;
  readonly width: number;
  readonly height: number;
  readonly services?: ImageServices | undefined;
  /** The file itself, which is shown when there is no image service. */
  readonly file: LinkedFile;
  /** Thumbnails in files of their own. */
  readonly thumbnails: readonly LinkedPicture[];
  readonly sidecar?: LinkedFile | undefined;
  /** The PDF that the image was made of. */
  readonly pdf?: LinkedFile | undefined;
}

/** What the manifests of a recipe share. */
export type PresentationSettings = Readonly<Omit<ManifestSettings, 'folders'>>;

/** A manifest to be written: one image, or an ordered group. */
export interface DescribedManifest extends DescribedText {
  readonly id: string;
  readonly images: readonly DescribedImage[];
  readonly settings: PresentationSettings;
}

/** A manifest or collection as a collection lists it. */
export interface DescribedMember {
  readonly id: string;
  readonly type: 'Manifest' | 'Collection';
  readonly title: string;
  readonly thumbnail?: DescribedImage | undefined;
}

/** A collection to be written. */
export interface DescribedCollection extends DescribedText {
  readonly id: string;
  readonly members: readonly DescribedMember[];
  readonly settings: PresentationSettings;
}

/** The URI of the canvas of an image in a manifest. */
export function canvasId(manifest: string, { identifier }: Pick<DescribedImage, 'identifier'>): string {
  return `${manifest}/canvas/${encodeURIComponent(identifier)}`;
}

/** Longest side of the thumbnail that is asked of an image server, in pixels. */
const SERVED_THUMBNAIL = 400;

/** The size of the thumbnail that an image server makes. Proportional, rounded; in pixels. */
export function servedThumbnailSize({ width, height }: Pick<DescribedImage, 'width' | 'height'>): {
  width: number;
  height: number;
} {
  const scale = Math.min(1, SERVED_THUMBNAIL / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * Text for properties that may hold HTML: a value that begins with `<` and ends with `>` would be
 * taken for HTML, and a space at its end makes it plain text (Presentation API 3.0, HTML Markup in
 * Property Values).
 */
export function plainText(value: string): string {
  return value.startsWith('<') && value.endsWith('>') ? `${value} ` : value;
}
