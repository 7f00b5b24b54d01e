import { deflateSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import {
  dublinCore,
  exifBlock,
  iptcRecord,
  photoshopResources,
  picture,
  pngChunk,
  pngWith,
  text,
} from '../../support/embedded.ts';

describe('the metadata of a PNG', () => {
  test('includes chunks after the pixels', async () => {
    const exif = exifBlock({ image: [text(315, 'Behind')] });
    const xmp = pngChunk('iTXt', 'XML:com.adobe.xmp\0\0\0\0\0', Buffer.from(dublinCore));
    const png = pngWith(await picture().png().toBuffer(), 'end', pngChunk('eXIf', exif), xmp);
    const metadata = await readEmbeddedMetadata(memoryReader(png), 'png');
    expect(metadata.exif).toEqual({ Artist: 'Behind' });
    expect(metadata.xmp?.fields['dc:rights']).toBe('Public domain');
  });

  test('includes texts only under the keywords of the specification', async () => {
    const png = pngWith(
      await picture().png().toBuffer(),
      'start',
      pngChunk('tEXt', 'Author\0', Buffer.from('Zoë', 'latin1')),
      pngChunk('zTXt', 'Description\0\0', deflateSync('Long ago')),
      pngChunk('iTXt', 'Copyright\0\x01\0de\0Rechte\0', deflateSync(Buffer.from('© Zoë'))),
      pngChunk('tEXt', 'exif:GPSLatitude\0', '51/1, 30/1, 0/1'),
    );
    const metadata = await readEmbeddedMetadata(memoryReader(png), 'png');
    expect(metadata.text).toEqual({ Author: 'Zoë', Description: 'Long ago', Copyright: '© Zoë' });
    expect(metadata.descriptive).toEqual({ artist: 'Zoë', imageDescription: 'Long ago', copyright: '© Zoë' });
    expect(JSON.stringify(metadata)).not.toContain('51/1');
  });

  test('includes IPTC that ImageMagick wrote as hex digits', async () => {
    const record = photoshopResources([0x0404, iptcRecord([2, 105, 'Headline here'])]);
    const hex = `\niptc\n      ${record.length}\n${record.toString('hex').replace(/.{72}/gu, '$&\n')}\n`;
    const chunk = pngChunk('zTXt', 'Raw profile type iptc\0\0', deflateSync(hex));
    const png = pngWith(await picture().png().toBuffer(), 'start', chunk);
    expect((await readEmbeddedMetadata(memoryReader(png), 'png')).iptc).toEqual({ Headline: 'Headline here' });
  });
});
