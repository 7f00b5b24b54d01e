/** The routes of the IIIF Image API, versions 3 and 2. */
import type { Context, Hono } from 'hono';
import type { PublishedPyramid } from '../../published/published-pyramid.ts';
import { planRegion } from '../../published/region-plan.ts';
import { segmentsAfter, serverUrl } from '../addresses.ts';
import { answer, commonHeaders, etagOf, mediaTypes, needsCurrent } from '../answers.ts';
import type { DeliveryParts } from '../delivery.ts';
import { decodeIdentifier } from '../identifier.ts';
import { makePicture } from '../make-picture.ts';
import { tileFormat } from '../whole-tile.ts';
import { canonicalForm } from './canonical.ts';
import { contexts, imageInformation, profiles } from './info.ts';
import { resolveRegion, resolveSize } from './resolve.ts';
import { type ApiVersion, apiVersions, parseImageParameters, type RequestedQuality } from './syntax.ts';
import type { DerivativeQuality } from '../../imaging/derivative.ts';

/** Segments after the identifier in the path of an image request. */
const IMAGE_SEGMENTS = 4;

export function addIiifRoutes(app: Hono, parts: DeliveryParts): void {
  for (const version of apiVersions) {
    app.get(`/iiif/${version}/*`, (c) => answerIiif(c, version, parts));
  }
}

async function answerIiif(c: Context, version: ApiVersion, parts: DeliveryParts): Promise<Response> {
  const prefix = `/iiif/${version}/`;
  const segments = segmentsAfter(prefix, c.req.url);
  const base = `${parts.settings.baseUrl ?? serverUrl(c.req.url, prefix, (name) => c.req.header(name))}${prefix}`;
  if (segments.length > 1 && segments.at(-1) === 'info.json') {
    return answerInformation(c, version, parts, base, decodeIdentifier(segments.slice(0, -1).join('/')));
  }
  if (segments.length > IMAGE_SEGMENTS) {
    const identifier = decodeIdentifier(segments.slice(0, -IMAGE_SEGMENTS).join('/'));
    return answerImage(c, version, parts, base, identifier, segments.slice(-IMAGE_SEGMENTS).map(decodeSegment));
  }
  return redirectToInformation(parts, base, decodeIdentifier(segments.join('/').replace(/\/$/u, '')));
}

/** A segment that is not valid percent-encoding is no valid parameter either. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function redirectToInformation(parts: DeliveryParts, base: string, identifier: string): Promise<Response> {
  return parts.use(
    identifier,
    () => {
      const location = `${base}${encodeURIComponent(identifier)}/info.json`;
      const headers = { ...commonHeaders, Location: location, 'Cache-Control': parts.settings.infoCaching };
      return Promise.resolve(new Response(null, { status: 303, headers }));
    },
    { current: true },
  );
}

function answerInformation(
  c: Context,
  version: ApiVersion,
  parts: DeliveryParts,
  base: string,
  identifier: string,
): Promise<Response> {
  const { settings } = parts;
  const id = `${base}${encodeURIComponent(identifier)}`;
  const isLinkedData = /application\/ld\+json/iu.test(c.req.header('accept') ?? '');
  const context = `<${contexts[version]}>;rel="http://www.w3.org/ns/json-ld#context";type="application/ld+json"`;
  const profile = `<${profiles[version]}>;rel="profile"`;
  return parts.use(
    identifier,
    (image) =>
      answer(c, {
        etag: etagOf(image.etag, `${isLinkedData ? 'ld' : 'json'} ${id} ${JSON.stringify(settings)}`),
        headers: {
          'Content-Type': isLinkedData
            ? `application/ld+json;profile="${contexts[version]}"`
            : 'application/json; charset=utf-8',
          'Cache-Control': settings.infoCaching,
          Link: isLinkedData ? profile : `${context}, ${profile}`,
          Vary: 'Accept',
        },
        body: () =>
          JSON.stringify(
            imageInformation(version, {
              id,
              levels: image.header.levels,
              tileSize: image.header.tileSize,
              limits: settings,
              rights: image.header.rights ?? settings.rights,
              preferredFormat: tileFormat(image.header),
            }),
          ),
      }),
    { current: true },
  );
}

function answerImage(
  c: Context,
  version: ApiVersion,
  parts: DeliveryParts,
  base: string,
  identifier: string,
  segments: readonly string[],
): Promise<Response> {
  const { settings } = parts;
  // An unknown identifier is answered with 404 whatever follows it.
  return parts.use(
    identifier,
    (image) => {
      const { rotation, ...parameters } = parseImageParameters(version, segments);
      const { width, height, header } = image;
      const region = resolveRegion(parameters.region, image);
      const against = { width, height, tileSize: header.tileSize, levels: header.levels };
      const size = resolveSize(version, parameters.size, region, against, settings);
      const quality = ownQuality(parameters.quality, image);
      const { format } = parameters;
      const canonical = canonicalForm(
        version,
        { region, size, rotation, quality, format },
        image,
        settings,
        image.isGrey,
      );
      const uri = `${base}${encodeURIComponent(identifier)}/${canonical}`;
      return answer(c, {
        etag: etagOf(image.etag, `${canonical} ${settings.quality}`),
        headers: {
          'Content-Type': mediaTypes[format],
          'Cache-Control': settings.imageCaching,
          Link: `<${uri}>;rel="canonical", <${profiles[version]}>;rel="profile"`,
        },
        body: () =>
          makePicture(
            parts,
            image,
            planRegion(header, region, size),
            { size, mirrored: rotation.mirrored, rotation: rotation.degrees, quality, format },
            () => c.req.raw.signal,
          ),
      });
    },
    { current: needsCurrent(c) },
  );
}

/** `default` is what the image is; grey stays grey where colour is requested. */
function ownQuality(requested: RequestedQuality, { isGrey }: PublishedPyramid): DerivativeQuality {
  if (requested === 'bitonal') return 'bitonal';
  if (isGrey) return 'gray';
  return requested === 'default' ? 'color' : requested;
}
