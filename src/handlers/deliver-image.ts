/** Serves published images behind CloudFront (resources/delivery.yml). */
import type { Hono } from 'hono';
import { createDelivery } from '../delivery/delivery.ts';
import { streamingHandler } from '../delivery/function-url.ts';
import { type Published, publishedObjects } from '../runtime.ts';

/** Largest body; Lambda streams at most 200 MB. Bytes. */
const MAX_BYTES = 190_000_000;
/** Less than the timeout of the function in serverless.yml. Seconds. */
const TIMEOUT = 25;

let server: Hono | undefined;

export const handler = streamingHandler(async (request) => {
  server ??= createImageServer(await publishedObjects());
  return server.fetch(request);
});

function createImageServer({ store, log, config: { publishedBucket } }: Published): Hono {
  return createDelivery({ store, log, publishedBucket, settings: { maxBytes: MAX_BYTES, timeoutSeconds: TIMEOUT } });
}
