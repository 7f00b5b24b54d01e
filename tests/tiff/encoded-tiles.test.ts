import { describe, expect, test } from '@jest/globals';
import { MalformedTiffError } from '../../src/errors.ts';
import { type EncodedTiles, takeTiles } from '../../src/tiff/encoded-tiles.ts';
import { pyramidFields } from '../../src/tiff/pyramid-fields.ts';
import { picture, pictureOf } from '../support/pixels.ts';
import { handTiff, long, short } from '../support/tiff-bytes.ts';

async function takeOnly(file: Buffer): Promise<EncodedTiles> {
  const [only, ...others] = await takeTiles(file);
  expect(others).toEqual([]);
  if (!only) throw new Error('Expected one level but received none');
  return only;
}

describe('takeTiles of a file written by libvips', () => {
  test('returns the pixels of each uncompressed tile, row by row', async () => {
    const file = await pictureOf(40, 20, 1)
      .tiff({ compression: 'none', tile: true, tileWidth: 16, tileHeight: 16 })
      .toBuffer();
    const { across, down, tiles, encoding } = await takeOnly(file);
    expect([across, down, tiles.map(({ length }) => length)]).toEqual([3, 2, [256, 256, 256, 256, 256, 256]]);
    const pixels = picture(40, 20, 1);
    const tile = tiles[4] ?? new Uint8Array();
    for (let y = 0; y < 4; y++) {
      expect(Array.from(tile.subarray(y * 16, y * 16 + 16))).toEqual(
        Array.from(pixels.subarray((16 + y) * 40 + 16, (16 + y) * 40 + 32)),
      );
    }
    expect(encoding).toMatchObject({
      compression: 1,
      photometric: 1,
      bitsPerSample: [8],
      sampleFormat: [1],
      extraSamples: [],
    });
    expect(encoding.jpegTables).toBeUndefined();
  });

  test('returns JPEG tiles with their shared tables', async () => {
    const file = await pictureOf(300, 200).tiff({ compression: 'jpeg', quality: 80, tile: true }).toBuffer();
    const { tiles, encoding } = await takeOnly(file);
    expect(tiles.map((tile) => Buffer.from(tile.subarray(0, 2)).toString('hex'))).toEqual(['ffd8', 'ffd8']);
    expect(encoding).toMatchObject({ compression: 7, photometric: 6, bitsPerSample: [8, 8, 8] });
    expect(encoding.jpegTables?.startsWith('/9j/')).toBe(true);
  });

  test('returns the tiles of a pyramid level by level', async () => {
    const levels = await takeTiles(
      await pictureOf(100, 70)
        .tiff({ compression: 'jpeg', tile: true, tileWidth: 32, tileHeight: 32, pyramid: true })
        .toBuffer(),
    );
    expect(levels.map(({ across, down, tiles }) => [across, down, tiles.length])).toEqual([
      [4, 3, 12],
      [2, 2, 4],
      [1, 1, 1],
    ]);
    expect(levels[2]?.encoding).toEqual(levels[0]?.encoding);
  });

  test('returns 16-bit deflate tiles with their predictor', async () => {
    const file = await pictureOf(100, 100, 1)
      .toColourspace('grey16')
      .tiff({ compression: 'deflate', tile: true })
      .toBuffer();
    expect((await takeOnly(file)).encoding).toMatchObject({ compression: 8, bitsPerSample: [16], predictor: 2 });
  });
});

test('takeTiles throws MalformedTiffError for strips, planar tiles and a file that is not a TIFF', async () => {
  await expect(takeTiles(await pictureOf(40, 20).tiff({ tile: false }).toBuffer())).rejects.toThrow(MalformedTiffError);
  const planar = [short(256, 16), short(257, 16), short(277, 3), short(284, 2), short(322, 16), short(323, 16)];
  const tables = [long(324, 8, 8, 8), long(325, 4, 4, 4)];
  await expect(
    takeTiles(handTiff({ data: new Uint8Array(16), directories: [[...planar, ...tables]] })),
  ).rejects.toThrow(MalformedTiffError);
  await expect(takeTiles(Buffer.from('not a TIFF at all'))).rejects.toThrow(MalformedTiffError);
});

describe('pyramidFields', () => {
  const encoding = {
    compression: 7,
    photometric: 6,
    bitsPerSample: [8, 8, 8],
    sampleFormat: [1, 1, 1],
    extraSamples: [],
  };
  const byTag = (...from: Parameters<typeof pyramidFields>) =>
    Object.fromEntries(pyramidFields(...from).map(({ tag, type, values }) => [tag, [type, ...Array.from(values)]]));

  test('returns the fields a decoder needs and marks smaller levels as reduced resolution', () => {
    expect(byTag(0, encoding, {})).toEqual({
      254: [4, 0],
      258: [3, 8, 8, 8],
      259: [3, 7],
      262: [3, 6],
      274: [3, 1],
      277: [3, 3],
      284: [3, 1],
      339: [3, 1, 1, 1],
      530: [3, 2, 2],
    });
    expect(byTag(3, encoding, {})[254]).toEqual([4, 1]);
  });

  test('states the default YCbCr subsampling, which libvips omits', () => {
    expect(byTag(0, encoding, {})[530]).toEqual([3, 2, 2]);
    expect(byTag(0, { ...encoding, photometric: 2 }, {})[530]).toBeUndefined();
  });

  test('returns JPEGTables, subsampling and ReferenceBlackWhite unchanged', () => {
    expect(
      byTag(
        0,
        { ...encoding, jpegTables: '/9j/2Q==', subsampling: [2, 2], referenceBlackWhite: [0, 255, 128, 255, 128, 255] },
        {},
      ),
    ).toMatchObject({
      347: [7, 0xff, 0xd8, 0xff, 0xd9],
      530: [3, 2, 2],
      532: [5, 0, 1, 255, 1, 128, 1, 255, 1, 128, 1, 255, 1],
    });
  });

  test('returns predictor and extra samples when present', () => {
    expect(
      byTag(0, { ...encoding, compression: 8, photometric: 2, predictor: 2, extraSamples: [2] }, {}),
    ).toMatchObject({
      317: [3, 2],
      338: [3, 2],
    });
  });

  test('returns the resolution and the profile of the master for every level', () => {
    const description = { resolution: { x: [600, 1], y: [1200, 2], unit: 3 }, iccProfile: 'AAEC' } as const;
    for (const level of [0, 2]) {
      expect(byTag(level, encoding, description)).toMatchObject({
        282: [5, 600, 1],
        283: [5, 1200, 2],
        296: [3, 3],
        34675: [7, 0, 1, 2],
      });
    }
  });
});
