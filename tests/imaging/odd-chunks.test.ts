/** Strips and tiles that libtiff warns about, and whose pixels are not in doubt. */
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { decodeMaster } from '../support/decode-master.ts';
import { faxData, faxSamples, faxTiff, oldStyleLzw, packBits, strips } from '../support/odd-tiffs.ts';
import { picture } from '../support/pixels.ts';
import { long, short } from '../support/tiff-bytes.ts';

const width = 90;
const height = 60;
const rows = 16;
const pixels = picture(width, height, 1);

/** The strips of the picture, uncompressed. */
const rowsOfStrips = Array.from({ length: Math.ceil(height / rows) }, (_, strip) =>
  pixels.subarray(strip * rows * width, Math.min(height, (strip + 1) * rows) * width),
);

async function refusalOf(bytes: Uint8Array): Promise<string> {
  return decodeMaster(bytes).then(
    () => 'decoded',
    (error: unknown) => (error as Error).message,
  );
}

describe('a TIFF is decoded with a warning', () => {
  test('when its LZW codes have the order of bits of old writers', async () => {
    const tiff = strips({ width, height, rows, compression: 5, chunks: rowsOfStrips.map((each) => oldStyleLzw(each)) });
    const { samples, warnings } = await decodeMaster(tiff);
    expect(Buffer.from(samples).equals(pixels)).toBe(true);
    expect(warnings).toEqual(['its LZW data has the order of bits of old writers (before TIFF 6.0)']);
  });

  test('when the last PackBits run of a strip goes on beyond its rows', async () => {
    const chunks = rowsOfStrips.map((each, strip) => packBits(each, strip === 1 ? 7 : 0));
    const { samples, warnings } = await decodeMaster(strips({ width, height, rows, compression: 32_773, chunks }));
    expect(Buffer.from(samples).equals(pixels)).toBe(true);
    expect(warnings).toEqual(['its PackBits data goes on beyond its rows; that is ignored']);
  });
});

describe('a fax is decoded with a warning', () => {
  const size = { width: 75, height: 4 };
  const runs = [[3, 5, 67], [0, 64, 11], [75], [10, 1, 1, 2, 15, 6, 4, 9, 12, 15]];
  const samples = faxSamples(runs, size.width);

  test('when its rows have no end-of-line codes, from bit to bit and from byte to byte', async () => {
    for (const align of [false, true]) {
      const decoded = await decodeMaster(faxTiff(size, [faxData(runs, { eol: false, align })]));
      expect(decoded.samples).toEqual(samples);
      expect(decoded.warnings).toEqual(['the fax rows have no end-of-line codes']);
    }
  });

  test('when an end-of-line code comes before the right edge, and there are more rows than the image has', async () => {
    const short = [[3, 5, 20], [0, 64], [], ...runs, [75], [75]];
    const decoded = await decodeMaster(faxTiff({ width: 75, height: 7 }, [faxData(short)]));
    expect(decoded.samples).toEqual(faxSamples(short.slice(0, 7), size.width));
    expect(decoded.warnings).toEqual([
      'some fax rows end before the right edge of the image; the rest of them is white',
    ]);
  });

  test('but is refused with the row where its pixels are in doubt', async () => {
    const cut = faxTiff({ width: 75, height: 9 }, [faxData(runs)]);
    expect(await refusalOf(cut)).toBe('CORRUPT_PIXELS: strip 0 is damaged: Expected 9 rows of fax data but received 4');
    const long = faxTiff(size, [faxData([runs[0] ?? [], [70, 9], [75], [75]])]);
    expect(await refusalOf(long)).toMatch(/^CORRUPT_PIXELS: strip 0 is damaged: .* in fax row 1 /u);
  });
});

describe('a TIFF whose table lacks lengths', () => {
  test.each<[string, number, Uint8Array]>([
    ['uncompressed', 1, pixels],
    ['deflate', 8, deflateSync(pixels)],
    ['PackBits', 32_773, packBits(pixels)],
  ])('is decoded when it has one strip: %s', async (_, compression, chunk) => {
    const tiff = strips({ width, height, rows: height, compression, chunks: [chunk] }, long(279, 0));
    const { samples } = await decodeMaster(tiff);
    expect(Buffer.from(samples).equals(pixels)).toBe(true);
  });

  test('is decoded when it is uncompressed, and refused when the length of a strip is not determined', async () => {
    const image = { width, height, rows };
    const none = strips({ ...image, compression: 1, chunks: rowsOfStrips }, long(279, 0, 0, 0, 0));
    expect(Buffer.from((await decodeMaster(none)).samples).equals(pixels)).toBe(true);
    const chunks = rowsOfStrips.map((each) => Uint8Array.from(deflateSync(each)));
    const deflated = strips({ ...image, compression: 8, chunks }, long(279, chunks[0]?.length ?? 0, 0, 0, 0));
    expect(await refusalOf(deflated)).toBe(
      'CORRUPT_HEADER: Expected a place and a length for strip 1 but received a place but no length',
    );
    const unplaced = strips({ ...image, compression: 1, chunks: rowsOfStrips }, long(273, 8, 0, 0, 0));
    expect(await refusalOf(unplaced)).toContain('strip 1 but received a length but no place');
  });
});

describe('a damaged chunk of a TIFF is named in the refusal', () => {
  test.each<[string, number, (rows: Uint8Array) => Uint8Array, string]>([
    ['LZW', 5, (each) => oldStyleLzw(each).subarray(0, 40), 'LZW data'],
    ['PackBits', 32_773, (each) => packBits(each).subarray(0, 40), 'PackBits data'],
    ['deflate', 8, (each) => Uint8Array.from(deflateSync(each)).fill(0xff, 9, 30), 'deflate data'],
    ['uncompressed', 1, (each) => each.subarray(0, 40), 'data'],
  ])('when it is %s', async (_, compression, damage, message) => {
    const whole: Readonly<Record<number, (each: Uint8Array) => Uint8Array>> = {
      1: (each) => each,
      5: oldStyleLzw,
      8: (each) => Uint8Array.from(deflateSync(each)),
      32773: (each) => packBits(each),
    };
    const chunks = rowsOfStrips.map((each, strip) =>
      strip === 2 ? damage(each) : (whole[compression]?.(each) ?? each),
    );
    const refusal = await refusalOf(strips({ width, height, rows, compression, chunks }, short(274, 1)));
    expect(refusal).toMatch(/^CORRUPT_PIXELS: strip 2 is damaged: /u);
    expect(refusal).toContain(message);
  });
});
