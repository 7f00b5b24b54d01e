import type { RangeReader } from '../bytes/range-reader.ts';
import { pagedReader } from '../bytes/range-reader.ts';
import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { assertWholeBmp, readBmpHeader } from './bmp/header.ts';
import type { ImageShape } from './decoded-image.ts';
import { readGifShape } from './gif/gif.ts';
import { readHeicHeader } from './heic/header.ts';
import { readJp2Header } from './jp2/header.ts';
import { readPdfShape } from './pdf/pdf.ts';

/**
 * The size and the samples that a master will decode to, from its header: a few ranged reads, nothing decoded. Only a PDF
 * is read whole; `dpi` is for it. Throws RejectedImageError.
 */
export async function probe(
  format: ConvertibleFormat,
  reader: RangeReader,
  { dpi }: { dpi: number },
): Promise<ImageShape> {
  const paged = pagedReader(reader, 4_096);
  switch (format) {
    case 'jp2':
      return (await readJp2Header(paged)).shape;
    case 'heic':
      return (await readHeicHeader(paged)).shape;
    case 'gif':
      return readGifShape(paged);
    case 'bmp': {
      const header = await readBmpHeader(paged);
      assertWholeBmp(header, reader.size);
      return header.shape;
    }
    case 'pdf':
      return (await readPdfShape(reader, dpi)).shape;
  }
}
