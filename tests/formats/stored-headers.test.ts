/**
 * A header that a parser returns passes the schemas by which it is stored between steps, whatever
 * the file; all other files are rejected with a typed error.
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import sharp from 'sharp';
import { z } from 'zod';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { probe } from '../../src/formats/convert.ts';
import { identify } from '../../src/formats/identify.ts';
import { withXmpOrientation } from '../../src/formats/orientation.ts';
import { readEmbeddedMetadata } from '../../src/formats/read-metadata.ts';
import { EmbeddedMetadata } from '../../src/metadata/embedded-metadata.ts';
import { type ConvertibleFormat, SourceImage } from '../../src/pyramid/source-image.ts';
import { Description } from '../../src/tiff/pyramid-fields.ts';
import { bmp } from '../support/bmp-fixtures.ts';
import { codedItem, fullBox, heic } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { j2k, jp2, profileFor } from '../support/jp2-fixtures.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { picture } from '../support/pixels.ts';
import { privateMasters } from '../support/private-masters.ts';
import { greyFields, type HandField, handTiff, withFields } from '../support/tiff-bytes.ts';

const size = { width: 48, height: 32 };
const grey = picture(size.width, size.height, 1);
const masters = await privateMasters();

/** The name of the error, or undefined after the header has passed its schemas. */
async function outcome(bytes: Uint8Array, format: 'jpeg' | 'png' | 'webp' | 'tiff'): Promise<string | undefined> {
  const reader = memoryReader(bytes);
  try {
    const identified = await identify(reader, format, { unspecifiedSamples: 'ignore' });
    const metadata = await readEmbeddedMetadata(reader, format);
    const image = withXmpOrientation(identified, metadata);
    // As stored: JSON has neither NaN nor Infinity.
    expect(SourceImage.parse(JSON.parse(JSON.stringify(image)))).toEqual(image);
    expect(Description.parse(JSON.parse(JSON.stringify(identified.description)))).toEqual(identified.description);
    expect(EmbeddedMetadata.parse(JSON.parse(JSON.stringify(metadata)))).toEqual(metadata);
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}

const Shape = z.strictObject({
  width: z.int().min(1),
  height: z.int().min(1),
  bands: z.union([z.literal(1), z.literal(3)]),
  alpha: z.boolean(),
  bitDepth: z.union([z.literal(8), z.literal(16)]),
});

const damage = fc.array(
  fc.tuple(
    fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 0.1, noNaN: true })),
    fc.nat(255),
  ),
  { minLength: 1, maxLength: 8 },
);

function damaged(file: Uint8Array, changes: readonly (readonly [number, number])[], kept: number): Uint8Array {
  const broken = Uint8Array.from(file.subarray(0, Math.ceil(file.length * Math.min(1, kept))));
  for (const [at, value] of changes) broken[Math.floor(at * (broken.length - 1))] = value;
  return broken;
}

const kept = fc.double({ min: 0.5, max: 2, noNaN: true });

describe('a damaged file has a header that can be stored, or is rejected with RejectedImageError', () => {
  test.each([
    ['jpeg', masters.jpg],
    ['png', masters.png],
    ['webp', masters.webp],
    ['tiff', masters.tiff],
  ] as const)('%s', async (format, master) => {
    expect(await outcome(master, format)).toBeUndefined();
    await fc.assert(
      fc.asyncProperty(damage, kept, async (changes, share) => {
        expect([undefined, 'RejectedImageError']).toContain(await outcome(damaged(master, changes, share), format));
      }),
      { numRuns: 300 },
    );
  });

  const converted: readonly (readonly [ConvertibleFormat, () => Promise<Uint8Array> | Uint8Array])[] = [
    [
      'jp2',
      async () =>
        jp2(await j2k({ ...size, bits: [8], samples: grey, tile: 32 }), {
          ...size,
          components: 1,
          colour: profileFor('GRAY'),
        }),
    ],
    ['pdf', () => pdf({ pages: [{ ...size, content: '0 0 9 9 re f' }] })],
    [
      'bmp',
      () =>
        bmp({
          ...size,
          bitsPerPixel: 8,
          palette: [[1, 2, 3]],
          rows: Array.from({ length: 32 }, () => new Array<number>(48).fill(0)),
        }),
    ],
    [
      'heic',
      () => heic({ items: [codedItem(encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] }), size)] }),
    ],
    [
      'gif',
      () =>
        sharp(grey, { raw: { ...size, channels: 1 } })
          .gif()
          .toBuffer(),
    ],
  ];
  test.each(converted)('%s', async (format, write) => {
    const master = await write();
    expect(Shape.parse(await probe(format, memoryReader(master), { dpi: 72 }))).toMatchObject(size);
    await fc.assert(
      fc.asyncProperty(damage, kept, async (changes, share) => {
        const reader = memoryReader(damaged(master, changes, share));
        const shape = await probe(format, reader, { dpi: 72 }).catch((error: unknown) => (error as Error).name);
        if (shape !== 'RejectedImageError') Shape.parse(shape);
      }),
      { numRuns: format === 'pdf' ? 60 : 300 },
    );
  });
});

const types = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 18];
const value = fc.oneof(
  fc.nat(9),
  fc.integer({ min: -70_000, max: 70_000 }),
  fc.constantFrom(0, 1.5, 2 ** 31, 2 ** 32 - 1, NaN, Infinity),
);
const tags = [
  254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 282, 283, 284, 296, 317, 320, 338, 339, 34_675,
];
const field: fc.Arbitrary<HandField> = fc
  .record({
    tag: fc.constantFrom(...tags),
    type: fc.constantFrom(...types),
    values: fc.array(value, { minLength: 1, maxLength: 4 }),
  })
  // 64-bit values are written from integers.
  .map(({ tag, type, values }) => ({
    tag,
    type,
    values: type >= 16 ? values.map((number) => Math.trunc(Number.isFinite(number) ? number : 0) >>> 0) : values,
  }));

test('a TIFF whose fields have any type and value has a header that can be stored, or is rejected', async () => {
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(field, { maxLength: 3 }), async (fields) => {
      const distinct = [...new Map(fields.map((each) => [each.tag, each])).values()];
      const bytes = handTiff({ data: grey, directories: [withFields(greyFields(48, 32, 8), ...distinct)] });
      const result = await outcome(bytes, 'tiff');
      if (result === undefined) accepted++;
      expect([undefined, 'RejectedImageError']).toContain(result);
    }),
    { numRuns: 1500 },
  );
  expect(accepted).toBeGreaterThan(150);
});

test.each([
  ['Orientation', 274, 6, 6],
  ['Orientation', 274, 1.5, 1],
  ['Orientation', 274, NaN, 1],
])('%s (%i) as a FLOAT of %d is read as %i', async (_, tag, stated, orientation) => {
  const bytes = handTiff({
    data: grey,
    directories: [withFields(greyFields(48, 32, 8), { tag, type: 11, values: [stated] })],
  });
  expect((await identify(memoryReader(bytes), 'tiff', { unspecifiedSamples: 'ignore' })).image.orientation).toBe(
    orientation,
  );
});

test.each([
  ['a RATIONAL', 5, [3001, 10], 3, { x: [3001, 10], y: [3001, 10], unit: 3 }],
  ['a DOUBLE', 12, [300.1], 2, { x: [3_001_000, 10_000], y: [3_001_000, 10_000], unit: 2 }],
  ['a SHORT', 3, [300], 2, { x: [300, 1], y: [300, 1], unit: 2 }],
  ['over zero', 5, [300, 0], 2, undefined],
  ['negative', 12, [-300], 2, undefined],
  ['of a fractional unit', 5, [300, 1], 2.5, undefined],
  ['of an unknown unit', 5, [300, 1], 9, undefined],
] as const)(
  'a resolution that is %s is stored as a fraction or left out',
  async (_, type, values, unit, resolution) => {
    const fields = [282, 283].map((tag) => ({ tag, type, values }));
    const bytes = handTiff({
      data: grey,
      directories: [withFields(greyFields(48, 32, 8), ...fields, { tag: 296, type: 11, values: [unit] })],
    });
    expect(
      (await identify(memoryReader(bytes), 'tiff', { unspecifiedSamples: 'ignore' })).description.resolution,
    ).toEqual(resolution);
  },
);

test('a HEIC with an long auxiliary type is read', async () => {
  const auxiliary = fullBox('auxC', 0, new Uint8Array(400_000));
  const coded = codedItem(encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] }), size);
  const thumbnail = { ...coded, properties: [...coded.properties, auxiliary], references: [{ type: 'auxl', to: [1] }] };
  await expect(probe('heic', memoryReader(heic({ items: [coded, thumbnail] })), { dpi: 72 })).resolves.toMatchObject(
    size,
  );
});

test('a HEIC with more than 32 MiB of properties is rejected before they are read', async () => {
  const bigBox = (type: string, content: Uint8Array): Buffer => {
    const header = Buffer.from([0, 0, 0, 0, ...Buffer.from(type)]);
    header.writeUInt32BE(8 + content.length);
    return Buffer.concat([header, content]);
  };
  const properties = Array.from({ length: 3 }, () => bigBox('free', Buffer.alloc(15 * 2 ** 20)));
  const boxes = [
    fullBox('pitm', 0, [0, 1]),
    fullBox('iinf', 0, [0, 0]),
    bigBox('iprp', bigBox('ipco', Buffer.concat(properties))),
  ];
  const file = bigBox('meta', Buffer.concat([Buffer.alloc(4), ...boxes]));
  await expect(probe('heic', memoryReader(file), { dpi: 72 })).rejects.toMatchObject({
    name: 'RejectedImageError',
    code: 'CORRUPT_HEADER',
  });
});
