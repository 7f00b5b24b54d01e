/**
 * Makes thumbnails on demand, behind CloudFront (resources/delivery.yml). A function of its own,
 * because it writes to the published bucket, which the image server only reads.
 */
import type { Hono } from 'hono';
import { createDelivery } from '../delivery/delivery.ts';
import { streamingHandler } from '../delivery/function-url.ts';
import { stageThumbnails } from '../outputs/thumbnails/thumbnails.ts';
import { readRecipe } from '../recipe/read.ts';
import { type Published, publishedObjects } from '../runtime.ts';

/** Less than the timeout of the function in serverless.yml. Seconds. */
const TIMEOUT = 25;

let server: Promise<Hono> | undefined;

export const handler = streamingHandler(async (request) => {
  server ??= createThumbnailServer(await publishedObjects());
  return (await server).fetch(request);
});

async function createThumbnailServer({ store, log, config }: Published): Promise<Hono> {
  const { publishedBucket, recipesDirectory, defaultRecipe } = config;
  const thumbnails = await stageThumbnails(recipesDirectory, await readRecipe(recipesDirectory, defaultRecipe));
  return createDelivery({ store, log, publishedBucket, thumbnails, settings: { timeoutSeconds: TIMEOUT } });
}
