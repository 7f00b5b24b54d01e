/** IIIF Presentation API 2.1: https://iiif.io/api/presentation/2.1/ */
import {
  canvasId,
  type DescribedCollection,
  type DescribedImage,
  type DescribedManifest,
  type DescribedMember,
  type DescribedText,
  type LinkedFile,
  type MetadataPair,
  plainText,
  type PresentationSettings,
  servedThumbnailSize,
} from './described-image.ts';

const context = 'http://iiif.io/api/presentation/2/context.json';

/** A text, with its language if it is known. */
type Text2 = string | { readonly '@value': string; readonly '@language': string };

interface Pair2 {
  readonly label: Text2;
  readonly value: Text2;
}

/** A base URI of the Image API. */
interface Service2 {
  readonly '@context': string;
  readonly '@id': string;
  readonly profile: string;
}

/** A picture by its URL. Size in pixels. */
interface Picture2 {
  readonly '@id': string;
  readonly '@type': 'dctypes:Image';
  readonly format: string;
  readonly width: number;
  readonly height: number;
  readonly service?: Service2;
}

interface Link2 {
  readonly '@id': string;
  readonly format: string;
  readonly label: string;
}

interface Described2 {
  readonly '@id': string;
  readonly label: Text2;
  readonly description?: Text2;
  readonly metadata?: readonly Pair2[];
  readonly thumbnail?: Picture2;
}

interface Presented2 {
  readonly license?: string;
  readonly attribution?: Text2;
}

interface Canvas2 extends Described2 {
  readonly '@type': 'sc:Canvas';
  readonly width: number;
  readonly height: number;
  readonly seeAlso?: Link2;
  readonly images: readonly {
    readonly '@id': string;
    readonly '@type': 'oa:Annotation';
    readonly motivation: 'sc:painting';
    readonly resource: Picture2;
    readonly on: string;
  }[];
}

/** A manifest as it is stored. */
export interface Manifest2 extends Described2, Presented2 {
  readonly '@context': string;
  readonly '@type': 'sc:Manifest';
  readonly viewingDirection?: string;
  readonly viewingHint?: string;
  readonly rendering?: Link2 | readonly Link2[];
  readonly sequences: readonly [
    {
      readonly '@id': string;
      readonly '@type': 'sc:Sequence';
      readonly label: string;
      readonly canvases: readonly Canvas2[];
    },
  ];
}

interface Member2 {
  readonly '@id': string;
  readonly '@type': 'sc:Manifest' | 'sc:Collection';
  readonly label: Text2;
  readonly thumbnail?: Picture2;
}

/** A collection as it is stored. */
export interface Collection2 extends Described2, Presented2 {
  readonly '@context': string;
  readonly '@type': 'sc:Collection';
  readonly members: readonly Member2[];
}

/** The manifest of one image or of an ordered group. */
export function manifestOf2(manifest: DescribedManifest): Manifest2 {
  const { id, images, settings } = manifest;
  const { viewingDirection, behavior } = settings;
  const [first] = images;
  const pdfs = new Map(images.flatMap(({ pdf }) => (pdf ? [[pdf.url, linkOf(pdf, 'PDF')] as const] : [])));
  const [pdf, ...morePdfs] = pdfs.values();
  return {
    '@context': context,
    '@id': id,
    '@type': 'sc:Manifest',
    ...described(manifest, settings),
    ...thumbnailOf(first),
    ...presented(settings),
    ...(viewingDirection ? { viewingDirection } : {}),
    // 2.1 has no `unordered`.
    ...(behavior && behavior !== 'unordered' ? { viewingHint: behavior } : {}),
    ...(pdf ? { rendering: morePdfs.length > 0 ? [pdf, ...morePdfs] : pdf } : {}),
    sequences: [
      {
        '@id': `${id}/sequence/normal`,
        '@type': 'sc:Sequence',
        label: 'Normal order',
        canvases: images.map((image) => canvasOf(id, image, settings)),
      },
    ],
  };
}

/** A collection of manifests and of other collections. */
export function collectionOf2(collection: DescribedCollection): Collection2 {
  const { id, members, settings } = collection;
  return {
    '@context': context,
    '@id': id,
    '@type': 'sc:Collection',
    ...described(collection, settings),
    ...thumbnailOf(members.find(({ thumbnail }) => thumbnail)?.thumbnail),
    ...presented(settings),
    members: members.map((member) => memberOf(member, settings)),
  };
}

function memberOf({ id, type, title, thumbnail }: DescribedMember, settings: PresentationSettings): Member2 {
  return { '@id': id, '@type': `sc:${type}`, label: textOf(title, settings), ...thumbnailOf(thumbnail) };
}

function canvasOf(manifest: string, image: DescribedImage, settings: PresentationSettings): Canvas2 {
  const { width, height, sidecar } = image;
  const id = canvasId(manifest, image);
  return {
    '@id': id,
    '@type': 'sc:Canvas',
    width,
    height,
    ...described(image, settings),
    ...thumbnailOf(image),
    ...(sidecar ? { seeAlso: linkOf(sidecar, 'Technical metadata') } : {}),
    images: [
      {
        '@id': `${id}/image`,
        '@type': 'oa:Annotation',
        motivation: 'sc:painting',
        resource: resourceOf(image),
        on: id,
      },
    ],
  };
}

function resourceOf(image: DescribedImage): Picture2 {
  const { width, height, file } = image;
  const service = serviceOf(image);
  const shown = service
    ? { '@id': `${service['@id']}/full/${image.services?.v2 === undefined ? 'max' : 'full'}/0/default.jpg` }
    : { '@id': file.url };
  const format = service ? 'image/jpeg' : file.format;
  return { ...shown, '@type': 'dctypes:Image', format, width, height, ...(service ? { service } : {}) };
}

/** Version 2 of the Image API if there is one: older viewers know no other. */
function serviceOf({ services }: DescribedImage): Service2 | undefined {
  const { level = 0, v2, v3 } = services ?? {};
  const version = v2 === undefined ? 3 : 2;
  const uri = v2 ?? v3;
  if (uri === undefined) return undefined;
  return {
    '@context': `http://iiif.io/api/image/${version}/context.json`,
    '@id': uri,
    profile: `http://iiif.io/api/image/${version}/level${level}.json`,
  };
}

/** The largest thumbnail in a file, or else one that the image server makes. */
function thumbnailOf(image: DescribedImage | undefined): { thumbnail?: Picture2 } {
  if (!image) return {};
  const [largest] = [...image.thumbnails].sort((a, b) => b.width * b.height - a.width * a.height);
  if (largest) {
    const { url, format, width, height } = largest;
    return { thumbnail: { '@id': url, '@type': 'dctypes:Image', format, width, height } };
  }
  const service = image.services?.level === 2 ? serviceOf(image) : undefined;
  if (!service || image.services?.v2 === undefined) return {};
  const { width, height } = servedThumbnailSize(image);
  const picture = { '@id': `${service['@id']}/full/${width},/0/default.jpg`, '@type': 'dctypes:Image' as const };
  return { thumbnail: { ...picture, format: 'image/jpeg', width, height, service } };
}

function described({ title, summary, pairs }: DescribedText, settings: PresentationSettings) {
  return {
    label: textOf(title, settings),
    ...(summary === undefined ? {} : { description: textOf(plainText(summary), settings) }),
    ...(pairs.length > 0 ? { metadata: pairs.map((pair) => pairOf(pair, settings)) } : {}),
  };
}

/** 2.1 has no label of the required statement; it precedes the text. */
function presented(settings: PresentationSettings): Presented2 {
  const { rights, requiredStatement } = settings;
  return {
    ...(rights === undefined ? {} : { license: rights }),
    ...(requiredStatement
      ? { attribution: textOf(`${requiredStatement.label}: ${plainText(requiredStatement.value)}`, settings) }
      : {}),
  };
}

function pairOf({ label, value }: MetadataPair, settings: PresentationSettings): Pair2 {
  return { label: textOf(label, settings), value: textOf(plainText(value), settings) };
}

function textOf(text: string, { language }: PresentationSettings): Text2 {
  return language === 'none' ? text : { '@value': text, '@language': language };
}

function linkOf({ url, format }: LinkedFile, label: string): Link2 {
  return { '@id': url, format, label };
}
