import { describe, expect, test } from '@jest/globals';
import { decode } from '../../src/formats/convert.ts';
import type { DecodedImage } from '../../src/formats/decoded-image.ts';
import { decoders } from '../../src/formats/decoders.ts';
import { decodeWithLibheif, type HeifModule } from '../../src/formats/heic/libheif.ts';
import { decodeWithOpenJpeg, type OpenJpegDecoder } from '../../src/formats/jp2/openjpeg.ts';
import { type PdfiumModule, renderPage } from '../../src/formats/pdf/pdfium.ts';

const [width, height] = [6, 4];

describe('a decoder that returns without having written its output is an error: libheif', () => {
  const INTERLEAVED = 10;
  const ALPHA = 6;
  const plane = (bytes: number, more: object = {}) => ({
    ...{ id: { value: INTERLEAVED }, width, height, stride: width * 8, bits_per_pixel: 10 },
    ...{ data: new Uint8Array(bytes), ...more },
  });
  const decodeTo = (...channels: object[]) => {
    const module = {
      heif_colorspace: { heif_colorspace_RGB: { value: 1 } },
      heif_channel: { heif_channel_interleaved: { value: INTERLEAVED } },
      heif_chroma: { heif_chroma_interleaved_RRGGBBAA_LE: { value: 15 } },
      heif_context_alloc: () => ({}),
      heif_context_read_from_memory: () => ({ code: { value: 0 } }),
      heif_js_context_get_primary_image_handle: () => ({}),
      heif_js_decode_image2: () => ({ channels }),
    } as unknown as HeifModule;
    return () => decodeWithLibheif(module, new Uint8Array(), { width, height, bits: 10, alpha: true });
  };

  test('a plane that is not interleaved is not taken for the pixels', () => {
    const alpha = plane(width * height * 8, { id: { value: ALPHA } });
    const pixels = plane(width * height * 8);
    expect(decodeTo(alpha, pixels)()).toBe(pixels);
    expect(decodeTo(alpha)).toThrow('CORRUPT_PIXELS: libheif returned no pixels');
  });

  test.each([
    ['of no bytes', plane(0)],
    ['of fewer bytes', plane(width * height * 8 - 1)],
    ['whose rows are too short', plane(width * height * 8, { stride: width * 6 })],
    ['of another depth', plane(width * height * 8, { bits_per_pixel: 8 })],
  ])('a plane %s', (_, pixels) => {
    expect(decodeTo(pixels)).toThrow(/^CORRUPT_PIXELS: libheif returned \d+ bytes of pixels$/u);
  });

  test('a plane of another size', () => {
    expect(decodeTo(plane(width * height * 8, { height: 3 }))).toThrow('CORRUPT_HEADER: Expected 6 × 4');
  });
});

describe('a decoder that returns without having written its output is an error: OpenJPEG', () => {
  const component = { bits: 8, signed: false, across: 1, down: 1, width, height };
  const size = { width, height, left: 0, top: 0, tiles: 1, components: [component] };
  const decodeTo = (bytes: number, frame: object = {}) => {
    const decoder: OpenJpegDecoder = {
      getEncodedBuffer: (length) => new Uint8Array(length),
      getDecodedBuffer: () => new Uint8ClampedArray(bytes),
      decodeSubResolution: () => undefined,
      getFrameInfo: () => ({ width, height, bitsPerSample: 8, componentCount: 1, ...frame }),
    };
    return () => decodeWithOpenJpeg(decoder, new Uint8Array(9), size, [0], []);
  };

  test('no bytes, or fewer than the picture has', () => {
    expect(decodeTo(width * height)()).toHaveLength(width * height);
    expect(decodeTo(0)).toThrow('CORRUPT_PIXELS: OpenJPEG returned 0 of 24 bytes of pixels');
    expect(decodeTo(23)).toThrow('CORRUPT_PIXELS: OpenJPEG returned 23 of 24 bytes of pixels');
  });

  test('a picture of no size', () => {
    expect(decodeTo(width * height, { width: 0, height: 0 })).toThrow('CORRUPT_PIXELS');
  });
});

describe('a decoder that returns without having written its output is an error: PDFium', () => {
  const OPAQUE = 255;
  /** A module whose memory holds something else at first, and which draws `pixels` of the page. */
  const render = (pixels: number) => {
    const memory = new Uint8Array(4 * width * height + 16).fill(7);
    const module = {
      HEAPU8: memory,
      wasmExports: { malloc: () => 16 },
      _FPDFBitmap_CreateEx: () => 1,
      _FPDFBitmap_FillRect: () => {
        for (let pixel = 0; pixel < pixels; pixel++) memory.set([0x5a, 0x5a, 0x5a, OPAQUE], 16 + 4 * pixel);
      },
      _FPDF_RenderPageBitmap: () => undefined,
    } as unknown as PdfiumModule;
    return () => renderPage(module, 1, { width, height }, '#5a5a5a');
  };

  test('no pixel of the page, or not the last one', () => {
    expect(render(width * height)()).toEqual(new Uint8Array(3 * width * height).fill(0x5a));
    expect(render(0)).toThrow('CORRUPT_PIXELS: PDFium did not draw the whole page');
    expect(render(width * height - 1)).toThrow('CORRUPT_PIXELS: PDFium did not draw the whole page');
  });
});

describe.each(['jp2', 'pdf', 'bmp', 'heic', 'gif'] as const)('a %s whose decoder returns', (format) => {
  const decodeTo = (image: DecodedImage): Promise<DecodedImage> =>
    decode(
      format,
      new Uint8Array(),
      { dpi: 72, background: '#ffffff' },
      { ...decoders, [format]: { ...decoders[format], decode: () => Promise.resolve(image) } },
    );
  const shape = { width, height, bands: 3, alpha: true, bitDepth: 8 } as const;

  test('every sample is accepted', async () => {
    const data = new Uint8Array(width * height * 4);
    await expect(decodeTo({ ...shape, data })).resolves.toMatchObject({ data });
  });

  test.each([
    ['nothing', new Uint8Array()],
    ['no alpha', new Uint8Array(width * height * 3)],
    ['samples of another depth', new Uint16Array(width * height * 4)],
  ])('%s is rejected', async (_, data) => {
    await expect(decodeTo({ ...shape, data })).rejects.toThrow(
      /^CORRUPT_PIXELS: its decoder returned \d+ of 96 bytes of samples$/u,
    );
  });
});
