import { describe, expect, test } from '@jest/globals';
import { normalize } from '@iiif/parser';
import { convertPresentation2 } from '@iiif/parser/presentation-2';
import { presentation3StrictUpgrade } from '@iiif/parser/strict';
import type { Manifest } from '@iiif/presentation-3';
import { manifestKey, manifestUri } from '../../../src/outputs/presentation/addresses.ts';
import { describeEntry } from '../../../src/outputs/presentation/describe-entry.ts';
import { collectionOf2, manifestOf2 } from '../../../src/outputs/presentation/manifest-2.ts';
import { collectionOf3, manifestOf3 } from '../../../src/outputs/presentation/manifest-3.ts';
import { allSettings, describedImage, files, publishedEntry, server } from '../../support/described-images.ts';

const id = `${server}iiif/presentation/3/maps%2Fone/manifest`;
const plain = { language: 'none' };
const thumbnails = [
  { url: `${files}maps/one/250.jpg`, format: 'image/jpeg', width: 250, height: 167 },
  { url: `${files}maps/one/400.jpg`, format: 'image/jpeg', width: 400, height: 267 },
];
const label = {
  ...{ line: 2, rank: 0, identifier: 'maps/one', title: 'Map of the town', description: '<Drawn in 1650>' },
  pairs: [{ label: 'Shelf mark', value: 'Ms. 4' }],
};
const complete = describedImage('maps/one', { label, companions: { thumbnails, pdf: 'maps/one.pdf' } });
const group = {
  ...{
    id,
    title: 'Maps',
    summary: 'Of the town',
    pairs: [{ label: 'Extent', value: '3 sheets' }],
    settings: allSettings,
  },
  images: [complete, describedImage('maps/two', { served: false }), describedImage('maps/čtyři 10%.x')],
};

/** What the parser finds fault with. It changes what it is given. */
function warningsOn(manifest: Manifest): string[] {
  const warnings: string[] = [];
  const copy = structuredClone(manifest);
  expect(JSON.parse(JSON.stringify(presentation3StrictUpgrade(copy, { warnings })))).toEqual(manifest);
  return warnings;
}

describe('manifests of Presentation 3', () => {
  test('the manifest of an image with every property has no fault', () => {
    const manifest = manifestOf3({ ...group, images: [complete] });
    expect(warningsOn(manifest)).toEqual([]);
    expect(manifest).toMatchObject({
      '@context': 'http://iiif.io/api/presentation/3/context.json',
      id,
      type: 'Manifest',
      label: { en: ['Maps'] },
      summary: { en: ['Of the town'] },
      metadata: [{ label: { en: ['Extent'] }, value: { en: ['3 sheets'] } }],
      rights: 'http://creativecommons.org/licenses/by/4.0/',
      requiredStatement: { label: { en: ['Attribution'] }, value: { en: ['City Archive'] } },
      viewingDirection: 'right-to-left',
      behavior: ['paged'],
      thumbnail: [
        { id: `${files}maps/one/250.jpg`, type: 'Image', format: 'image/jpeg', width: 250, height: 167 },
        { id: `${files}maps/one/400.jpg`, type: 'Image', format: 'image/jpeg', width: 400, height: 267 },
      ],
      rendering: [{ id: `${files}maps/one.pdf`, type: 'Text', format: 'application/pdf', label: { en: ['PDF'] } }],
    });
    expect(manifest.items).toEqual([
      expect.objectContaining({
        id: `${id}/canvas/maps%2Fone`,
        type: 'Canvas',
        width: 3000,
        height: 2000,
        label: { en: ['Map of the town'] },
        // A text that would be taken for HTML is followed by a space.
        summary: { en: ['<Drawn in 1650> '] },
        metadata: [{ label: { en: ['Shelf mark'] }, value: { en: ['Ms. 4'] } }],
        seeAlso: [
          {
            id: `${files}maps/one.tif.json`,
            type: 'Dataset',
            format: 'application/json',
            label: { en: ['Technical metadata'] },
          },
        ],
        items: [
          {
            id: `${id}/canvas/maps%2Fone/page`,
            type: 'AnnotationPage',
            items: [
              {
                id: `${id}/canvas/maps%2Fone/image`,
                type: 'Annotation',
                motivation: 'painting',
                target: `${id}/canvas/maps%2Fone`,
                body: {
                  id: `${server}iiif/3/maps%2Fone/full/max/0/default.jpg`,
                  type: 'Image',
                  format: 'image/jpeg',
                  width: 3000,
                  height: 2000,
                  service: [
                    { id: `${server}iiif/3/maps%2Fone`, type: 'ImageService3', profile: 'level2' },
                    {
                      '@id': `${server}iiif/2/maps%2Fone`,
                      '@type': 'ImageService2',
                      profile: 'http://iiif.io/api/image/2/level2.json',
                    },
                  ],
                },
              },
            ],
          },
        ],
      }),
    ]);
  });

  test('a group has a canvas for each image in its order, of which every resource has its own URI', () => {
    const manifest = manifestOf3(group);
    expect(warningsOn(manifest)).toEqual([]);
    expect(manifest.items.map((canvas) => canvas.id)).toEqual([
      `${id}/canvas/maps%2Fone`,
      `${id}/canvas/maps%2Ftwo`,
      `${id}/canvas/maps%2F%C4%8Dty%C5%99i%2010%25.x`,
    ]);
    const { mapping } = normalize(structuredClone(manifest));
    const found = Object.values(mapping);
    expect(found.filter((type) => type === 'Canvas')).toHaveLength(3);
    expect(found.filter((type) => type === 'Annotation')).toHaveLength(3);
    expect(found.filter((type) => type === 'AnnotationPage')).toHaveLength(3);
  });

  test('without image server the body is a static image with its service, or the file itself', () => {
    const tiles = { v3: `${files}maps/one/iiif`, v2: `${files}maps/one/iiif2` };
    const still = describedImage('maps/one', { served: false, companions: { tiles } });
    const bare = describedImage('maps/one', { served: false });
    const [first, second] = manifestOf3({ ...group, images: [still, bare], settings: plain }).items;
    expect(first?.items?.[0]?.items?.[0]?.body).toMatchObject({
      id: `${files}maps/one/iiif/full/max/0/default.jpg`,
      service: [
        { id: `${files}maps/one/iiif`, type: 'ImageService3', profile: 'level0' },
        { '@id': `${files}maps/one/iiif2`, profile: 'http://iiif.io/api/image/2/level0.json' },
      ],
    });
    // A static service has no size that was not made.
    expect(first?.thumbnail).toBeUndefined();
    expect(second?.items?.[0]?.items?.[0]?.body).toEqual({
      ...{ id: `${files}maps/one.tif`, type: 'Image', format: 'image/tiff', width: 3000, height: 2000 },
    });
  });

  test('without files of thumbnails the image server makes one, and a small image is not enlarged', () => {
    const small = describeEntry(
      publishedEntry('s', { published: { ...publishedEntry('s').published, width: 90, height: 1 } }),
      undefined,
      { files, server },
    );
    const [large, tiny] = manifestOf3({ ...group, images: [describedImage('maps/two'), small] }).items;
    expect(large?.thumbnail).toMatchObject([
      { id: `${server}iiif/3/maps%2Ftwo/full/400,267/0/default.jpg`, width: 400, height: 267 },
    ]);
    expect(tiny?.thumbnail).toMatchObject([{ id: `${server}iiif/3/s/full/90,1/0/default.jpg`, width: 90, height: 1 }]);
  });
});

describe('manifests of Presentation 2.1', () => {
  test('the manifest of a group becomes, by the converter to Presentation 3, what is published as such', () => {
    const second = manifestOf2(group);
    const converted = convertPresentation2(structuredClone(second)) as Manifest;
    const third = manifestOf3(group);
    expect(warningsOn(converted)).toEqual([]);
    expect(converted).toMatchObject({ id, type: 'Manifest', label: third.label, summary: third.summary });
    expect(converted).toMatchObject({ metadata: third.metadata, behavior: ['paged'] });
    expect(converted.items.map((canvas) => [canvas.id, canvas.width, canvas.height, canvas.label])).toEqual(
      third.items.map((canvas) => [canvas.id, canvas.width, canvas.height, canvas.label]),
    );
  });

  test('the manifest of an image has the terms of 2.1', () => {
    expect(manifestOf2({ ...group, images: [complete] })).toEqual({
      '@context': 'http://iiif.io/api/presentation/2/context.json',
      '@id': id,
      '@type': 'sc:Manifest',
      label: { '@value': 'Maps', '@language': 'en' },
      description: { '@value': 'Of the town', '@language': 'en' },
      metadata: [
        { label: { '@value': 'Extent', '@language': 'en' }, value: { '@value': '3 sheets', '@language': 'en' } },
      ],
      thumbnail: {
        ...{ '@id': `${files}maps/one/400.jpg`, '@type': 'dctypes:Image', format: 'image/jpeg' },
        ...{ width: 400, height: 267 },
      },
      license: 'http://creativecommons.org/licenses/by/4.0/',
      attribution: { '@value': 'Attribution: City Archive', '@language': 'en' },
      viewingDirection: 'right-to-left',
      viewingHint: 'paged',
      rendering: { '@id': `${files}maps/one.pdf`, format: 'application/pdf', label: 'PDF' },
      sequences: [
        {
          '@id': `${id}/sequence/normal`,
          '@type': 'sc:Sequence',
          label: 'Normal order',
          canvases: [
            expect.objectContaining({
              '@id': `${id}/canvas/maps%2Fone`,
              '@type': 'sc:Canvas',
              seeAlso: { '@id': `${files}maps/one.tif.json`, format: 'application/json', label: 'Technical metadata' },
              images: [
                {
                  '@id': `${id}/canvas/maps%2Fone/image`,
                  '@type': 'oa:Annotation',
                  motivation: 'sc:painting',
                  on: `${id}/canvas/maps%2Fone`,
                  resource: {
                    ...{ '@id': `${server}iiif/2/maps%2Fone/full/full/0/default.jpg`, '@type': 'dctypes:Image' },
                    ...{ format: 'image/jpeg', width: 3000, height: 2000 },
                    service: {
                      '@context': 'http://iiif.io/api/image/2/context.json',
                      '@id': `${server}iiif/2/maps%2Fone`,
                      profile: 'http://iiif.io/api/image/2/level2.json',
                    },
                  },
                },
              ],
            }),
          ],
        },
      ],
    });
  });

  test('texts of no stated language are strings, and an unordered group has no hint', () => {
    const settings = { ...plain, behavior: 'unordered' as const };
    const manifest = manifestOf2({ ...group, settings });
    expect(manifest.label).toBe('Maps');
    expect(manifest).not.toHaveProperty('viewingHint');
    expect(manifestOf3({ ...group, settings })).toMatchObject({ label: { none: ['Maps'] }, behavior: ['unordered'] });
  });
});

test('collections list manifests and collections with their thumbnails', () => {
  const collection = {
    ...{ id: `${server}iiif/presentation/3/maps%2F/collection`, title: 'maps', pairs: [], settings: plain },
    members: [
      { id, type: 'Manifest' as const, title: 'Map of the town', thumbnail: complete },
      { id: `${server}iiif/presentation/3/maps%2Fold%2F/collection`, type: 'Collection' as const, title: 'old' },
    ],
  };
  const third = collectionOf3(collection);
  expect(third).toMatchObject({
    type: 'Collection',
    label: { none: ['maps'] },
    items: [
      { id, type: 'Manifest', label: { none: ['Map of the town'] }, thumbnail: [{ width: 250 }, { width: 400 }] },
      { type: 'Collection', label: { none: ['old'] } },
    ],
  });
  expect(Object.values(normalize(structuredClone(third)).mapping)).toEqual(
    expect.arrayContaining(['Collection', 'Manifest']),
  );
  const second = collectionOf2(collection);
  expect(second).toMatchObject({
    '@type': 'sc:Collection',
    members: [{ '@id': id, '@type': 'sc:Manifest', thumbnail: { width: 400 } }, { '@type': 'sc:Collection' }],
  });
  expect(convertPresentation2(structuredClone(second))).toMatchObject({ type: 'Collection', items: [{ id }, {}] });
});

describe('descriptions from the ledger', () => {
  const about = { title: 'Embedded', creator: 'A. Maker', dateTaken: '1650', copyright: '© Archive' };
  const { metadata } = publishedEntry('a');
  const entry = publishedEntry('a/b', metadata ? { metadata: { ...metadata, about } } : {});

  test('the title is that of the label, else the embedded one, else the file name', () => {
    const titleOf = (
      ...[each, row]: Parameters<typeof describeEntry> extends [infer E, infer L, ...unknown[]] ? [E, L] : never
    ) => describeEntry(each, row, { files }).title;
    expect(titleOf(entry, { ...label })).toBe('Map of the town');
    expect(titleOf(entry, { ...label, title: undefined })).toBe('Embedded');
    expect(titleOf(publishedEntry('a/page 2'), undefined)).toBe('page 2');
    expect(titleOf({ ...entry, page: { number: 3, count: 9 } }, undefined)).toBe('Embedded (3)');
  });

  test('columns of the labels replace embedded pairs of the same name', () => {
    const row = { ...label, pairs: [{ label: 'date', value: 'about 1650' }] };
    expect(describeEntry(entry, row, { files }).pairs).toEqual([
      { label: 'date', value: 'about 1650' },
      { label: 'Creator', value: 'A. Maker' },
      { label: 'Copyright', value: '© Archive' },
    ]);
  });
});

test('identifiers are one segment of the URIs of a server, and paths in those of files', () => {
  const served = { files, server };
  expect(manifestUri(served, 'image', 'a b/ü', 3)).toBe(`${server}iiif/presentation/3/a%20b%2F%C3%BC/manifest`);
  expect(manifestUri(served, 'folder', 'a/', 2)).toBe(`${server}iiif/presentation/2/a%2F/manifest`);
  expect(manifestUri(served, 'collection', '', 3)).toBe(`${server}iiif/presentation/3/%2F/collection`);
  expect(manifestUri({ files }, 'image', 'a b/ü', 3)).toBe(`${files}a%20b/%C3%BC/manifest.json`);
  expect(manifestKey('image', 'a/b', 2)).toBe('a/b/manifest.v2.json');
  // The manifest of a folder is not that of an image of the same name.
  expect(manifestKey('folder', 'a/b/', 3)).toBe('a/b/folder-manifest.json');
  expect(manifestKey('collection', '', 2)).toBe('folder-collection.v2.json');
});
