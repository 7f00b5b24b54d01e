import { syncMemoryReader } from '../../bytes/sync-reader.ts';
import { latin1 } from '../../bytes/views.ts';
import type { ConvertedFormat, Decoder } from '../format.ts';
import { heapBytes } from '../wasm-decoder.ts';
import { decodePdf, readPdfShape } from './pdfium.ts';

/** PDF (ISO 32000): the first page, rendered by PDFium. */
export const pdf = {
  kind: 'converted',
  name: 'pdf',
  title: 'PDF',
  // Up to 1,024 bytes of something else may precede the header (PDF 1.7, annex H.3.4.1); the prefix
  // covers half of that.
  matches: (prefix) => latin1(prefix).includes('%PDF-'),
  hasFloatingSignature: true,
} as const satisfies ConvertedFormat;

/** Renders with PDFium. */
export const pdfDecoder: Decoder = {
  async header(reader, options) {
    return readPdfShape(syncMemoryReader(await reader.read(0, reader.size)), options);
  },
  decode: (bytes, options) => decodePdf(syncMemoryReader(bytes), options),
  inPieces: { header: readPdfShape, decode: decodePdf },
  memory: ({ width, height }) => ({ heap: heapBytes(4 * width * height + PAGE_BYTES), rasterCopies: 1 }),
};

/**
 * What PDFium unpacks of a page: pictures, fonts and the display list. Nothing in the file states
 * its size; this is twice an A4 page scanned in colour at 600 dpi. A page that needs more is
 * decoded where memory allows, else rejected. Bytes.
 */
const PAGE_BYTES = 256 * 2 ** 20;
