import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { fromArrayBuffer } from 'geotiff';
import sharp from 'sharp';
import type { Sidecar } from '../../src/work/sidecar.ts';
import { exifBlock, jpegSegment, jpegWith, rational, text, xmpPacket } from '../support/embedded.ts';
import { pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
let master: Buffer;
beforeAll(async () => {
  const exif = exifBlock({
    image: [text(271, 'Phase One'), text(315, 'Ada Muster'), text(33_432, '© Ada Muster')],
    exif: [text(0xa431, 'BODY-778')],
    gps: [text(1, 'N'), rational(2, 48, 1, 51, 1, 24, 1), text(3, 'E'), rational(4, 2, 1, 21, 1, 3, 1)],
  });
  const packet = xmpPacket(
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The old bridge</rdf:li></rdf:Alt></dc:title>' +
      '<exif:GPSLatitude>48,51.4N</exif:GPSLatitude><aux:SerialNumber>BODY-778</aux:SerialNumber>',
  );
  master = jpegWith(
    await pictureOf(700, 500).jpeg().toBuffer(),
    jpegSegment(0xe1, 'Exif\0\0', exif),
    jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(packet)),
  );
});
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

/** The published TIFF and its sidecar. */
async function published(recipe: string): Promise<{ tiff: Buffer; sidecar: Sidecar }> {
  const state = await steps.assembled('bridge.jpg', master, { recipe });
  await steps.verify(state);
  const publication = await steps.publish(state);
  await steps.publishSidecar(state, publication);
  const tiff = Buffer.from(await steps.store.read(publication));
  return { tiff, sidecar: await steps.sidecarOf(publication.key) };
}

test('only the first directory has the XMP packet and the tags Make, Artist and Copyright', async () => {
  const { tiff } = await published('default');
  const file = await fromArrayBuffer(Uint8Array.from(tiff).buffer);
  expect(await file.getImageCount()).toBe(2);
  const [full, half] = [await file.getImage(0), await file.getImage(1)];
  const values = await Promise.all(
    [271, 315, 33_432].map(async (tag) => String(await full.fileDirectory.loadValue(tag))),
  );
  expect(values.map((value) => value.replace(/\0$/u, ''))).toEqual(['Phase One', 'Ada Muster', '© Ada Muster']);
  expect((await sharp(tiff).metadata()).xmp?.toString()).toContain('The old bridge');
  expect(half.fileDirectory.hasTag(315)).toBe(false);
  expect(half.fileDirectory.hasTag(700)).toBe(false);
});

describe('positions and serial numbers of the master', () => {
  const secrets = ['BODY-778', 'GPSLatitude', '48,51.4N', '48.85'];

  test('are not written to any object, including the work area', async () => {
    const { sidecar } = await published('default');
    expect(sidecar.metadata.redacted).toEqual({ gps: true, serialNumbers: true });
    for (const bucket of ['stepwell-work', 'stepwell-published']) {
      const keys = [...(await steps.objects(bucket)).keys()];
      expect(keys.length).toBeGreaterThan(1);
      for (const key of keys) {
        const bytes = Buffer.from(await steps.store.read({ bucket, key }));
        for (const secret of secrets) expect([key, secret, bytes.includes(secret)]).toEqual([key, secret, false]);
      }
    }
  });

  test('are published if the recipe keeps them', async () => {
    const recipes = await mkdtemp(path.join(os.tmpdir(), 'stepwell-recipes-'));
    const recipe = `name: open\nversion: 1\ndescription: test\ntileSize: 256\nencoding: { compression: jpeg, quality: 85 }
colour: srgb\ndepth: 8\nbackground: '#ffffff'\nmetadata: { gps: keep, serialNumbers: keep }\n`;
    await writeFile(path.join(recipes, 'open.yml'), recipe);
    Object.assign(steps.ports, { config: { ...steps.ports.config, recipesDirectory: recipes } });
    const { tiff, sidecar } = await published('open');
    await rm(recipes, { recursive: true });
    expect(sidecar.metadata).toMatchObject({
      redacted: { gps: false, serialNumbers: false },
      exif: { SerialNumber: 'BODY-778' },
      gps: { GPSLatitude: [48, 51, 24] },
    });
    expect((await sharp(tiff).metadata()).xmp?.toString()).toContain('48,51.4N');
  });
});
