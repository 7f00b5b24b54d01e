/** Runs a packaged function as Lambda does: its zip in one folder, its layers in another. */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { lambdaFunctions, text } from './cloudformation.ts';
import { type Package, projectRoot } from './packaged-template.ts';

export interface LambdaTask {
  /** The folder that is /var/task on Lambda. */
  readonly directory: string;
  /** The folder that is /opt/nodejs/node_modules on Lambda. */
  readonly modules: string;
  /** Without an extension. */
  readonly file: string;
  readonly exported: string;
  readonly nodeOptions: string;
}

/**
 * Unpacks a function and its layers below `into`, where no package.json or node_modules lies above
 * them. `sharp`: that of this machine, or that of the layer, which is for linux-arm64.
 */
export function unpackTask(
  made: Package,
  key: string,
  into: string,
  { sharp = 'machine' }: { readonly sharp?: 'machine' | 'layer' } = {},
): LambdaTask {
  const found = lambdaFunctions(made.template).find((each) => each.key === key);
  if (!found) throw new Error(`Expected a function ${key}`);
  const { Handler, Layers, Environment } = found.properties;
  const directory = join(into, 'task');
  unpack(made.zip(key), directory);
  const modules = join(into, 'opt', 'nodejs', 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const layer of Layers.map((each) => text(each))) addLayer(made, layer, modules, sharp);
  const [file = '', exported = ''] = Handler.split('.');
  return { directory, modules, file, exported, nodeOptions: text(Environment.Variables['NODE_OPTIONS']) };
}

function addLayer(made: Package, layer: string, modules: string, sharp: 'machine' | 'layer'): void {
  const opt = join(modules, '..', '..');
  if (layer === '<DecodersLambdaLayer>') unpack(made.zip('decoders'), opt);
  else if (layer === '<LibvipsLambdaLayer>' && sharp === 'layer') unpack(made.zip('libvips'), opt);
  else if (layer === '<LibvipsLambdaLayer>')
    symlinkSync(join(projectRoot, 'node_modules', 'sharp'), join(modules, 'sharp'));
  else throw new Error(`Expected a layer of this stack but received ${layer}`);
}

function unpack(files: ReadonlyMap<string, Buffer>, into: string): void {
  for (const [name, bytes] of files) {
    mkdirSync(dirname(join(into, name)), { recursive: true });
    writeFileSync(join(into, name), bytes);
  }
}

const Invocation = z.object({
  /** What is exported under the handler's name. */
  type: z.string(),
  result: z.unknown().optional(),
  error: z.object({ name: z.string(), message: z.string(), stack: z.string() }).optional(),
});
export type Invocation = z.infer<typeof Invocation>;

/** The global object of Lambda's runtime by which functions stream answers, as far as it is used. */
const awsLambda = `
  const { PassThrough } = require('node:stream');
  const { buffer } = require('node:stream/consumers');
  globalThis.awslambda = {
    HttpResponseStream: { from: (stream, metadata) => Object.assign(stream, { metadata }) },
    streamifyResponse: (respond) => async (event, context) => {
      const stream = new PassThrough();
      const [body] = await Promise.all([buffer(stream), respond(event, stream, context)]);
      return { ...stream.metadata, body: body.toString('base64') };
    },
  };
`;

/** The event of a request to a function's URL through CloudFront. */
export function imageRequest(path: string, headers: Readonly<Record<string, string>> = {}): object {
  const host = 'function.lambda-url.us-east-1.on.aws';
  return {
    version: '2.0',
    rawPath: decodeURIComponent(path),
    rawQueryString: '',
    headers: { host, 'x-stepwell-host': 'images.example.org', 'x-stepwell-path': path, ...headers },
    requestContext: { domainName: host, http: { method: 'GET', path } },
    isBase64Encoded: false,
  };
}

/**
 * Requires the handler in a process of its own and invokes it, with this environment and nothing
 * else. The last argument is another Node.js to run it in, and what stands before its options.
 */
export async function invokeTask(
  { directory, modules, file, exported, nodeOptions }: LambdaTask,
  event: unknown,
  environment: Readonly<Record<string, string>> = {},
  [program = process.execPath, ...options]: readonly string[] = [],
): Promise<Invocation> {
  const script = `
    ${awsLambda}
    const { ${exported}: handler } = require(${JSON.stringify(join(directory, `${file}.cjs`))});
    const report = (outcome) => console.log(JSON.stringify({ type: typeof handler, ...outcome }));
    const failed = ({ name, message, stack }) => report({ error: { name, message, stack } });
    const context = { getRemainingTimeInMillis: () => 60_000 };
    Promise.resolve(handler(${JSON.stringify(event)}, context)).then((result) => report({ result }), failed);
  `;
  const { stdout } = await promisify(execFile)(program, [...options, '--input-type=commonjs', '--eval', script], {
    cwd: directory,
    env: { ...environment, NODE_PATH: modules, NODE_OPTIONS: nodeOptions },
  });
  return Invocation.parse(JSON.parse(stdout));
}
