/** Several large documents at the same time, with the memory of a small machine. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { memoryNeed, ONE_PIXEL } from '../../src/formats/convert.ts';
import { Reservations } from '../../src/isolation/reservations.ts';
import { decodeLevels } from '../support/pixels.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { eventually } from '../support/processes.ts';

/** Reservations that record what waits, and the most that was taken at a time. */
class RecordedReservations extends Reservations {
  waiting = 0;
  taken = 0;
  mostTaken = 0;

  override async take(amount: number): Promise<() => void> {
    this.waiting += 1;
    const release = await super.take(amount);
    this.waiting -= 1;
    this.taken += amount;
    this.mostTaken = Math.max(this.mostTaken, this.taken);
    return () => {
      this.taken -= amount;
      release();
    };
  }
}

const page = { width: 200, height: 150 };
/** At 300 dpi, the default of a recipe. */
const rendered = { width: 833, height: 625 };
const documents = Array.from({ length: 3 }, (_, index) =>
  pdf({ pages: [{ ...page, content: `0.${index + 1} 0 0 rg 0 0 200 150 re f` }] }),
);

/** Enough for one page at a time, and not for two. */
const need = memoryNeed('pdf', { ...ONE_PIXEL, ...rendered, bands: 3 }, documents[0]?.length ?? 0).total;
const memory = new RecordedReservations(1.5 * need);

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline((store) => store, {}, { memory });
});
afterAll(() => pipeline.stop());

test('several PDFs that do not fit into memory together wait for each other, and all are published', async () => {
  const release = await memory.take(need);
  const runs = documents.map((document, index) => pipeline.run(`${index}.pdf`, document, { recipe: 'archival' }));
  await eventually(() => memory.waiting === documents.length);
  release();
  const published = await Promise.all(runs);
  expect(memory.mostTaken).toBeLessThanOrEqual(1.5 * need);
  expect(memory.mostTaken).toBeGreaterThanOrEqual(need);
  expect([memory.waiting, memory.taken]).toEqual([0, 0]);
  for (const [index, { bucket, key }] of published.entries()) {
    const [level] = await decodeLevels(Buffer.from(await pipeline.store.read({ bucket, key })));
    expect(level).toMatchObject(rendered);
    // Red in tenths of its range.
    expect(level?.pixels[0]).toBe(Math.round(25.5 * (index + 1)));
  }
});
