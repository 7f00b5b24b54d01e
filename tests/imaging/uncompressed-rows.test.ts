import { expect, test } from '@jest/globals';
import { Arena } from '../../src/imaging/arena.ts';
import { identifyTiff } from '../../src/formats/tiff/header.ts';
import { memoryLimits } from '../../src/limits.ts';
import { rasterBytes } from '../../src/imaging/raster.ts';
import { pixelsOfSlices } from '../../src/imaging/source-pixels.ts';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { greyFields, handTiff, short, withFields } from '../support/tiff-bytes.ts';

test.each([
  ['unchanged', 1, [0x01, 0x80, 0x0f, 0xc0]],
  ['with the bits of each byte reversed', 2, [0x80, 0x01, 0xf0, 0x03]],
])('uncompressed rows are read %s (FillOrder %i)', async (_, fillOrder, expected) => {
  const data = Uint8Array.from([9, 9, 9, 9, 0x01, 0x80, 0x0f, 0xc0, 9, 9, 9, 9]);
  const fields = withFields(greyFields(4, 3, 8), short(266, fillOrder));
  const tiff = Buffer.from(handTiff({ data, directories: [fields] }));
  const readInto = (target: Uint8Array, offset: number): Promise<void> => {
    target.set(tiff.subarray(offset, offset + target.length));
    return Promise.resolve();
  };
  const { image } = await identifyTiff(memoryReader(tiff), { unspecifiedSamples: 'ignore' });
  const options = {
    background: '#ffffff',
    bitDepth: 8 as const,
    bands: 1 as const,
    timeoutSeconds: 60,
    memoryBudget: memoryLimits.standard.rendering,
    conversion: 'none' as const,
  };
  const pixels = await pixelsOfSlices({ ...memoryReader(tiff), readInto }, image, options);
  const row = await pixels.raster({ left: 0, top: 1, right: 4, bottom: 2 }, new Arena());
  expect([...rasterBytes(row)]).toEqual(expected);
});
