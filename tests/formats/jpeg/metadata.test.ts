import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { memoryReader } from '../../../src/bytes/range-reader.ts';
import { readEmbeddedMetadata } from '../../../src/formats/read-metadata.ts';
import {
  extendedXmpSegments,
  iptcRecord,
  jpegSegment,
  jpegWith,
  photoshopResources,
  xmpPacket,
} from '../../support/embedded.ts';

const picture = (): ReturnType<typeof sharp> =>
  sharp({ create: { width: 24, height: 16, channels: 3, background: '#806040' } });

describe('the metadata of a JPEG', () => {
  test('includes IPTC split over two segments, as Latin-1 unless it declares UTF-8', async () => {
    const record = iptcRecord([2, 120, Buffer.from('Café', 'latin1')], [2, 80, 'Ada'], [2, 90, 'Zürich']);
    const resources = photoshopResources([0x0425, new Uint8Array(16)], [0x0404, record]);
    const jpeg = jpegWith(
      await picture().jpeg().toBuffer(),
      jpegSegment(0xed, 'Photoshop 3.0\0', resources.subarray(0, 40)),
      jpegSegment(0xed, 'Photoshop 3.0\0', resources.subarray(40)),
    );
    const { iptc, descriptive } = await readEmbeddedMetadata(memoryReader(jpeg), 'jpeg');
    expect(iptc).toEqual({ Caption: 'Café', Byline: 'Ada', City: 'Zürich' });
    expect(descriptive).toEqual({ imageDescription: 'Café', artist: 'Ada', iptc: record.toString('base64') });
  });

  test('includes an extended XMP packet unless its digest differs', async () => {
    const extension = Buffer.from(
      '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
        '<rdf:Description xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:Headline="Far away"/>' +
        '</rdf:RDF></x:xmpmeta>',
    );
    const digest = createHash('md5').update(extension).digest('hex').toUpperCase();
    const main = xmpPacket('', `xmpNote:HasExtendedXMP="${digest}" photoshop:Credit="Near"`);
    const read = async (named: string, content: Uint8Array) => {
      const bytes = jpegWith(
        await picture().jpeg().toBuffer(),
        jpegSegment(0xe1, 'http://ns.adobe.com/xap/1.0/\0', Buffer.from(main)),
        ...extendedXmpSegments(named, content, 100),
      );
      return readEmbeddedMetadata(memoryReader(bytes), 'jpeg');
    };
    const whole = await read(digest, extension);
    expect(whole.xmp?.fields).toEqual({ 'photoshop:Headline': 'Far away', 'photoshop:Credit': 'Near' });
    expect(whole.xmp?.packet).not.toContain(digest);
    const altered = await read(digest, Buffer.from(extension.toString().replace('away', 'AWAY')));
    expect(altered.xmp?.fields).toEqual({ 'photoshop:Credit': 'Near' });
    expect(altered.warnings).toEqual([
      'extended XMP: Expected the MD5 that the packet references for the extended XMP but received another',
    ]);
  });
});
