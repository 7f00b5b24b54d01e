/** Documents of which every page is published, on one machine. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TakenUpload } from '../../src/local/resume.ts';
import { Workspace } from '../../src/local/workspace.ts';
import { Sidecar } from '../../src/work/sidecar.ts';
import { everyPage, recipesForPages, testDocuments } from '../support/documents.ts';
import { expectSameLevels } from '../support/exactness.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { decodeLevels } from '../support/pixels.ts';

let folder: string;
let workspace: Workspace;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-documents-'));
  await mkdir(path.join(folder, 'in'));
  await open();
});
afterEach(async () => {
  await workspace.stop();
  await rm(folder, { recursive: true, force: true });
});

async function open(): Promise<void> {
  workspace = await Workspace.start({
    directory: path.join(folder, 'workspace'),
    out: path.join(folder, 'out'),
    recipe: everyPage,
    recipes: await recipesForPages(folder),
    project: process.cwd(),
  });
}

async function take(name: string, bytes: Uint8Array): Promise<TakenUpload> {
  await writeFile(path.join(folder, 'in', name), bytes);
  return takeAgain(name);
}

/** Takes a file that exists. */
async function takeAgain(name: string): Promise<TakenUpload> {
  const upload = await workspace.take(await workspace.bucketOf(path.join(folder, 'in')), name, () => undefined);
  if (upload.how !== 'unchanged') await workspace.ended(upload);
  return upload;
}

/** The pages of a document after their executions have ended. */
async function pagesOf(document: TakenUpload, ranHere = true): Promise<readonly TakenUpload[]> {
  const pages = await workspace.pages(document, () => ranHere);
  await Promise.all(pages.filter(({ how }) => how !== 'unchanged').map((page) => workspace.ended(page)));
  return pages;
}

const out = (name: string): string => path.join(folder, 'out', name);

async function sidecarOf(name: string): Promise<Sidecar> {
  return Sidecar.parse(JSON.parse(await readFile(out(`${name}.json`), 'utf8')));
}

describe('every page of a document', () => {
  test.each(testDocuments)('of $name is published exactly as the page alone', async ({ name, whole, alone }) => {
    const document = await take(name, whole);
    expect(await workspace.entry(document)).toMatchObject({ status: 'DIVIDED', pages: 3 });
    const pages = await pagesOf(document);
    const stem = path.parse(name).name;
    for (const [index, page] of pages.entries()) {
      const number = index + 1;
      expect(await workspace.entry(page)).toMatchObject({
        status: 'PUBLISHED',
        key: name,
        page: { number, count: 3 },
        published: { key: `${stem}-000${number}.tif` },
      });
      const single = await take(`alone-${number}${path.extname(name)}`, alone[index] ?? new Uint8Array());
      expect((await workspace.entry(single))?.status).toBe('PUBLISHED');
      const expected = await decodeLevels(out(`alone-${number}.tif`));
      expectSameLevels(await decodeLevels(out(`${stem}-000${number}.tif`)), expected);
    }
  });

  test('has a sidecar with its number, its name and the digest of the document', async () => {
    const [{ name, whole } = { name: '', whole: new Uint8Array() }] = testDocuments;
    await pagesOf(await take(name, whole));
    const sha256 = createHash('sha256').update(whole).digest('hex');
    const pages = await Promise.all([1, 2, 3].map((number) => sidecarOf(`book-000${number}.tif`)));
    expect(pages.map(({ source }) => [source.key, source.sha256, source.page])).toEqual([
      ['book.tif', sha256, { number: 1, count: 3, name: 'recto' }],
      ['book.tif', sha256, { number: 2, count: 3 }],
      ['book.tif', sha256, { number: 3, count: 3, name: 'index' }],
    ]);
    expect(pages.map(({ metadata }) => metadata.warnings)).toEqual([[], [], []]);
  });

  test('of a PDF is beside one copy of the PDF, and a PDF of one page has no number', async () => {
    const { whole, alone } = testDocuments[2] ?? { whole: new Uint8Array(), alone: [] };
    await pagesOf(await take('book.pdf', whole));
    await take('leaf.pdf', alone[0] ?? new Uint8Array());
    expect((await readdir(path.join(folder, 'out'))).filter((name) => !name.endsWith('.json')).sort()).toEqual([
      'book-0001.tif',
      'book-0002.tif',
      'book-0003.tif',
      'book.pdf',
      'leaf.pdf',
      'leaf.tif',
    ]);
    expect(await readFile(out('book.pdf'))).toEqual(Buffer.from(whole));
  });

  test('is rejected alone where the name is taken or the page is larger than a decoder can hold', async () => {
    const page = { width: 40, height: 40, content: '' };
    await take('book-0001.pdf', pdf({ pages: [page] }));
    const tooLarge = { ...page, width: 30_000, height: 30_000 };
    const pages = await pagesOf(await take('book.pdf', pdf({ pages: [page, tooLarge, page] })));
    const entries = await Promise.all(pages.map((each) => workspace.entry(each)));
    expect(entries.map((entry) => [entry?.status, entry?.rejection?.code])).toEqual([
      ['REJECTED', 'TARGET_TAKEN'],
      ['REJECTED', 'OVER_BUDGET'],
      ['PUBLISHED', undefined],
    ]);
  });
});

describe('a page whose execution failed', () => {
  test('is redriven alone when the document is given again', async () => {
    const { name, whole } = testDocuments[0] ?? { name: '', whole: new Uint8Array() };
    // A folder occupies the path of the sidecar of the middle page.
    const blocking = out('book-0002.tif.json');
    await mkdir(path.join(blocking, 'notes'), { recursive: true });
    const first = await pagesOf(await take(name, whole));
    expect(await workspace.entry(first[1] as TakenUpload)).toMatchObject({ status: 'PUBLISHED' });
    expect(await workspace.entry(first[1] as TakenUpload)).not.toHaveProperty('sidecar');
    await rm(blocking, { recursive: true });
    await workspace.stop();
    await open();
    const again = await takeAgain(name);
    expect(again.how).toBe('unchanged');
    const pages = await pagesOf(again, false);
    expect(pages.map(({ how }) => how)).toEqual(['unchanged', 'resumed', 'unchanged']);
    expect(pages.map(({ execution }) => execution)).toEqual(first.map(({ execution }) => execution));
    expect((await sidecarOf('book-0002.tif')).source.page).toEqual({ number: 2, count: 3 });
  });
});

describe('a document that is overwritten', () => {
  test('replaces its pages, and those that it no longer has remain as they were published', async () => {
    const { name, whole } = testDocuments[2] ?? { name: '', whole: new Uint8Array() };
    await pagesOf(await take(name, whole));
    const third = await readFile(out('book-0003.tif'));
    const page = { width: 300, height: 200, content: '' };
    const document = await take(name, pdf({ pages: [page, page] }));
    const pages = await pagesOf(document);
    expect(pages).toHaveLength(2);
    for (const upload of pages) expect((await workspace.entry(upload))?.sequence).toBe(document.sequence);
    expect((await sidecarOf('book-0002.tif')).source.stored).toEqual({ width: 300, height: 200 });
    expect(await readFile(out('book-0003.tif'))).toEqual(third);
  });
});
