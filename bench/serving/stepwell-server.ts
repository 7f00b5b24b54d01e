/**
 * The image server in a process of its own, over a folder. It reports its port, and on request what
 * it has read and its memory.
 */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { createDelivery } from '../../src/delivery/delivery.ts';
import { fileStore } from '../../src/storage/files/files.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';

export interface ServerReport {
  /** Bytes and number of ranges read since the last report. */
  readonly readBytes: number;
  readonly reads: number;
  /** Resident set. Bytes. */
  readonly memory: number;
}

let readBytes = 0;
let reads = 0;

function counting(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name: keyof ObjectStore) {
      if (name !== 'read' && name !== 'readDescribed') return target[name].bind(target);
      return (...parameters: Parameters<ObjectStore['read']>) => {
        reads += 1;
        readBytes += parameters[1]?.range?.length ?? 0;
        return target[name](...parameters);
      };
    },
  });
}

const [workspace = ''] = process.argv.slice(2);
const app = createDelivery({ store: counting(fileStore(workspace)), publishedBucket: 'published' });
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }: AddressInfo) => process.send?.({ port }));
process.on('message', () => {
  const report: ServerReport = { readBytes, reads, memory: process.memoryUsage.rss() };
  readBytes = 0;
  reads = 0;
  process.send?.(report);
});
process.on('disconnect', () => process.exit());
