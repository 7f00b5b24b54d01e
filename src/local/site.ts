/** What `--serve` serves on one machine: the viewer, the image server and the published objects. */
import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { createDelivery } from '../delivery/delivery.ts';
import { stageThumbnails } from '../outputs/thumbnails/thumbnails.ts';
import { ManifestSettings } from '../recipe/manifest-settings.ts';
import { readRecipe } from '../recipe/read.ts';
import type { Ports } from '../runtime.ts';
import { readInstalledAsset } from '../viewer/assets.ts';
import { createObjects } from '../viewer/objects.ts';
import { createViewer } from '../viewer/viewer.ts';

/** A listener of requests whose Host has been checked. */
export async function siteListener({
  config,
  store,
  ledger,
  log,
}: Pick<Ports, 'config' | 'store' | 'ledger' | 'log'>): Promise<RequestListener> {
  const { publishedBucket } = config;
  const recipe = await readRecipe(config.recipesDirectory, config.defaultRecipe);
  const manifests = {
    ledger,
    settings: recipe.manifest ?? ManifestSettings.parse({}),
    filesUrl: (server: string) => `${server}files/`,
  };
  const thumbnails = await stageThumbnails(config.recipesDirectory, recipe);
  const addressesOf = ({ url }: Request) => {
    const { origin } = new URL(url);
    return { server: `${origin}/`, files: `${origin}/files/` };
  };
  const app = new Hono();
  app.route(
    '/',
    createViewer({ ledger, publishedBucket, readAsset: readInstalledAsset, addressesOf, isListPublic: false }),
  );
  // Browsers ask again for what they have, because an image may be published again at any time.
  const settings = { imageCaching: 'no-cache', infoCaching: 'no-cache' };
  app.route('/', createDelivery({ store, publishedBucket, settings, thumbnails, manifests, log }));
  app.route('/', createObjects({ store, bucket: publishedBucket }));
  app.notFound((context) => context.text('There is nothing at this address.', 404));
  app.onError((error, context) => {
    const isUnavailable = error.name === 'ServiceUnavailableError';
    log.error('request.failed', { path: context.req.path, error: error.message });
    return context.text(`The request could not be answered: ${error.message}`, isUnavailable ? 503 : 500);
  });
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  return (request, response) => {
    void listener(request, response);
  };
}
