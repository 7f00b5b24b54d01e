import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { assertAffordable, decode, probe } from '../../../src/formats/convert.ts';
import { psd as format } from '../../../src/formats/psd/psd.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import { xmpPacket } from '../../support/embedded.ts';
import { bigEndian, type HandPsd, psd } from '../../support/psd-fixtures.ts';
import { profileFor } from '../../support/jp2-fixtures.ts';

const options = { dpi: 72, background: '#ffffff' };
const red = Uint8Array.from([10, 10, 10, 10, 20, 30]);
const green = Uint8Array.from([1, 2, 3, 3, 3, 3]);
const blue = Uint8Array.from([200, 100, 0, 0, 100, 200]);
const rgb: HandPsd = { width: 3, height: 2, mode: 3, bits: 8, planes: [red, green, blue] };
const samples = [10, 1, 200, 10, 2, 100, 10, 3, 0, 10, 3, 0, 20, 3, 100, 30, 3, 200];
const decoded = (image: HandPsd) => decode('psd', psd(image), options);

describe('the flattened picture of a Photoshop document', () => {
  test.each([
    [1, 0],
    [1, 1],
    [2, 0],
    [2, 1],
  ] as const)('of version %i and compression %i decodes to its samples', async (version, coding) => {
    const file = psd({ ...rgb, version, coding });
    expect(format.matches(file)).toBe(true);
    const shape = { width: 3, height: 2, bands: 3, alpha: false, bitDepth: 8 };
    await expect(probe('psd', memoryReader(file), options)).resolves.toEqual(shape);
    expect(await decode('psd', file, options)).toEqual({ ...shape, data: Uint8Array.from(samples) });
    // Opacity and selections follow the colours.
    const more = { ...rgb, version, coding, planes: [...rgb.planes, green, blue] };
    expect((await decoded(more)).data).toEqual(Uint8Array.from(samples));
  });

  test('of 16 bits decodes to 16 bits', async () => {
    const grey = { width: 2, height: 1, mode: 1, bits: 16, planes: [bigEndian([0x0102, 0xfffe])] };
    for (const coding of [0, 1]) {
      const { data, bands, bitDepth } = await decoded({ ...grey, coding });
      expect([bands, bitDepth, ...data]).toEqual([1, 16, 0x0102, 0xfffe]);
    }
  });

  test('with a palette decodes to its colours, and a bitmap to black and white', async () => {
    const palette = Uint8Array.from({ length: 768 }, (_, at) => (at % 256) ^ (64 * Math.floor(at / 256)));
    const indexed = { width: 2, height: 1, mode: 2, bits: 8, palette, planes: [Uint8Array.from([5, 255])] };
    expect([...(await decoded(indexed)).data]).toEqual([5, 69, 133, 255, 191, 127]);
    const bitmap = { width: 10, height: 1, mode: 0, bits: 1, planes: [Uint8Array.from([0b10100000, 0b01000000])] };
    expect([...(await decoded(bitmap)).data]).toEqual([0, 255, 0, 255, 255, 255, 255, 255, 255, 0]);
  });

  test('keeps its resolution, its profile and its metadata', async () => {
    const profile = Uint8Array.from(profileFor('RGB '));
    const resolution = Uint8Array.from([1, 44, 0, 0, 0, 1, 0, 1, 0, 150, 0, 0, 0, 1, 0, 1]);
    const xmp = Buffer.from(xmpPacket('<dc:source>Atlas</dc:source>'));
    const iptc = Uint8Array.from([0x1c, 2, 80, 0, 3, ...Buffer.from('Ada')]);
    const file = psd({
      ...rgb,
      resources: [
        [1_005, resolution],
        [1_039, profile],
        [1_060, xmp],
        [1_028, iptc],
      ],
    });
    const picture = await decode('psd', file, options);
    expect(picture.resolution).toEqual({ x: 300, y: 150, unit: 'inch' });
    expect(picture.iccProfile).toEqual(profile);
    const metadata = await readEmbeddedMetadata(memoryReader(file), 'psd');
    expect(metadata.xmp?.fields['dc:source']).toBe('Atlas');
    expect(metadata.iptc['Byline']).toBe('Ada');
    expect(metadata.warnings).toEqual([]);
  });
});

describe('a Photoshop document that cannot be decoded', () => {
  test.each([
    [4, 8, 'a Photoshop document in CMYK'],
    [9, 8, 'a Photoshop document in L*a*b*'],
    [7, 8, 'a Photoshop document of several inks'],
    [3, 32, 'a Photoshop document of 32 bits a sample'],
  ])('is refused by name in colour mode %i of %i bits', async (mode, bits, message) => {
    const file = psd({ ...rgb, mode, bits });
    await expect(probe('psd', memoryReader(file), options)).rejects.toThrow(`UNSUPPORTED_PIXELS: ${message}`);
  });

  test('is refused without a flattened picture', async () => {
    const file = psd({ ...rgb, resources: [[1_057, Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 0])]] });
    const message = 'UNSUPPORTED_PIXELS: the Photoshop document was saved without its flattened picture';
    await expect(probe('psd', memoryReader(file), options)).rejects.toThrow(message);
  });

  test.each([0, 1])('is TRUNCATED at every length under compression %i', async (coding) => {
    const file = psd({ ...rgb, coding });
    for (let length = 6; length < file.length; length++) {
      const cut = file.subarray(0, length);
      await expect(decode('psd', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
    }
  });

  test('is CORRUPT_PIXELS when a row is short', async () => {
    const file = psd({ ...rgb, coding: 1, planes: [red, green, blue] });
    const cut = Uint8Array.from(file);
    // The length of the first row, behind the compression.
    const table = 26 + 4 + 4 + 4 + 2;
    cut[table + 1] = 0;
    await expect(decode('psd', cut, options)).rejects.toMatchObject({ code: 'CORRUPT_PIXELS' });
  });

  test('is OVER_BUDGET before it is decoded when its header states more than memory can hold', async () => {
    const file = psd({ ...rgb, width: 100_000, height: 100_000 });
    const shape = await probe('psd', memoryReader(file), options);
    expect(() => {
      assertAffordable('psd', shape, file.length, 6_000 * 2 ** 20);
    }).toThrow('OVER_BUDGET: a PSD of 100000 × 100000 needs');
  });
});
