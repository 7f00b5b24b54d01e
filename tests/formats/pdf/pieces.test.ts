/** PDFs of which PDFium reads the parts that it needs. */
import { describe, expect, test } from '@jest/globals';
import { type SyncReader, syncMemoryReader } from '../../../src/bytes/sync-reader.ts';
import { memoryNeed, ONE_PIXEL } from '../../../src/formats/convert.ts';
import { withGrowableTable } from '../../../src/formats/pdf/growable-table.ts';
import { decodePdf, readPdfShape } from '../../../src/formats/pdf/pdfium.ts';
import { firstDifference } from '../../support/decoded-fixtures.ts';
import { pdf } from '../../support/pdf-fixtures.ts';
import { picture } from '../../support/pixels.ts';

const size = { width: 400, height: 300 };
const pictures = [1, 2, 3, 4].map((seed) => picture(size.width, size.height, 3, seed));
const content = `${size.width} 0 0 ${size.height} 0 0 cm /Picture Do`;
const document = pdf({ pages: pictures.map((rgb) => ({ ...size, content, picture: { ...size, rgb } })) });
const options = { dpi: 72, background: '#ffffff' };

/** A reader that counts the bytes that are read, and calls `before` at each read. */
function counted(before: () => void = () => undefined): SyncReader & { readonly bytesRead: () => number } {
  const reader = syncMemoryReader(document);
  let bytesRead = 0;
  return {
    size: reader.size,
    readInto(target, offset) {
      before();
      bytesRead += target.length;
      return reader.readInto(target, offset);
    },
    bytesRead: () => bytesRead,
  };
}

describe('a page of a PDF', () => {
  test('is rendered without reading the pictures of other pages', async () => {
    const reader = counted();
    const { data } = await decodePdf(reader, { ...options, page: 3 });
    expect(firstDifference(data, pictures[2] ?? [])).toBeUndefined();
    // Each of the four pictures has 360,000 bytes.
    expect(reader.bytesRead()).toBeLessThan(500_000);
  });

  test('has a size that is known without reading the pictures of other pages', async () => {
    const reader = counted();
    await expect(readPdfShape(reader, { dpi: 72, page: 2 })).resolves.toMatchObject({ ...size, pages: 4 });
    expect(reader.bytesRead()).toBeLessThan(500_000);
  });

  test('needs as much memory in a large document as in a small one', () => {
    const need = (bytes: number): number => memoryNeed('pdf', ONE_PIXEL, bytes).total;
    expect(need(2_000_000_000)).toBe(need(1_000));
  });

  test('that cannot be read ends with the error of the reader', async () => {
    let reads = 0;
    const broken = counted(() => {
      reads += 1;
      if (reads > 3) throw new Error('EIO: i/o error, read');
    });
    await expect(decodePdf(broken, options)).rejects.toThrow(/^EIO: i\/o error, read$/u);
  });
});

describe('a table of functions can be made growable', () => {
  const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  const types = [1, 4, 1, 0x60, 0, 0];

  test('where it has a maximum', () => {
    const module = [...header, ...types, 4, 5, 1, 0x70, 1, 3, 3];
    expect([...withGrowableTable(Uint8Array.from(module))]).toEqual([...module.slice(0, -1), 4]);
  });

  test.each([
    ['no maximum', [4, 4, 1, 0x70, 0, 3]],
    ['no table', []],
    ['a maximum whose next value is longer', [4, 5, 1, 0x70, 1, 3, 0x7f]],
  ])('and a module with %s is refused', (_, table) => {
    expect(() => withGrowableTable(Uint8Array.from([...header, ...types, ...table]))).toThrow('one table of functions');
  });
});
