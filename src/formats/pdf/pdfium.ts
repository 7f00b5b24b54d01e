/** PDFium as WebAssembly: a page of a PDF, rendered. */
import { RejectedImageError } from '../../errors.ts';
import type { SyncReader } from '../../bytes/sync-reader.ts';
import { latin1 } from '../../bytes/views.ts';
import type { DecodedImage, ImageShape } from '../decoded-image.ts';
import type { DecodeOptions } from '../format.ts';
import { corrupt } from '../header-bytes.ts';
import { boundedWasm, type BoundedWasm, loadPackage, runDecoder } from '../wasm-decoder.ts';
import { newBytes } from '../samples.ts';
import { withGrowableTable } from './growable-table.ts';
import { type FileAccess, fileAccess, type PdfiumMemory } from './file-access.ts';

/** PDFium's C functions (public/fpdfview.h); handles and addresses are numbers. */
export interface PdfiumModule extends PdfiumMemory {
  _FPDF_InitLibraryWithConfig(config: object): void;
  _FPDF_LoadCustomDocument(fileAccess: number, password: number): number;
  _FPDF_GetLastError(): number;
  _FPDF_GetPageCount(document: number): number;
  _FPDF_LoadPage(document: number, index: number): number;
  _FPDF_GetPageWidth(page: number): number;
  _FPDF_GetPageHeight(page: number): number;
  _FPDFBitmap_CreateEx(width: number, height: number, format: number, address: number, stride: number): number;
  _FPDFBitmap_FillRect(bitmap: number, left: number, top: number, width: number, height: number, argb: number): void;
  _FPDFBitmap_Destroy(bitmap: number): void;
  _FPDF_RenderPageBitmap(
    bitmap: number,
    page: number,
    left: number,
    top: number,
    width: number,
    height: number,
    rotation: number,
    flags: number,
  ): void;
}

interface PdfiumPackage {
  PDFiumLibrary: { init(options: Pick<BoundedWasm, 'instantiateWasm'>): Promise<{ module: PdfiumModule }> };
}

const BGRX = 3;
const DRAW_ANNOTATIONS = 0x01;
const NEEDS_PASSWORD = 4;
const UNKNOWN_SECURITY = 5;
const POINTS_PER_INCH = 72;
/**
 * The end marker must be within this distance of the end of the file, because some mailers and
 * scanners append data. Bytes.
 */
const END_WITHIN_BYTES = 4_096;

/**
 * The size of a page at `dpi`, its rotation applied, and the number of pages if there are several.
 * Throws RejectedImageError.
 */
export function readPdfShape(
  reader: SyncReader,
  { dpi, page = 1 }: Pick<DecodeOptions, 'dpi' | 'page'>,
): Promise<ImageShape> {
  return withDocument(reader, undefined, (module, document) => {
    const pages = module._FPDF_GetPageCount(document);
    return { ...pageShape(module, openPage(module, document, page), dpi), ...(pages > 1 ? { pages } : {}) };
  });
}

/**
 * Renders a page as 8-bit RGB, annotations and filled forms included, its rotation applied.
 * Throws RejectedImageError: UNSUPPORTED_PIXELS when a password is needed, TRUNCATED without an end
 * marker, CORRUPT_HEADER without a page.
 */
export function decodePdf(
  reader: SyncReader,
  { dpi, background, page: number = 1, heap }: DecodeOptions,
): Promise<DecodedImage> {
  return withDocument(reader, heap, (module, document): DecodedImage => {
    const page = openPage(module, document, number);
    const shape = pageShape(module, page, dpi);
    return {
      ...shape,
      data: renderPage(module, page, shape, background),
      resolution: { x: dpi, y: dpi, unit: 'inch' },
    };
  });
}

/** Bytes of a pixel that nothing has been drawn on; drawing sets the fourth byte to 255 or 0. */
const UNDRAWN = [0x5a, 0x5a, 0x5a, 0x5a] as const;

/**
 * Renders the page in one piece: PDFium positions skewed pictures and thin lines differently in
 * parts of a page. Throws RejectedImageError when PDFium leaves pixels undrawn.
 */
export function renderPage(
  module: PdfiumModule,
  page: number,
  { width, height }: Pick<ImageShape, 'width' | 'height'>,
  background: string,
): Uint8Array {
  const address = allocate(module, 4 * width * height);
  module.HEAPU8.fill(UNDRAWN[0], address, address + 4 * width * height);
  const bitmap = module._FPDFBitmap_CreateEx(width, height, BGRX, address, 4 * width);
  if (bitmap === 0) throw new RejectedImageError('OVER_BUDGET', `PDFium has no bitmap of ${width} × ${height}`);
  const argb = (0xff000000 | Number.parseInt(background.slice(1), 16)) >>> 0;
  module._FPDFBitmap_FillRect(bitmap, 0, 0, width, height, argb);
  module._FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, DRAW_ANNOTATIONS);
  const data = newBytes(width * height * 3);
  copyBgrx(module.HEAPU8.subarray(address, address + 4 * width * height), data);
  return data;
}

function copyBgrx(from: Uint8Array, into: Uint8Array): void {
  for (let source = 0, target = 0; source < from.length; source += 4, target += 3) {
    if (from[source + 3] === UNDRAWN[3] && UNDRAWN.every((byte, at) => from[source + at] === byte)) {
      throw new RejectedImageError('CORRUPT_PIXELS', 'PDFium did not draw the whole page');
    }
    into[target] = from[source + 2] ?? 0;
    into[target + 1] = from[source + 1] ?? 0;
    into[target + 2] = from[source] ?? 0;
  }
}

/**
 * Opens a document, of which PDFium reads what it needs, in a module of its own. The module is not
 * reused, because its memory never shrinks. Throws RejectedImageError, and errors of the reader.
 */
async function withDocument<Result>(
  reader: SyncReader,
  heap: number | undefined,
  use: (module: PdfiumModule, document: number) => Result,
): Promise<Result> {
  assertEnd(reader);
  const { PDFiumLibrary } = loadPackage('@hyzyla/pdfium') as PdfiumPackage;
  const wasm = await boundedWasm('@hyzyla/pdfium/pdfium.wasm', heap, withGrowableTable);
  const { module } = await PDFiumLibrary.init({ instantiateWasm: wasm.instantiateWasm });
  const access = fileAccess(module, reader);
  try {
    const result = runDecoder('PDFium', wasm, () => use(module, openDocument(module, access)));
    access.assertRead();
    return result;
  } catch (error) {
    access.assertRead();
    throw error;
  }
}

/** The handle of a document. */
function openDocument(module: PdfiumModule, { address }: FileAccess): number {
  const document = module._FPDF_LoadCustomDocument(address, 0);
  if (document === 0) throw loadFailure(module._FPDF_GetLastError());
  return document;
}

/** The handle of a page, counted from 1. */
function openPage(module: PdfiumModule, document: number, number: number): number {
  const pages = module._FPDF_GetPageCount(document);
  if (pages < number)
    throw corrupt(`Expected a PDF of at least ${number === 1 ? 'one page' : `${number} pages`}`, pages || 'none');
  const page = module._FPDF_LoadPage(document, number - 1);
  if (page === 0) throw new RejectedImageError('CORRUPT_PIXELS', `page ${number} of the PDF cannot be read`);
  return page;
}

/**
 * Requires the end marker (annex H.3.4.4): PDFium repairs a file cut short, and its pages may then
 * be blank.
 */
function assertEnd(reader: SyncReader): void {
  const start = Math.max(0, reader.size - END_WITHIN_BYTES);
  const tail = new Uint8Array(reader.size - start);
  reader.readInto(tail, start);
  if (!latin1(tail).includes('%%EOF')) throw new RejectedImageError('TRUNCATED', 'the PDF ends without its end marker');
}

function loadFailure(code: number): RejectedImageError {
  if (code === NEEDS_PASSWORD) {
    return new RejectedImageError('UNSUPPORTED_PIXELS', 'the PDF is encrypted and needs a password; send it without');
  }
  if (code === UNKNOWN_SECURITY) {
    return new RejectedImageError('UNSUPPORTED_PIXELS', 'the PDF is encrypted in a way that has no decoder here');
  }
  return new RejectedImageError('CORRUPT_HEADER', `PDFium cannot read the document (error ${code})`);
}

function allocate(module: PdfiumModule, bytes: number): number {
  const address = module.wasmExports.malloc(bytes);
  if (address === 0) throw new RejectedImageError('OVER_BUDGET', `PDFium has no ${bytes} bytes of memory left`);
  return address;
}

function pageShape(module: PdfiumModule, page: number, dpi: number): ImageShape {
  const pixels = (points: number): number => Math.max(1, Math.round((points / POINTS_PER_INCH) * dpi));
  const width = pixels(module._FPDF_GetPageWidth(page));
  const height = pixels(module._FPDF_GetPageHeight(page));
  return { width, height, bands: 3, alpha: false, bitDepth: 8 };
}
