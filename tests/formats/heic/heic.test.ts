import { describe, expect, test } from '@jest/globals';
import { decode, probe, memoryNeed } from '../../../src/formats/convert.ts';
import { heic as format } from '../../../src/formats/heic/heic.ts';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { firstDifference } from '../../support/decoded-fixtures.ts';
import {
  cleanAperture,
  codedColours,
  codedItem,
  extents,
  fullBox,
  gridData,
  heic,
  type HeicItem,
  mirroring,
  rotation,
} from '../../support/heic-fixtures.ts';
import { encodeHevc, type HevcStream } from '../../support/hevc-pcm.ts';
import { ascii, box, profileFor } from '../../support/jp2-fixtures.ts';

const options = { dpi: 300, background: '#ffffff' };
const size = { width: 96, height: 64 };
/** The planes are stored in the order green, blue, red. */
const IDENTITY = codedColours(0);
const BT601 = codedColours(6);

/** Distinct values over the whole range. */
function plane(width: number, height: number, bits: number, seed = 0): Uint16Array {
  return Uint16Array.from(
    { length: width * height },
    (_, index) => ((index % width) * 7 + Math.floor(index / width) * 13 + seed * 40) % 2 ** bits,
  );
}

function flat(length: number, value: number): Uint16Array {
  return new Uint16Array(length).fill(value);
}

function greyStream(bits: number, of = size): { stream: HevcStream; luma: Uint16Array } {
  const luma = plane(of.width, of.height, bits);
  return { stream: encodeHevc({ ...of, chromaFormat: 0, bits, planes: [luma] }), luma };
}

function rgbStream(bits: number, seed = 0, of = size): { stream: HevcStream; rgb: Uint16Array } {
  const [green, blue, red] = [0, 1, 2].map((index) => plane(of.width, of.height, bits, seed + index));
  if (!green || !blue || !red) throw new Error('Expected three planes');
  const stream = encodeHevc({ ...of, chromaFormat: 3, bits, planes: [green, blue, red] });
  const rgb = Uint16Array.from({ length: green.length * 3 }, (_, at) => {
    const source = [red, green, blue][at % 3];
    return source?.[Math.floor(at / 3)] ?? 0;
  });
  return { stream, rgb };
}

describe('lossless HEVC samples are decoded unchanged', () => {
  test('of 8-bit RGB', async () => {
    const { stream, rgb } = rgbStream(8);
    const file = heic({ items: [codedItem(stream, size, IDENTITY)] });
    expect(format.matches(file)).toBe(true);
    const decoded = await decode('heic', file, options);
    expect(decoded).toMatchObject({ ...size, bands: 3, alpha: false, bitDepth: 8 });
    expect(firstDifference(decoded.data, rgb)).toBeUndefined();
  });

  test('of 8-bit grey, as one band', async () => {
    const { stream, luma } = greyStream(8);
    const file = heic({ items: [codedItem(stream, size, BT601)] });
    const decoded = await decode('heic', file, options);
    expect(decoded).toMatchObject({ bands: 1, bitDepth: 8 });
    expect(firstDifference(decoded.data, luma)).toBeUndefined();
    await expect(probe('heic', memoryReader(file), options)).resolves.toEqual({
      ...size,
      bands: 1,
      alpha: false,
      bitDepth: 8,
    });
  });

  test('of 4:2:0 with neutral chroma, as equal bands', async () => {
    const luma = plane(96, 64, 8);
    const planes = [luma, flat(48 * 32, 128), flat(48 * 32, 128)];
    const stream = encodeHevc({ ...size, chromaFormat: 1, bits: 8, planes });
    const decoded = await decode('heic', heic({ items: [codedItem(stream, size, BT601)] }), options);
    const expected = Uint8Array.from({ length: luma.length * 3 }, (_, at) => luma[Math.floor(at / 3)] ?? 0);
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test('of 4:2:0 with pure red', async () => {
    const planes = [flat(96 * 64, 76), flat(48 * 32, 85), flat(48 * 32, 255)];
    const stream = encodeHevc({ ...size, chromaFormat: 1, bits: 8, planes });
    const decoded = await decode('heic', heic({ items: [codedItem(stream, size, BT601)] }), options);
    const [red, green, blue] = decoded.data;
    expect(red).toBeGreaterThanOrEqual(253);
    expect(green).toBeLessThanOrEqual(2);
    expect(blue).toBeLessThanOrEqual(2);
  });

  test.each([
    [10, 0x2a7, 0xa9ea],
    [12, 0xabc, 0xabca],
  ])('%i bits are widened to 16 by repeating them', async (bits, given, wide) => {
    const planes = [flat(96 * 64, given), flat(96 * 64, 0), flat(96 * 64, 2 ** bits - 1)];
    const stream = encodeHevc({ ...size, chromaFormat: 3, bits, planes });
    const file = heic({ items: [codedItem(stream, size, IDENTITY)] });
    const decoded = await decode('heic', file, options);
    expect(decoded.bitDepth).toBe(16);
    expect([...decoded.data.subarray(0, 6)]).toEqual([65_535, wide, 0, 65_535, wide, 0]);
  });

  test('of an auxiliary alpha image, as the fourth sample', async () => {
    const { stream, rgb } = rgbStream(8);
    const { stream: alphaStream, luma } = greyStream(8);
    const kind = fullBox('auxC', 0, [...ascii('urn:mpeg:hevc:2015:auxid:1'), 0]);
    const alpha = { ...codedItem(alphaStream, size, kind), references: [{ type: 'auxl', to: [1] }] };
    const file = heic({ items: [codedItem(stream, size, IDENTITY), alpha] });
    const decoded = await decode('heic', file, options);
    expect(decoded).toMatchObject({ bands: 3, alpha: true });
    const expected = Uint16Array.from({ length: luma.length * 4 }, (_, at) =>
      at % 4 === 3 ? (luma[Math.floor(at / 4)] ?? 0) : (rgb[Math.floor(at / 4) * 3 + (at % 4)] ?? 0),
    );
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });
});

describe('an auxiliary alpha image beside colours of more than 8 bits', () => {
  const kind = fullBox('auxC', 0, [...ascii('urn:mpeg:mpegB:cicp:systems:auxiliary:alpha'), 0]);
  const withAlpha = (colour: HevcStream, alpha: HevcStream, ...properties: Uint8Array[]): Uint8Array =>
    heic({
      items: [
        codedItem(colour, size, ...properties),
        { ...codedItem(alpha, size, kind), references: [{ type: 'auxl', to: [1] }] },
      ],
    });
  const widened = (value: number, bits: number): number => (value << (16 - bits)) | (value >> (2 * bits - 16));

  test.each([10, 12])('of %i bits and RGB is the fourth sample', async (bits) => {
    const { stream, rgb } = rgbStream(bits);
    const { stream: alphaStream, luma } = greyStream(bits);
    const decoded = await decode('heic', withAlpha(stream, alphaStream, IDENTITY), options);
    expect(decoded).toMatchObject({ bands: 3, alpha: true, bitDepth: 16 });
    const expected = Uint16Array.from({ length: luma.length * 4 }, (_, at) => {
      const pixel = Math.floor(at / 4);
      return widened((at % 4 === 3 ? luma[pixel] : rgb[pixel * 3 + (at % 4)]) ?? 0, bits);
    });
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test.each([10, 12])('of %i bits and grey is the second sample', async (bits) => {
    const { stream, luma } = greyStream(bits);
    const opacity = plane(96, 64, bits, 5);
    const alphaStream = encodeHevc({ ...size, chromaFormat: 0, bits, planes: [opacity] });
    const decoded = await decode('heic', withAlpha(stream, alphaStream), options);
    expect(decoded).toMatchObject({ bands: 1, alpha: true, bitDepth: 16 });
    const expected = Uint16Array.from({ length: luma.length * 2 }, (_, at) =>
      widened((at % 2 === 1 ? opacity : luma)[Math.floor(at / 2)] ?? 0, bits),
    );
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test('of 8 bits is widened from 8 bits, so that 255 is opaque', async () => {
    const { stream } = rgbStream(10);
    const opacity = Uint16Array.from({ length: 96 * 64 }, (_, index) => index % 256);
    const alphaStream = encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [opacity] });
    const { data } = await decode('heic', withAlpha(stream, alphaStream, IDENTITY), options);
    const decoded = Uint16Array.from({ length: 256 }, (_, pixel) => data[4 * pixel + 3] ?? 0);
    expect([...decoded]).toEqual(Array.from({ length: 256 }, (_, value) => value * 257));
  });
});

describe('the properties of the primary image of a HEIC file are applied', () => {
  const { stream, luma } = greyStream(8);
  const at = (x: number, y: number): number => luma[y * 96 + x] ?? -1;
  const decodeWith = (...properties: Uint8Array[]) =>
    decode('heic', heic({ items: [codedItem(stream, size, BT601, ...properties)] }), options);

  test('a rotation by 90 degrees swaps the sides', async () => {
    const decoded = await decodeWith(rotation(1));
    expect(decoded).toMatchObject({ width: 64, height: 96 });
    const expected = Uint8Array.from({ length: 64 * 96 }, (_, index) => at(95 - Math.floor(index / 64), index % 64));
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test('a rotation by 180 degrees', async () => {
    const decoded = await decodeWith(rotation(2));
    expect(decoded).toMatchObject(size);
    expect(decoded.data[0]).toBe(at(95, 63));
  });

  test('mirroring', async () => {
    const decoded = await decodeWith(mirroring(1));
    expect([...decoded.data.subarray(0, 3)]).toEqual([at(95, 0), at(94, 0), at(93, 0)]);
  });

  test('a crop', async () => {
    const decoded = await decodeWith(cleanAperture({ width: 90, height: 60 }));
    expect(decoded).toMatchObject({ width: 90, height: 60 });
    expect([decoded.data[0], decoded.data[90 * 60 - 1]]).toEqual([at(3, 2), at(92, 61)]);
  });

  test('a crop to a small part of the image, for which the decoder still gets memory', async () => {
    const decoded = await decodeWith(cleanAperture({ width: 10, height: 8 }));
    expect(decoded).toMatchObject({ width: 10, height: 8 });
    expect([decoded.data[0], decoded.data[10 * 8 - 1]]).toEqual([at(43, 28), at(52, 35)]);
    const shape = { width: 10, height: 8, bands: 1, alpha: false, bitDepth: 8 } as const;
    const need = memoryNeed('heic', { ...shape, decodedPixels: 4_000_000 }, 1_000).heap;
    expect(need).toBeGreaterThan(memoryNeed('heic', shape, 1_000).heap + 4_000_000 * 9);
  });

  test('a crop that is then rotated and mirrored', async () => {
    const crop = cleanAperture({ width: 10, height: 8 });
    const turned = await decodeWith(crop, rotation(1));
    expect(turned).toMatchObject({ width: 8, height: 10 });
    expect([turned.data[0], turned.data[79]]).toEqual([at(52, 28), at(43, 35)]);
    const mirrored = await decodeWith(crop, rotation(2), mirroring(1));
    expect([mirrored.data[0], mirrored.data[79]]).toEqual([at(43, 35), at(52, 28)]);
  });

  test('an ICC profile is kept', async () => {
    const profile = profileFor('GRAY');
    const decoded = await decodeWith(box('colr', [...ascii('prof'), ...profile]));
    expect(decoded.iccProfile).toEqual(profile);
  });

  test('a grid is assembled and cropped to its size', async () => {
    const tile = { width: 64, height: 64 };
    const tiles = [0, 1, 2, 3].map((seed) => rgbStream(8, seed * 3, tile));
    const whole = { width: 120, height: 100 };
    const grid = {
      type: 'grid',
      data: gridData(2, 2, whole),
      properties: [extents(whole)],
      references: [{ type: 'dimg', to: [2, 3, 4, 5] }],
    };
    const file = heic({ items: [grid, ...tiles.map(({ stream }) => codedItem(stream, tile, IDENTITY))] });
    const decoded = await decode('heic', file, options);
    expect(decoded).toMatchObject({ ...whole, bands: 3 });
    const expected = Uint16Array.from({ length: 120 * 100 * 3 }, (_, index) => {
      const [x, y] = [Math.floor(index / 3) % 120, Math.floor(index / 360)];
      const part = tiles[Math.floor(y / 64) * 2 + Math.floor(x / 64)];
      return part?.rgb[((y % 64) * 64 + (x % 64)) * 3 + (index % 3)] ?? 0;
    });
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });
});

describe('colours that a HEIC file states without a profile', () => {
  const { stream } = greyStream(8);

  test.each([
    [9, 16, 'the primaries of BT.2020 and high dynamic range (PQ)'],
    [12, 13, 'the primaries of Display P3'],
    [1, 18, 'high dynamic range (HLG)'],
  ])('are named in a warning when they are not those of sRGB', async (primaries, transfer, stated) => {
    const file = heic({ items: [codedItem(stream, size, codedColours(6, primaries, transfer))] });
    const warnings = [`the file states ${stated} without an ICC profile; its samples are published as they are`];
    await expect(probe('heic', memoryReader(file), options)).resolves.toMatchObject({ warnings });
  });

  test('are not named beside a profile', async () => {
    const profile = box('colr', [...ascii('prof'), ...profileFor('GRAY')]);
    const file = heic({ items: [codedItem(stream, size, codedColours(6, 9, 16), profile)] });
    await expect(probe('heic', memoryReader(file), options)).resolves.not.toHaveProperty('warnings');
  });
});

describe('a HEIC file whose references name an item more than once', () => {
  const tile = { width: 64, height: 64 };
  const whole = { width: 192, height: 64 };
  const grid = (parts: number[], type = 'grid'): HeicItem => ({
    type,
    data: gridData(1, parts.length, whole),
    properties: [extents(whole)],
    references: [{ type: 'dimg', to: parts }],
  });
  const [first, second] = [rgbStream(8, 0, tile), rgbStream(8, 3, tile)];
  const warnings: unknown[] = [expect.stringContaining('names the same item more than once')];

  test('is a grid that repeats a part', async () => {
    const items = [grid([2, 3, 2]), codedItem(first.stream, tile, IDENTITY), codedItem(second.stream, tile, IDENTITY)];
    const file = heic({ items });
    const decoded = await decode('heic', file, options);
    expect(decoded).toMatchObject({ ...whole, bands: 3 });
    expect(decoded.warnings).toBeUndefined();
    const expected = Uint16Array.from({ length: 192 * 64 * 3 }, (_, index) => {
      const x = Math.floor(index / 3) % 192;
      const { rgb } = x >= 64 && x < 128 ? second : first;
      return rgb[(Math.floor(index / 576) * 64 + (x % 64)) * 3 + (index % 3)] ?? 0;
    });
    expect(firstDifference(decoded.data, expected)).toBeUndefined();
  });

  test.each(['thmb', 'cdsc'])('in a reference of type %s is published, with a warning', async (type) => {
    const image = codedItem(first.stream, tile, IDENTITY);
    const file = heic({ items: [image, { ...image, references: [{ type, to: [1, 1] }] }] });
    await expect(probe('heic', memoryReader(file), options)).resolves.toMatchObject({ warnings });
    const decoded = await decode('heic', file, options);
    expect(decoded).toMatchObject({ ...tile, alpha: false, warnings });
    expect(firstDifference(decoded.data, first.rgb)).toBeUndefined();
  });

  test('keeps its opacity', async () => {
    const { stream, luma } = greyStream(8, tile);
    const kind = fullBox('auxC', 0, [...ascii('urn:mpeg:hevc:2015:auxid:1'), 0]);
    const opacity = { ...codedItem(stream, tile, kind), references: [{ type: 'auxl', to: [1, 1] }] };
    const decoded = await decode('heic', heic({ items: [codedItem(first.stream, tile, IDENTITY), opacity] }), options);
    const alphas = Uint16Array.from({ length: luma.length }, (_, pixel) => decoded.data[4 * pixel + 3] ?? 0);
    expect(firstDifference(alphas, luma)).toBeUndefined();
  });

  test('in an overlay beside the primary image', async () => {
    const overlay = { ...grid([1, 1], 'iovl'), data: Uint8Array.from([0, 0, ...new Array<number>(20).fill(0)]) };
    const decoded = await decode('heic', heic({ items: [codedItem(first.stream, tile, IDENTITY), overlay] }), options);
    expect(firstDifference(decoded.data, first.rgb)).toBeUndefined();
  });

  test('is decoded when its image data have no stated length', async () => {
    const items = [grid([2, 2, 2]), codedItem(first.stream, tile, IDENTITY)];
    const file = heic({ items });
    new DataView(file.buffer).setUint32(Buffer.from(file).indexOf('mdat') - 4, 0);
    const decoded = await decode('heic', file, options);
    expect([...decoded.data.subarray(64 * 3, 64 * 3 + 6)]).toEqual([...first.rgb.subarray(0, 6)]);
  });
});

describe('a HEIF file without a decoder is refused by name', () => {
  test.each([
    ['av01', 'an AV1 image (AVIF)'],
    ['jpeg', 'a JPEG image within HEIF'],
    ['xxxx', 'a HEIF item of type xxxx'],
  ])('an item of type %s', async (type, message) => {
    const { stream } = greyStream(8);
    const file = heic({ items: [{ ...codedItem(stream, size), type }] });
    await expect(probe('heic', memoryReader(file), options)).rejects.toThrow(`UNSUPPORTED_PIXELS: ${message}`);
  });

  test('with colours premultiplied by alpha', async () => {
    const { stream } = greyStream(8);
    const kind = fullBox('auxC', 0, [...ascii('urn:mpeg:hevc:2015:auxid:1'), 0]);
    const image = { ...codedItem(stream, size), references: [{ type: 'prem', to: [2] }] };
    const alpha = { ...codedItem(stream, size, kind), references: [{ type: 'auxl', to: [1] }] };
    const file = heic({ items: [image, alpha] });
    await expect(probe('heic', memoryReader(file), options)).rejects.toThrow('premultiplied');
  });

  test('and AVIF is not recognised as HEIC', () => {
    const { stream } = greyStream(8);
    expect(format.matches(heic({ items: [codedItem(stream, size)], brand: 'avif' }))).toBe(false);
  });
});

describe('a damaged HEIC file', () => {
  const { stream } = greyStream(8);
  const file = heic({ items: [codedItem(stream, size, BT601)] });

  test.each([0.05, 0.5, 0.99])('is TRUNCATED when cut at %f of its length', async (part) => {
    const cut = file.subarray(0, Math.floor(file.length * part));
    await expect(decode('heic', cut, options)).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('is CORRUPT_PIXELS when a slice is noise', async () => {
    const noise = { ...stream, data: Uint8Array.from([0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]) };
    const broken = heic({ items: [codedItem(noise, size)] });
    await expect(decode('heic', broken, options)).rejects.toMatchObject({ code: 'CORRUPT_PIXELS' });
  });

  test('is CORRUPT_PIXELS when the file is whole and its data end early', async () => {
    const short = { ...stream, data: stream.data.slice(0, 200) };
    const whole = heic({ items: [codedItem(short, size, BT601)] });
    await expect(decode('heic', whole, options)).rejects.toMatchObject({ code: 'CORRUPT_PIXELS' });
  });

  test('is TRUNCATED when the data of its image lie behind the end of the file', async () => {
    const cut = Uint8Array.from(file.subarray(0, file.length - 100));
    const view = new DataView(cut.buffer);
    // The box of the data seems to be whole.
    const at = Buffer.from(cut).indexOf('mdat') - 4;
    view.setUint32(at, view.getUint32(at) - 100);
    const end = `TRUNCATED: the image data end at byte ${file.length}, the file has ${cut.length}`;
    await expect(probe('heic', memoryReader(cut), options)).rejects.toThrow(end);
  });

  test('is refused when its stated size differs from that of the pixels', async () => {
    const lying = heic({ items: [codedItem(stream, { width: 4000, height: 3000 })] });
    await expect(decode('heic', lying, options)).rejects.toMatchObject({ name: 'RejectedImageError' });
  });

  test('is CORRUPT_HEADER without its primary item', async () => {
    const broken = Uint8Array.from(file);
    broken[Buffer.from(file).indexOf('pitm') + 9] = 9;
    await expect(decode('heic', broken, options)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
  });
});
