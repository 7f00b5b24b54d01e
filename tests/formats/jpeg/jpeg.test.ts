import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { hasJpegEnd } from '../../../src/formats/jpeg/structure.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import { identifyBytes } from '../../support/decode-master.ts';
import { withFrame, withStrayBytes } from '../../support/odd-jpegs.ts';
import { pictureOf } from '../../support/pixels.ts';

const baseline = (): Promise<Buffer> => pictureOf(64, 48).jpeg().toBuffer();

async function refusalOf(bytes: Uint8Array): Promise<string> {
  return identifyBytes(bytes).then(
    () => 'accepted',
    (error: unknown) => (error as Error).message,
  );
}

describe('a JPEG of a kind without a decoder is refused by its name', () => {
  test.each<[string, Parameters<typeof withFrame>[1], RegExp]>([
    ['12 bits', { marker: 0xc1, precision: 12 }, /^UNSUPPORTED_PIXELS: it is a JPEG of 12 bits a sample; save/u],
    ['lossless', { marker: 0xc3 }, /^UNSUPPORTED_PIXELS: it is a lossless JPEG; save it/u],
    ['lossless with arithmetic coding', { marker: 0xcb }, /^UNSUPPORTED_PIXELS: it is a lossless JPEG; /u],
    ['hierarchical', { marker: 0xc5 }, /^UNSUPPORTED_PIXELS: it is a hierarchical JPEG; /u],
    ['its height after its pixels', { height: 0 }, /^UNSUPPORTED_PIXELS: .* states its height after its pixels; /u],
    ['JPEG-LS', { marker: 0xf7 }, /^UNSUPPORTED_FORMAT: this is a JPEG-LS image; save it/u],
  ])('%s', async (_, frame, message) => {
    expect(await refusalOf(withFrame(await baseline(), frame))).toMatch(message);
  });
});

describe('bytes between the segments of a JPEG', () => {
  test('are stated with their places, and metadata after them is read', async () => {
    const clean = await pictureOf(64, 48)
      .jpeg()
      .withMetadata({ density: 300 })
      .withExif({ IFD0: { Artist: 'A' } })
      .toBuffer();
    const odd = withStrayBytes(clean, [3]);
    const { image, warnings } = await identifyBytes(odd);
    expect(image.gaps).toEqual([{ offset: expect.any(Number), length: 3 }]);
    expect(warnings).toHaveLength(1);
    const [before, after] = await Promise.all(
      [clean, odd].map((each) => readEmbeddedMetadata(memoryReader(each), 'jpeg')),
    );
    expect(after).toEqual(before);
    expect(before?.exif).toHaveProperty('Artist', 'A');
  });

  test('are absent in a JPEG that has fill bytes only', async () => {
    const clean = await baseline();
    const filled = Buffer.concat([clean.subarray(0, 2), Buffer.alloc(5, 0xff), clean.subarray(2)]);
    const { image, warnings } = await identifyBytes(filled);
    expect([image.gaps, warnings]).toEqual([undefined, []]);
  });
});

test('the end of a JPEG is found at the end of the file and before trailing data, not in a preview', async () => {
  const whole = await baseline();
  const ends = (bytes: Uint8Array): Promise<boolean> => hasJpegEnd(memoryReader(bytes));
  expect(await ends(whole)).toBe(true);
  expect(await ends(Buffer.concat([whole, Buffer.alloc(100)]))).toBe(true);
  expect(await ends(Buffer.concat([whole, Buffer.alloc(9_000, 0x42)]))).toBe(true);
  const preview = Buffer.concat([Buffer.of(0xff, 0xe1, (whole.length + 2) >> 8, (whole.length + 2) & 0xff), whole]);
  const withPreview = Buffer.concat([whole.subarray(0, 2), preview, whole.subarray(2, -2), Buffer.alloc(5_000, 0x42)]);
  expect(await ends(withPreview)).toBe(false);
  for (const part of [0.1, 0.5, 0.99]) expect(await ends(whole.subarray(0, whole.length * part))).toBe(false);
});

test.each([1, 2])('a progressive JPEG is whole only with its end marker (%i bytes missing)', async (missing) => {
  const progressive = await pictureOf(200, 150).jpeg({ progressive: true }).toBuffer();
  expect(await hasJpegEnd(memoryReader(Buffer.concat([progressive, Buffer.alloc(9_000, 0x42)])))).toBe(true);
  expect(await hasJpegEnd(memoryReader(progressive.subarray(0, -missing)))).toBe(false);
});
