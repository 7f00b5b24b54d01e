import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { ExecutionInput } from '../../src/work/execution-input.ts';
import type { Publication } from '../../src/ledger/ledger.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
let scan: Buffer;
beforeAll(async () => {
  scan = await pictureOf(1686, 1000).tiff({ compression: 'lzw' }).toBuffer();
});
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

async function upload(key: string, master: Uint8Array, metadata: Record<string, string>): Promise<ExecutionInput> {
  const input = await steps.upload(key, master, 'marble');
  const { etag } = await steps.store.write({ bucket: steps.sourceBucket, key }, master, { metadata });
  return { ...input, source: { ...input.source, etag } };
}

async function publish(input: ExecutionInput): Promise<Publication> {
  const planned = await steps.plan(await steps.validate(input));
  if (planned.plan.digests !== 'within') await steps.checksum(planned);
  return steps.publish(await steps.render(planned));
}

test('a master marked as copyrighted by user metadata is reduced to the smaller box', async () => {
  const marked = await upload('work.tif', scan, { copyrighted: 'true' });
  expect(await publish(marked)).toMatchObject({ width: 843, height: 500 });
});

test('a master marked as copyrighted by a tag is reduced to the smaller box', async () => {
  const { store } = steps.ports;
  Object.assign(steps.ports, { store: { ...store, tags: () => Promise.resolve({ Copyrighted: 'yes' }) } });
  expect(await publish(await upload('work.tif', scan, {}))).toMatchObject({ width: 843, height: 500 });
});

test('a master that is marked as not copyrighted or not marked keeps its size', async () => {
  expect(await publish(await upload('free.tif', scan, { copyrighted: 'false' }))).toMatchObject({ width: 1686 });
  expect(await publish(await upload('other.tif', scan, { shelf: 'B 12' }))).toMatchObject({ width: 1686 });
});

test('a recipe without a box for copyrighted works does not read the tags', async () => {
  const input = await steps.upload('work.tif', scan, 'archival');
  const calls: string[] = [];
  steps.hooks.before = (method) => void calls.push(method);
  await steps.plan(await steps.validate(input));
  expect(calls).not.toContain('tags');
});

test('the PDF of a master that is copyrighted or larger than the box is not published', async () => {
  const page = (width: number): Uint8Array => pdf({ pages: [{ width, height: 72, content: '' }] });
  await publish(await upload('marked.pdf', page(72), { copyrighted: '1' }));
  await publish(await upload('poster.pdf', page(1000), {}));
  await publish(await upload('free.pdf', page(72), {}));
  // The first upload is not marked as copyrighted.
  await publish(await upload('then-marked.pdf', page(72), {}));
  await publish(await upload('then-marked.pdf', page(72), { copyrighted: '1' }));
  const pdfs = [...(await steps.objects('stepwell-published')).keys()].filter((key) => key.endsWith('.pdf'));
  expect(pdfs).toEqual(['free.pdf']);
});
