import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { Sidecar } from '../../src/work/sidecar.ts';
import {
  blob,
  exifBlock,
  jpegSegment,
  jpegWith,
  pngChunk,
  pngWith,
  rational,
  text,
  webpWith,
  xmpPacket,
} from '../support/embedded.ts';
import { codedItem, heic, type HeicItem } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { box, j2k, jp2 } from '../support/jp2-fixtures.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';
import { decodeLevels, picture, pictureOf } from '../support/pixels.ts';
import { greyFields, type HandField, handTiff, long, short, withFields } from '../support/tiff-bytes.ts';

const size = { width: 48, height: 32 };
const grey = picture(size.width, size.height, 1);
const own = pictureOf(64, 48);
const jpeg = await own.clone().jpeg().toBuffer();
const png = await own.clone().png().toBuffer();
const webp = await own.clone().webp().toBuffer();
const tiff = (...fields: HandField[]): Uint8Array =>
  handTiff({ data: grey, directories: [withFields(greyFields(48, 32, 8), ...fields)] });
const coded = codedItem(encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] }), size);
const past = { offset: 0xfffff0 };

let pipeline: Pipeline;
beforeAll(async () => {
  pipeline = await startPipeline();
});
afterAll(() => pipeline.stop());

let masters = 0;
async function publish(
  master: Uint8Array,
  recipe = 'archival',
): Promise<{ tiff: Buffer; sidecar: Sidecar; work: number }> {
  const publication = await pipeline.run(`master-${masters++}`, master, { recipe });
  const { store, config } = pipeline;
  const { bucket, key } = publication;
  const sidecar = Sidecar.parse(JSON.parse(Buffer.from(await store.read({ bucket, key: `${key}.json` })).toString()));
  let work = 0;
  for await (const object of store.list(config.workBucket, 'work/')) {
    if (/header\.json$|plan\.json$/u.test(object.key)) work = Math.max(work, object.size);
  }
  return { tiff: Buffer.from(await store.read({ bucket, key })), sidecar, work };
}

const profileBox = (profile: Uint8Array): Uint8Array => Buffer.concat([Uint8Array.of(2, 0, 0), profile]);
/** A profile by its header, with the declared size and the bytes that are given. */
function profileOf(declared: number, bytes: number, space = 'RGB '): Buffer {
  const profile = Buffer.alloc(bytes);
  profile.writeUInt32BE(declared, 0);
  profile.write(`mntr${space}XYZ `, 12, 'latin1');
  profile.write('acsp', 36);
  return profile;
}
const jpegProfile = (profile: Uint8Array): Buffer =>
  jpegWith(jpeg, jpegSegment(0xe2, 'ICC_PROFILE\0\x01\x01', profile));
const item = (data: Uint8Array): HeicItem => ({ type: 'Exif', data, properties: [] });
const uuid = (name: string, content: Uint8Array): Uint8Array => box('uuid', [...Buffer.from(name, 'hex'), ...content]);
const EXIF_BOX = '4a706754696666457869662d3e4a5032';

describe('a master is published, with a warning, if', () => {
  test.each<[string, Uint8Array]>([
    ['the resolution of a TIFF points past the end', tiff({ ...rational(282, 300, 1), ...past })],
    ['a text of a TIFF points past the end', tiff({ ...text(305, 'Software of a name'), ...past })],
    ['the profile of a TIFF points past the end', tiff({ ...blob(34_675, new Uint8Array(200)), ...past })],
    ['the Exif directory of a TIFF points past the end', tiff({ tag: 34_665, type: 4, values: [0xfffff0] })],
    ['the profile of a TIFF is no profile', tiff(blob(34_675, new Uint8Array(400)))],
    ['the profile of a TIFF is cut short', tiff(blob(34_675, profileOf(9_000, 400, 'GRAY')))],
    ['the Exif of a JPEG is no directory', jpegWith(jpeg, jpegSegment(0xe1, 'Exif\0\0', Buffer.alloc(40, 7)))],
    [
      'the resolution of a JPEG points past the end',
      jpegWith(jpeg, jpegSegment(0xe1, 'Exif\0\0', exifBlock({ image: [{ ...rational(282, 300, 1), ...past }] }))),
    ],
    ['the profile of a JPEG is no profile', jpegProfile(Buffer.alloc(400, 9))],
    ['the profile of a JPEG declares another size', jpegProfile(profileOf(70_000, 400))],
    ['the Exif of a PNG is no directory', pngWith(png, 'start', pngChunk('eXIf', Buffer.alloc(40, 7)))],
    ['the Exif of a WebP is no directory', webpWith(webp, ['EXIF', Buffer.alloc(40, 7)])],
    ['the XMP packet of a WebP is no packet', webpWith(webp, ['XMP ', Buffer.from('<x')])],
    [
      'the Exif of a HEIC is no directory',
      heic({ items: [coded, item(Uint8Array.from([0, 0, 0, 0, ...Buffer.alloc(40, 7)]))] }),
    ],
    ['the Exif of a HEIC is empty', heic({ items: [coded, item(Uint8Array.of(1))] })],
  ])('%s', async (_, master) => {
    const { sidecar, tiff: published } = await publish(master);
    expect(sidecar.metadata.warnings).not.toEqual([]);
    expect((await sharp(published).metadata()).icc).toBeUndefined();
  });

  test('the profile of a JPEG 2000 is no profile', async () => {
    const stream = await j2k({ ...size, bits: [8], samples: grey, tile: 32 });
    const { sidecar } = await publish(jp2(stream, { ...size, components: 1, colour: new Uint8Array(90) }));
    expect(sidecar.metadata.warnings).toEqual([expect.stringMatching(/^ICC profile: /u)]);
  });

  test('the Exif box of a JPEG 2000 is no directory', async () => {
    const plain = jp2(await j2k({ ...size, bits: [8], samples: grey, tile: 32 }), {
      ...size,
      components: 1,
      colour: 17,
    });
    const { sidecar } = await publish(Buffer.concat([plain, uuid(EXIF_BOX, Buffer.alloc(40, 7))]));
    expect(sidecar.metadata.warnings).toEqual([expect.stringMatching(/^Exif: /u)]);
  });
});

describe('a profile of more than 8 MiB is left out of the work area and of the published file', () => {
  const large = profileOf(9 * 2 ** 20, 9 * 2 ** 20, 'GRAY');
  test.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['a TIFF', () => tiffWithProfile(large)],
    ['a PNG', () => pngWith(png, 'start', pngChunk('iCCP', 'large\0\0', deflateSync(large)))],
    [
      'a JPEG 2000',
      async () => {
        const plain = await j2k({ ...size, bits: [8], samples: grey, tile: 32 });
        return withLargeProfile(jp2(plain, { ...size, components: 1, colour: 17 }), large);
      },
    ],
  ])('of %s', async (_, write) => {
    const { tiff: published, sidecar, work } = await publish(await write());
    expect(sidecar.metadata.icc).toBeUndefined();
    expect(sidecar.metadata.warnings).toEqual(
      expect.arrayContaining([expect.stringMatching(/^(?:ICC profile|iCCP): /u)]),
    );
    expect(work).toBeLessThan(100_000);
    expect(published.length).toBeLessThan(100_000);
  });
});

/** A TIFF with this profile after its pixels. */
function tiffWithProfile(profile: Buffer): Uint8Array {
  const data = Buffer.concat([grey, profile]);
  const entry = { tag: 34_675, type: 7, values: [0, 0, 0, 0], count: profile.length, offset: 8 + grey.length };
  return handTiff({ data, directories: [withFields(greyFields(48, 32, 8), entry)] });
}

/** The JP2 with its colour specification replaced by a profile. */
function withLargeProfile(file: Uint8Array, profile: Uint8Array): Buffer {
  const bytes = Buffer.from(file);
  const at = bytes.indexOf('colr', 0, 'latin1') - 4;
  const header = bytes.indexOf('jp2h', 0, 'latin1') - 4;
  const content = profileBox(profile);
  const colour = Buffer.concat([Buffer.alloc(4), Buffer.from('colr'), content]);
  colour.writeUInt32BE(colour.length, 0);
  const length = bytes.readUInt32BE(at);
  const changed = Buffer.concat([bytes.subarray(0, at), colour, bytes.subarray(at + length)]);
  changed.writeUInt32BE(bytes.readUInt32BE(header) + colour.length - length, header);
  return changed;
}

describe('the resolution that only Exif states is published', () => {
  const exif = exifBlock({ image: [rational(282, 6001, 20), rational(283, 300, 1), short(296, 2)] });
  test.each<[string, () => Promise<Uint8Array> | Uint8Array]>([
    ['of a WebP', () => webpWith(webp, ['EXIF', exif])],
    ['of a PNG', () => pngWith(png, 'start', pngChunk('eXIf', exif))],
    ['of a HEIC', () => heic({ items: [coded, item(Uint8Array.from([0, 0, 0, 0, ...exif]))] })],
    [
      'of a JPEG 2000',
      async () => {
        const plain = await j2k({ ...size, bits: [8], samples: grey, tile: 32 });
        return Buffer.concat([jp2(plain, { ...size, components: 1, colour: 17 }), uuid(EXIF_BOX, exif)]);
      },
    ],
  ])('%s', async (_, write) => {
    const { tiff: published, sidecar } = await publish(await write());
    expect(sidecar.metadata.resolution).toEqual({ x: 300.05, y: 300, unit: 'inch' });
    expect((await sharp(published).metadata()).density).toBe(300);
  });
});

describe('the orientation that only XMP states is applied', () => {
  const packet = (orientation: number): Buffer =>
    Buffer.from(xmpPacket('', `xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="${orientation}"`));
  const exif = exifBlock({ image: [short(274, 1)] });
  const xmpSegment = (orientation: number): Buffer =>
    jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', packet(orientation));

  test.each([2, 3, 4, 5, 6, 7, 8])('as %i to a PNG and a TIFF', async (orientation) => {
    const expected = await sharp(await own.clone().png().withMetadata({ orientation }).toBuffer())
      .autoOrient()
      .raw()
      .toBuffer();
    const samples = await own.clone().raw().toBuffer();
    const rgb = [
      short(258, 8, 8, 8),
      short(262, 2),
      short(277, 3),
      long(279, samples.length),
      blob(700, packet(orientation), 1),
    ];
    const withXmp = handTiff({ data: samples, directories: [withFields(greyFields(64, 48, 8), ...rgb)] });
    for (const master of [
      pngWith(png, 'start', pngChunk('iTXt', 'XML:com.adobe.xmp\0\0\0\0\0', packet(orientation))),
      withXmp,
    ]) {
      const { tiff: published, sidecar } = await publish(master);
      const { data } = await sharp(published).raw().toBuffer({ resolveWithObject: true });
      expect(sidecar.source.orientation).toBe(orientation);
      expect(data.equals(expected)).toBe(true);
    }
  });

  test('in blocks of a TIFF like the orientation that its tag states', async () => {
    const whole = { width: 600, height: 500 };
    const samples = await pictureOf(whole.width, whole.height).raw().toBuffer();
    const fields = [long(256, 600), long(257, 500), short(258, 8, 8, 8), short(262, 2), short(277, 3)];
    const strips = [long(278, 500), long(279, samples.length)];
    const master = (...more: HandField[]): Uint8Array =>
      handTiff({ data: samples, directories: [withFields(greyFields(600, 500, 8), ...fields, ...strips, ...more)] });
    const cut = { splitLevel: 0, blocks: { columns: [0, 256, 500], rows: [0, 256, 512, 600] } };
    const levels = async (bytes: Uint8Array): Promise<Buffer[]> => {
      const { bucket, key } = await pipeline.run(`turned-${masters++}`, bytes, { recipe: 'iiif', cut });
      return (await decodeLevels(await pipeline.store.read({ bucket, key }))).map(({ pixels }) => pixels);
    };
    expect(await levels(master(blob(700, packet(8), 1)))).toEqual(await levels(master(short(274, 8))));
  });

  test('unless Exif states another one', async () => {
    const both = jpegWith(jpeg, jpegSegment(0xe1, 'Exif\0\0', exif), xmpSegment(6));
    expect((await publish(both)).sidecar.source.orientation).toBe(1);
    const only = jpegWith(jpeg, xmpSegment(6));
    expect((await publish(only)).sidecar.source).toMatchObject({ orientation: 6, upright: { width: 48, height: 64 } });
  });

  test('unless it is no orientation', async () => {
    expect((await publish(jpegWith(jpeg, xmpSegment(9)))).sidecar.source.orientation).toBe(1);
  });
});
