/**
 * The image server: IIIF Image API 3 and 2 and Deep Zoom over published pyramids. The same
 * application runs in Lambda and on Node.
 */
import { Hono } from 'hono';
import { ObjectNotFoundError } from '../errors.ts';
import { jsonLog, type Log } from '../log.ts';
import type { PublishedPyramid } from '../published/published-pyramid.ts';
import { PublishedPyramids, type UseOptions } from '../published/published-pyramids.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { answerFailure, answerPreflight } from './answers.ts';
import { addDeepZoomRoutes } from './deepzoom/routes.ts';
import { keyOfIdentifier, notFound } from './identifier.ts';
import { addIiifRoutes } from './iiif/routes.ts';
import type { PictureMaker } from './make-picture.ts';
import { addPresentationRoutes, type ManifestStage } from './presentation.ts';
import { RefusedRequestError } from './refused.ts';
import { defaultSettings, type DeliverySettings } from './settings.ts';
import { RequestSlots } from './request-slots.ts';
import { addThumbnailRoutes, type ThumbnailStage } from './thumbnails.ts';

export interface DeliveryOptions {
  readonly store: ObjectStore;
  readonly publishedBucket: string;
  /** Settings that differ from the defaults. */
  readonly settings?: Partial<DeliverySettings> | undefined;
  /** Thumbnails on demand; undefined: there are none. */
  readonly thumbnails?: ThumbnailStage | undefined;
  /** What manifests say; undefined: only stored ones are served. */
  readonly manifests?: ManifestStage | undefined;
  /** The cache of directories, if others share it. */
  readonly pyramids?: PublishedPyramids | undefined;
  readonly log?: Log | undefined;
}

/** What the routes work with. */
export interface DeliveryParts extends PictureMaker {
  readonly settings: DeliverySettings;
  /**
   * Calls `work` with the image of an identifier. Throws RefusedRequestError(404) if there is none.
   */
  use<Result>(
    identifier: string,
    work: (image: PublishedPyramid) => Promise<Result>,
    options?: UseOptions,
  ): Promise<Result>;
}

/**
 * The routes `/iiif/3/…`, `/iiif/2/…`, `/iiif/presentation/…`, `/deepzoom/…` and, if the stage has
 * them, `/thumbnails/…`. Other routes can be added to the result.
 */
export function createDelivery({
  store,
  publishedBucket,
  settings: given = {},
  thumbnails,
  manifests,
  pyramids = new PublishedPyramids(store),
  log = jsonLog(() => undefined, 'silent'),
}: DeliveryOptions): Hono {
  const settings: DeliverySettings = { ...defaultSettings, ...given };
  const parts: DeliveryParts = {
    settings,
    slots: new RequestSlots(settings.concurrency, settings.queue),
    async use(identifier, work, options) {
      try {
        return await pyramids.use({ bucket: publishedBucket, key: keyOfIdentifier(identifier) }, work, options);
      } catch (error) {
        throw error instanceof ObjectNotFoundError ? notFound(identifier, { cause: error }) : error;
      }
    },
  };
  const app = new Hono();
  app.onError((error, c) => answerFailure(error, c, log));
  const paths = ['/iiif/2/*', '/iiif/3/*', '/iiif/presentation/*', '/deepzoom/*'];
  if (thumbnails) paths.push('/thumbnails/*');
  for (const path of paths) app.options(path, answerPreflight);
  addIiifRoutes(app, parts);
  addDeepZoomRoutes(app, parts);
  addPresentationRoutes(app, { ...parts, store, publishedBucket }, manifests);
  if (thumbnails) addThumbnailRoutes(app, { ...parts, store, publishedBucket }, thumbnails);
  for (const path of paths) app.all(path, refuseMethod);
  return app;
}

function refuseMethod(): never {
  throw new RefusedRequestError(405, 'Images can be read with GET and HEAD only.');
}
