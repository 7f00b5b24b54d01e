/** IIIF Presentation API 3.0: https://iiif.io/api/presentation/3.0/ */
import type {
  Annotation,
  Canvas,
  Collection,
  ContentResource,
  ImageService,
  InternationalString,
  Manifest,
  MetadataItem,
} from '@iiif/presentation-3';
import {
  canvasId,
  type DescribedCollection,
  type DescribedImage,
  type DescribedManifest,
  type DescribedMember,
  type DescribedText,
  type LinkedFile,
  type LinkedPicture,
  type MetadataPair,
  plainText,
  type PresentationSettings,
  servedThumbnailSize,
} from './described-image.ts';

const context = 'http://iiif.io/api/presentation/3/context.json';

/** The manifest of one image or of an ordered group. */
export function manifestOf3(manifest: DescribedManifest): Manifest {
  const { id, images, settings } = manifest;
  const [first] = images;
  const pdfs = new Map(images.flatMap(({ pdf }) => (pdf ? [[pdf.url, pdf] as const] : [])));
  const rendering = [...pdfs.values()].map((pdf) => linkOf('Text', pdf, 'PDF'));
  return {
    '@context': context,
    id,
    type: 'Manifest',
    ...described(manifest, settings),
    ...presented(settings),
    ...(settings.viewingDirection ? { viewingDirection: settings.viewingDirection } : {}),
    ...(settings.behavior ? { behavior: [settings.behavior] } : {}),
    ...listed('thumbnail', first ? thumbnailsOf(first) : []),
    ...listed('rendering', rendering),
    items: images.map((image) => canvasOf(id, image, settings)),
  };
}

/** A collection of manifests and of other collections. */
export function collectionOf3(collection: DescribedCollection): Collection {
  const { id, members, settings } = collection;
  const first = members.find(({ thumbnail }) => thumbnail)?.thumbnail;
  return {
    '@context': context,
    id,
    type: 'Collection',
    ...described(collection, settings),
    ...presented(settings),
    ...listed('thumbnail', first ? thumbnailsOf(first) : []),
    items: members.map((member) => itemOf(member, settings)),
  };
}

function itemOf({ id, type, title, thumbnail }: DescribedMember, settings: PresentationSettings) {
  const shown = {
    id,
    label: inLanguage(title, settings),
    ...listed('thumbnail', thumbnail ? thumbnailsOf(thumbnail) : []),
  };
  // Collections list manifests and collections by reference: neither has items here.
  return (type === 'Manifest' ? { ...shown, type } : { ...shown, type }) as Manifest | Collection;
}

function canvasOf(manifest: string, image: DescribedImage, settings: PresentationSettings): Canvas {
  const { width, height, sidecar } = image;
  const id = canvasId(manifest, image);
  const painting: Annotation = {
    id: `${id}/image`,
    type: 'Annotation',
    motivation: 'painting',
    target: id,
    body: bodyOf(image),
  };
  return {
    id,
    type: 'Canvas',
    width,
    height,
    ...described(image, settings),
    ...listed('thumbnail', thumbnailsOf(image)),
    ...listed('seeAlso', sidecar ? [linkOf('Dataset', sidecar, 'Technical metadata')] : []),
    items: [{ id: `${id}/page`, type: 'AnnotationPage', items: [painting] }],
  };
}

function bodyOf(image: DescribedImage): ContentResource {
  const { width, height, file } = image;
  const uri = image.services?.v3 ?? image.services?.v2;
  if (uri === undefined) return { id: file.url, type: 'Image', format: file.format, width, height };
  const full = image.services?.v3 === undefined ? 'full/full' : 'full/max';
  const jpeg = `${uri}/${full}/0/default.jpg`;
  return { id: jpeg, type: 'Image', format: 'image/jpeg', width, height, service: servicesOf(image) };
}

/** The newest version first: viewers take the first service that they support. */
function servicesOf({ services }: DescribedImage): ImageService[] {
  if (!services) return [];
  const { level, v2, v3 } = services;
  return [
    ...(v3 === undefined ? [] : [{ id: v3, type: 'ImageService3' as const, profile: `level${level}` as const }]),
    ...(v2 === undefined
      ? []
      : [
          {
            '@id': v2,
            '@type': 'ImageService2' as const,
            profile: `http://iiif.io/api/image/2/level${level}.json` as const,
          },
        ]),
  ] as ImageService[];
}

/** Files, or else a size that the image server makes. A static service has no size of its own. */
function thumbnailsOf(image: DescribedImage): ContentResource[] {
  const { thumbnails, services } = image;
  if (thumbnails.length > 0) return thumbnails.map(pictureOf);
  if (services?.level !== 2 || services.v3 === undefined) return [];
  const { width, height } = servedThumbnailSize(image);
  const url = `${services.v3}/full/${width},${height}/0/default.jpg`;
  return [{ ...pictureOf({ url, format: 'image/jpeg', width, height }), service: servicesOf(image) }];
}

function linkOf<Type extends 'Text' | 'Dataset'>(type: Type, { url, format }: LinkedFile, label: string) {
  return { id: url, type, format, label: { en: [label] } };
}

function pictureOf({ url, format, width, height }: LinkedPicture) {
  return { id: url, type: 'Image' as const, format, width, height };
}

function described(
  { title, summary, pairs }: DescribedText,
  settings: PresentationSettings,
): { label: InternationalString; summary?: InternationalString; metadata?: MetadataItem[] } {
  return {
    label: inLanguage(title, settings),
    ...(summary === undefined ? {} : { summary: inLanguage(plainText(summary), settings) }),
    ...listed(
      'metadata',
      pairs.map((pair) => pairOf(pair, settings)),
    ),
  };
}

function presented(settings: PresentationSettings): { rights?: string; requiredStatement?: MetadataItem } {
  const { rights, requiredStatement } = settings;
  return {
    ...(rights === undefined ? {} : { rights }),
    ...(requiredStatement ? { requiredStatement: pairOf(requiredStatement, settings) } : {}),
  };
}

function pairOf({ label, value }: MetadataPair, settings: PresentationSettings): MetadataItem {
  return { label: inLanguage(label, settings), value: inLanguage(plainText(value), settings) };
}

function inLanguage(text: string, { language }: PresentationSettings): InternationalString {
  return { [language]: [text] };
}

/** A property that is omitted when it has no values: the API does not allow empty lists. */
function listed<Name extends string, Value>(name: Name, values: readonly Value[]): Partial<Record<Name, Value[]>> {
  return values.length === 0 ? {} : ({ [name]: [...values] } as Partial<Record<Name, Value[]>>);
}
