/** iiif-processor in a process of its own, over a folder, as serverless-iiif sets it up over S3. */
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Processor } from 'iiif-processor';
import sharp from 'sharp';

const [folder = ''] = process.argv.slice(2);

async function answer(url: string): Promise<Buffer> {
  const fileOf = (id: string): string => path.join(folder, `${decodeURIComponent(id)}.tif`);
  const result = await new Processor(
    `http://127.0.0.1${url}`,
    ({ id }: { id: string }) => Promise.resolve(createReadStream(fileOf(id))),
    { dimensionFunction: ({ id }: { id: string }) => levelsOf(fileOf(id)) },
  ).execute();
  if (result.type !== 'content') throw new Error(`Expected content for ${url} but received ${result.type}`);
  return Buffer.from(result.body);
}

/** What serverless-iiif takes from the metadata of the object, without a request of its own. */
const levels = new Map<string, Promise<{ width: number; height: number }[]>>();

function levelsOf(file: string): Promise<{ width: number; height: number }[]> {
  const known = levels.get(file) ?? readLevels(file);
  levels.set(file, known);
  return known;
}

async function readLevels(file: string): Promise<{ width: number; height: number }[]> {
  const { width, height, pages = 1 } = await sharp(file).metadata();
  return Array.from({ length: pages }, (_, level) => ({
    width: Math.floor(width / 2 ** level),
    height: Math.floor(height / 2 ** level),
  }));
}

const server = createServer((request, response) => {
  answer(request.url ?? '').then(
    (body) => response.writeHead(200, { 'Content-Length': body.length }).end(body),
    () => response.writeHead(500, { 'Content-Length': 0 }).end(),
  );
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
