/** Serves published images behind CloudFront (resources/delivery.yml). */
import type { Hono } from 'hono';
import { createDelivery } from '../delivery/delivery.ts';
import { streamingHandler } from '../delivery/function-url.ts';
import { publishedReader } from '../runtime.ts';

/** Largest body; Lambda streams at most 200 MB. Bytes. */
const MAX_BYTES = 190_000_000;
/** Less than the timeout of the function in serverless.yml. Seconds. */
const TIMEOUT = 25;

let server: Promise<Hono> | undefined;

export const handler = streamingHandler(async (request) => {
  server ??= openServer();
  return (await server).fetch(request);
});

async function openServer(): Promise<Hono> {
  return createDelivery({ ...(await publishedReader()), settings: { maxBytes: MAX_BYTES, timeoutSeconds: TIMEOUT } });
}
