import { describe, expect, test } from '@jest/globals';
import { decode, memoryNeed } from '../../src/formats/convert.ts';
import type { ConvertibleFormat } from '../../src/pyramid/source-image.ts';
import { codedItem, heic } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { j2k, jp2 } from '../support/jp2-fixtures.ts';
import { pdf } from '../support/pdf-fixtures.ts';

/** Three components of it exceed OpenJPEG's first 50 MB. */
const size = { width: 2560, height: 2048 };
const small = { width: 2048, height: 1536 };
const grey = new Uint8Array(small.width * small.height).fill(200);
const rgb = new Uint8Array(3 * size.width * size.height).fill(200);
const options = { dpi: 72, background: '#ffffff' };

const masters: Readonly<Record<'jp2' | 'heic' | 'pdf', () => Promise<Uint8Array>>> = {
  jp2: async () => jp2(await j2k({ ...size, bits: [8, 8, 8], samples: rgb }), { ...size, components: 3, colour: 16 }),
  heic: () =>
    Promise.resolve(
      heic({ items: [codedItem(encodeHevc({ ...small, chromaFormat: 0, bits: 8, planes: [grey] }), small)] }),
    ),
  // 48 MB of bitmap.
  pdf: () => Promise.resolve(pdf({ pages: [{ width: 4_000, height: 3_000, content: '' }] })),
};

describe.each(Object.entries(masters))('the memory of the decoder of a %s', (name, make) => {
  const format = name as ConvertibleFormat;

  test('is enough at its estimate, and the master is rejected as OVER_BUDGET when it may not grow', async () => {
    const file = await make();
    const shape = { jp2: size, heic: small, pdf: { width: 4_000, height: 3_000 } }[name] ?? size;
    const { heap } = memoryNeed(
      format,
      { ...shape, bands: format === 'heic' ? 1 : 3, alpha: false, bitDepth: 8 },
      file.length,
    );
    await expect(decode(format, file, { ...options, heap })).resolves.toMatchObject(shape);
    await expect(decode(format, file, { ...options, heap: 0 })).rejects.toThrow(
      /^OVER_BUDGET: \w+ needs more memory than it has$/u,
    );
  });
});
