/**
 * Requests to the URL of a Lambda function, which CloudFront passes on, and answers as a stream: a
 * buffered answer has at most 6 MB
 * (https://docs.aws.amazon.com/lambda/latest/dg/configuration-response-streaming.html).
 */
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

/** The parts of an event of payload format 2.0 that are used. */
export const FunctionUrlEvent = z.object({
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  headers: z.record(z.string(), z.string()),
  requestContext: z.object({ domainName: z.string(), http: z.object({ method: z.string() }) }),
});
export type FunctionUrlEvent = z.infer<typeof FunctionUrlEvent>;

type StreamedHandler = (event: unknown, stream: Writable) => Promise<void>;

/** The global object of Lambda's Node.js runtime. */
interface LambdaRuntime {
  streamifyResponse(handler: StreamedHandler): unknown;
  readonly HttpResponseStream: {
    from(stream: Writable, metadata: { statusCode: number; headers: Record<string, string> }): Writable;
  };
}
declare const awslambda: LambdaRuntime;

/** A Lambda handler that streams the answers of `respond`. Only Lambda's runtime can run it. */
export function streamingHandler(respond: (request: Request) => Promise<Response>): unknown {
  return awslambda.streamifyResponse(async (event, stream) => {
    const response = await respond(requestOf(FunctionUrlEvent.parse(event)));
    const headers = Object.fromEntries(response.headers);
    const out = awslambda.HttpResponseStream.from(stream, { statusCode: response.status, headers });
    // The status is sent with the first bytes, if only with none.
    out.write('');
    if (response.body) await pipeline(Readable.fromWeb(response.body), out);
    else out.end();
  });
}

/**
 * The request as the viewer sent it. The CloudFront function states its host and path in headers
 * (resources/delivery.yml), because the event has those of the function's URL.
 */
export function requestOf({ rawPath, rawQueryString, headers, requestContext }: FunctionUrlEvent): Request {
  const host = headers['x-stepwell-host'] ?? requestContext.domainName;
  const path = headers['x-stepwell-path'] ?? rawPath;
  const query = rawQueryString === '' ? '' : `?${rawQueryString}`;
  const forwarded = { ...headers, 'x-forwarded-host': host, 'x-forwarded-proto': 'https' };
  return new Request(`https://${host}${path}${query}`, { method: requestContext.http.method, headers: forwarded });
}
