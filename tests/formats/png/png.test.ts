import { crc32 } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { identifyBytes } from '../../support/decode-master.ts';
import { pictureOf } from '../../support/pixels.ts';

function chunk(type: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const bytes = Buffer.alloc(8 + named.length);
  bytes.writeUInt32BE(data.length);
  named.copy(bytes, 4);
  bytes.writeUInt32BE(crc32(named), 4 + named.length);
  return bytes;
}

/** Acts on a PNG of sharp: signature and IHDR are its first 33 bytes. */
function withChunk(png: Buffer, type: string, data: Uint8Array): Buffer {
  return Buffer.concat([png.subarray(0, 33), chunk(type, data), png.subarray(33)]);
}

describe('an animated PNG', () => {
  test('is refused like other animations', async () => {
    const png = await pictureOf(30, 20).png().toBuffer();
    const animated = withChunk(
      withChunk(png, 'acTL', Buffer.of(0, 0, 0, 3, 0, 0, 0, 0)),
      'tEXt',
      Buffer.alloc(300_000, 0x61),
    );
    await expect(identifyBytes(animated)).rejects.toThrow('MULTI_PAGE: an animation of 3 frames');
  });

  test('of one frame is a picture', async () => {
    const png = await pictureOf(30, 20).png().toBuffer();
    const { image } = await identifyBytes(withChunk(png, 'acTL', Buffer.of(0, 0, 0, 1, 0, 0, 0, 0)));
    expect(image).toMatchObject({ width: 30, height: 20 });
  });
});

describe('the header of a PNG', () => {
  test('that is damaged in a whole file is CORRUPT_HEADER, and TRUNCATED where the file ends', async () => {
    const png = await pictureOf(30, 20).png().toBuffer();
    const damaged = Buffer.from(png);
    // Colour type 7 does not exist.
    damaged[25] = 7;
    await expect(identifyBytes(damaged)).rejects.toMatchObject({ code: 'CORRUPT_HEADER' });
    await expect(identifyBytes(png.subarray(0, 30))).rejects.toMatchObject({ code: 'TRUNCATED' });
  });

  test('has a grey palette after long texts', async () => {
    const grey = await pictureOf(30, 20, 1).png({ palette: true, colours: 8, dither: 0 }).toBuffer();
    const { image } = await identifyBytes(withChunk(grey, 'tEXt', Buffer.alloc(300_000, 0x61)));
    expect(image).toMatchObject({ model: 'palette', bands: 1 });
  });
});
