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

test('a work that is marked in its metadata is published in its smaller box', async () => {
  const marked = await upload('work.tif', scan, { copyrighted: 'true' });
  expect(await publish(marked)).toMatchObject({ width: 843, height: 500 });
});

test('so is one that is marked by a tag', async () => {
  const { store } = steps.ports;
  Object.assign(steps.ports, { store: { ...store, tags: () => Promise.resolve({ Copyrighted: 'yes' }) } });
  expect(await publish(await upload('work.tif', scan, {}))).toMatchObject({ width: 843, height: 500 });
});

test('one that is marked as free, or not at all, keeps its size', async () => {
  expect(await publish(await upload('free.tif', scan, { copyrighted: 'false' }))).toMatchObject({ width: 1686 });
  expect(await publish(await upload('other.tif', scan, { shelf: 'B 12' }))).toMatchObject({ width: 1686 });
});

test('a recipe without such a box does not ask', async () => {
  const input = await steps.upload('work.tif', scan, 'archival');
  const asked: string[] = [];
  steps.hooks.before = (method) => void asked.push(method);
  await steps.plan(await steps.validate(input));
  expect(asked).not.toContain('tags');
});

test('the PDF of a work that is marked, or larger than the box, does not leave the house', async () => {
  const page = (side: number): Uint8Array => pdf({ pages: [{ width: side, height: side, content: '' }] });
  await publish(await upload('marked.pdf', page(72), { copyrighted: '1' }));
  await publish(await upload('poster.pdf', page(1000), {}));
  await publish(await upload('free.pdf', page(72), {}));
  // It was free when it was uploaded first.
  await publish(await upload('then-marked.pdf', page(72), {}));
  await publish(await upload('then-marked.pdf', page(72), { copyrighted: '1' }));
  const pdfs = [...(await steps.objects('stepwell-published')).keys()].filter((key) => key.endsWith('.pdf'));
  expect(pdfs).toEqual(['free.pdf']);
});
