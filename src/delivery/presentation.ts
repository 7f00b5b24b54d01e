/**
 * IIIF manifests: `/iiif/presentation/3/ID/manifest`, and `…/2/…`. An identifier that ends with `/`
 * is that of a folder, which also has a `collection`; `/` alone is the root. They are made on the
 * fly where the server may read the ledger, or else they are the stored ones.
 */
import type { Context, Hono } from 'hono';
import { ObjectNotFoundError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import {
  type DescribedKind,
  manifestKey,
  type PresentationVersion,
  presentationVersions,
  type PublicAddresses,
} from '../outputs/presentation/addresses.ts';
import { describeEntry, isPublishedEntry, type PublishedEntry } from '../outputs/presentation/describe-entry.ts';
import type { PresentationSettings } from '../outputs/presentation/described-image.ts';
import { folderOf, LabelFiles, labelOf } from '../outputs/presentation/find-labels.ts';
import { publicCompanions } from '../outputs/presentation/public-companions.ts';
import {
  describeFolder,
  folderCollection,
  folderManifest,
  imageManifest,
  manifestBytes,
  type ManifestPorts,
} from '../outputs/presentation/publish-folder.ts';
import { readFolder } from '../outputs/presentation/read-folder.ts';
import type { PublishedPyramid } from '../published/published-pyramid.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { segmentsAfter, serverUrl } from './addresses.ts';
import { answer, etagOf } from './answers.ts';
import type { DeliveryParts } from './delivery.ts';
import { decodeIdentifier, keyOfIdentifier, notFound } from './identifier.ts';
import { RefusedRequestError } from './refused.ts';

/** What manifests that are made on the fly say. */
export interface ManifestStage {
  readonly ledger: Pick<Ledger, 'findPublished' | 'findAllPublished'>;
  readonly settings: PresentationSettings;
  /** URL of the published bucket for a URL of the server, each with `/` at its end. */
  readonly filesUrl: (server: string) => string;
}

interface PresentationParts extends DeliveryParts {
  readonly store: ObjectStore;
  readonly publishedBucket: string;
}

const contexts: Readonly<Record<PresentationVersion, string>> = {
  3: 'http://iiif.io/api/presentation/3/context.json',
  2: 'http://iiif.io/api/presentation/2/context.json',
};

interface ManifestRequest {
  readonly kind: DescribedKind;
  /** With `/` at its end for a folder; '' is the root. */
  readonly identifier: string;
  readonly version: PresentationVersion;
}

export function addPresentationRoutes(app: Hono, parts: PresentationParts, stage: ManifestStage | undefined): void {
  const labels = new LabelFiles(parts.store, parts.publishedBucket);
  for (const version of presentationVersions) {
    const prefix = `/iiif/presentation/${version}/`;
    app.get(`${prefix}*`, async (c) => {
      const request = parseRequest(segmentsAfter(prefix, c.req.url), version);
      const base = parts.settings.baseUrl ?? serverUrl(c.req.url, prefix, (name) => c.req.header(name));
      const made = stage
        ? manifestBytes(await makeContent(parts, { ...stage, labels }, request, `${base}/`))
        : await readStored(parts, request);
      return answerManifest(c, parts, version, made);
    });
  }
  app.get('/iiif/presentation/*', () => {
    throw new RefusedRequestError(404, 'Manifests have versions 3 and 2 of the Presentation API.');
  });
}

function parseRequest(segments: readonly string[], version: PresentationVersion): ManifestRequest {
  const what = segments.at(-1)?.replace(/\.json$/u, '');
  const identifier = decodeIdentifier(segments.slice(0, -1).join('/'));
  const isFolder = identifier.endsWith('/');
  if (identifier !== '' && (what === 'manifest' || (what === 'collection' && isFolder))) {
    const kind = what === 'collection' ? 'collection' : isFolder ? 'folder' : 'image';
    return { kind, identifier: identifier === '/' ? '' : identifier, version };
  }
  throw new RefusedRequestError(
    404,
    'Manifests have the path ID/manifest; those of folders FOLDER%2F/manifest and FOLDER%2F/collection.',
  );
}

function answerManifest(
  c: Context,
  { settings }: PresentationParts,
  version: PresentationVersion,
  bytes: Uint8Array,
): Promise<Response> {
  const isLinkedData = /application\/ld\+json/iu.test(c.req.header('accept') ?? '');
  return answer(c, {
    etag: etagOf(Buffer.from(bytes).toString(), isLinkedData ? 'ld' : 'json'),
    headers: {
      'Content-Type': isLinkedData
        ? `application/ld+json;profile="${contexts[version]}"`
        : 'application/json; charset=utf-8',
      'Cache-Control': settings.infoCaching,
      Vary: 'Accept',
    },
    body: () => bytes,
  });
}

async function readStored(
  { store, publishedBucket }: PresentationParts,
  { kind, identifier, version }: ManifestRequest,
): Promise<Uint8Array> {
  try {
    return await store.read({ bucket: publishedBucket, key: manifestKey(kind, identifier, version) });
  } catch (error) {
    throw error instanceof ObjectNotFoundError ? noManifest(identifier, error) : error;
  }
}

type LabelledStage = ManifestStage & { readonly labels: LabelFiles };

async function makeContent(
  parts: PresentationParts,
  stage: LabelledStage,
  request: ManifestRequest,
  server: string,
): Promise<object> {
  const { identifier, version } = request;
  const addresses: PublicAddresses = { server, files: stage.filesUrl(server) };
  const { store, publishedBucket } = parts;
  const ports: ManifestPorts = {
    ...{ store, publishedBucket, addresses, ...stage },
    companions: (entry) => publicCompanions(parts, entry, addresses),
  };
  if (request.kind === 'image') return makeImageManifest(parts, ports, stage, identifier, version);
  const folder = await readFolder(ports, identifier);
  const images = (await describeFolder(ports, folder)).map(({ image }) => image);
  if (images.length === 0) throw noManifest(identifier);
  return request.kind === 'folder'
    ? folderManifest(ports, folder, images, version)
    : folderCollection(ports, folder, images, version);
}

function makeImageManifest(
  parts: PresentationParts,
  ports: ManifestPorts,
  { ledger, labels }: LabelledStage,
  identifier: string,
  version: PresentationVersion,
): Promise<object> {
  return parts.use(
    identifier,
    async (pyramid) => {
      const key = keyOfIdentifier(identifier);
      const found = await ledger.findPublished(parts.publishedBucket, key);
      const entry = found && isPublishedEntry(found) ? found : entryOfPyramid(pyramid);
      const label = labelOf(await labels.inAndAbove(folderOf(key)), entry);
      const image = describeEntry(entry, label, ports.addresses, await ports.companions(entry));
      return imageManifest(ports, image, version);
    },
    { current: true },
  );
}

/** The entry of a pyramid that the ledger does not have. */
function entryOfPyramid({ width, height, header: { ref, info, levels, tileSize } }: PublishedPyramid): PublishedEntry {
  const { bucket, key } = ref;
  return {
    ...{ imageId: '', sequence: '', bucket, key, recipe: '', status: 'PUBLISHED', updatedAt: '' },
    published: { bucket, key, etag: info.etag, size: info.size, width, height, levels: levels.length, tileSize },
  };
}

function noManifest(identifier: string, cause?: unknown): RefusedRequestError {
  return identifier === '' || identifier.endsWith('/')
    ? new RefusedRequestError(404, `The folder ${JSON.stringify(identifier)} has no published images.`, { cause })
    : notFound(identifier, { cause });
}
