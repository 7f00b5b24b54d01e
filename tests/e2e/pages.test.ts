import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Sidecar } from '../../src/work/sidecar.ts';
import { expectSameLevels, publishedLevels } from '../support/exactness.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { ascii, tiffOfPages } from '../support/tiff-pages.ts';

let pipeline: Pipeline;

beforeAll(async () => {
  pipeline = await startPipeline();
});

afterAll(async () => {
  await pipeline.stop();
});

async function sidecarOf(key: string): Promise<Sidecar> {
  const bytes = await pipeline.store.read({ bucket: 'stepwell-published', key: `${key}.json` });
  return Sidecar.parse(JSON.parse(Buffer.from(bytes).toString()));
}

describe('a picture behind its thumbnail', () => {
  const picture = { width: 900, height: 610, fields: [ascii(315, 'Ada')] };
  const thumbnail = { width: 90, height: 61, seed: 2, fields: [ascii(271, 'Camera'), ascii(315, 'Ben')] };

  test('is published like the picture alone, with a warning and the metadata of both directories', async () => {
    const alone = await publishedLevels(pipeline, 'alone.tif', tiffOfPages([picture]), { recipe: 'archival' });
    const both = tiffOfPages([thumbnail, picture]);
    expectSameLevels(await publishedLevels(pipeline, 'behind.tif', both, { recipe: 'archival' }), alone);
    const { source, metadata } = await sidecarOf('behind.tif');
    expect(source.stored).toEqual({ width: 900, height: 610 });
    expect(metadata.exif).toEqual({ Make: 'Camera', Artist: 'Ada' });
    expect(metadata.warnings).toEqual(['pages: page 2 is published, page 1 is a reduced version of it']);
  });
});

test('the first page of a PDF is published with a warning that there are others', async () => {
  const page = { width: 72, height: 36, content: '1 0 0 rg 0 0 10 10 re f' };
  await pipeline.run('book.pdf', pdf({ pages: [page, { ...page, height: 72 }] }));
  const { source, metadata } = await sidecarOf('book.tif');
  expect(source.stored).toEqual({ width: 300, height: 150 });
  expect(metadata.warnings).toEqual(['pages: the first of 2 pages is published']);
});
