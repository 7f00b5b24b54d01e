import { describe, expect, test } from '@jest/globals';
import { Arena } from '../../src/imaging/arena.ts';
import { placeRaster, rasterBytes, rasterFromBytes, rasterIn } from '../../src/imaging/raster.ts';

describe('a raster', () => {
  test('of 8 bits has its bytes as samples', () => {
    const raster = rasterFromBytes({ width: 2, height: 1, bands: 3, bitDepth: 8 }, Uint8Array.from([1, 2, 3, 4, 5, 6]));
    expect(raster).toMatchObject({ width: 2, height: 1, bands: 3 });
    expect(Array.from(raster.data)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Array.from(rasterBytes(raster))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test.each([0, 1])('of 16 bits is read from bytes at any offset (%i)', (at) => {
    const bytes = new Uint8Array(5);
    new DataView(bytes.buffer).setUint16(at, 513, true);
    new DataView(bytes.buffer).setUint16(at + 2, 65_535, true);
    const raster = rasterFromBytes({ width: 2, height: 1, bands: 1, bitDepth: 16 }, bytes.subarray(at, at + 4));
    expect(Array.from(raster.data)).toEqual([513, 65_535]);
    expect(Array.from(rasterBytes(raster))).toEqual([1, 2, 255, 255]);
  });

  test.each([
    [11, 8],
    [13, 8],
    [0, 8],
    [12, 16],
    [23, 16],
  ])('cannot be made from %i bytes for 2 × 2 × 3 samples of %i bits', (bytes, bitDepth) => {
    const shape = { width: 2, height: 2, bands: 3, bitDepth };
    expect(() => rasterFromBytes(shape, new Uint8Array(bytes))).toThrow(RangeError);
  });

  test('in an arena has the number and the depth of samples of its shape', () => {
    const arena = new Arena();
    const grey = rasterIn(arena, { width: 2, height: 3, bands: 1, bitDepth: 8 }).data;
    const colour = rasterIn(arena, { width: 2, height: 3, bands: 3, bitDepth: 16 }).data;
    expect([grey.BYTES_PER_ELEMENT, grey.length]).toEqual([1, 6]);
    expect([colour.BYTES_PER_ELEMENT, colour.length]).toEqual([2, 18]);
  });

  test('receives a part at any position and keeps its other samples', () => {
    const whole = { width: 4, height: 3, bands: 1, data: new Uint8Array(12) };
    placeRaster(whole, { width: 2, height: 2, bands: 1, data: Uint8Array.from([1, 2, 3, 4]) }, 2, 1);
    placeRaster(whole, { width: 1, height: 1, bands: 1, data: Uint8Array.from([9]) }, 0, 0);
    expect(Array.from(whole.data)).toEqual([9, 0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4]);
  });

  test('receives a part of several bands with all samples of each pixel', () => {
    const whole = { width: 2, height: 2, bands: 3, data: new Uint16Array(12) };
    placeRaster(whole, { width: 1, height: 2, bands: 3, data: Uint16Array.from([1, 2, 3, 4, 5, 65_535]) }, 1, 0);
    expect(Array.from(whole.data)).toEqual([0, 0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 65_535]);
  });
});
