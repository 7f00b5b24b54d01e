/** OpenJPEG as WebAssembly, which decodes components of a codestream. */
import { RejectedImageError } from '../../errors.ts';
import { type Codestream } from './codestream.ts';
import { boundedWasm, type BoundedWasm, loadPackage, runDecoder } from '../wasm-decoder.ts';

/** The class J2KDecoder of the module. */
export interface OpenJpegDecoder {
  /** Allocates memory of the module for the file; valid until the next allocation. */
  getEncodedBuffer(length: number): Uint8Array;
  /** A copy of the decoded samples. */
  getDecodedBuffer(): Uint8ClampedArray<ArrayBuffer>;
  /** `layers` 0 decodes all quality layers; `decode()` stops after the first. */
  decodeSubResolution(reductions: number, layers: number): void;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
}

type Factory = (options: {
  instantiateWasm: BoundedWasm['instantiateWasm'];
  print: (line: string) => void;
  printErr: (line: string) => void;
}) => Promise<{ J2KDecoder: new () => OpenJpegDecoder }>;

/**
 * Decodes one or three components of the same precision, interleaved, to 8-bit samples for up to 8
 * bits, else to 16-bit samples. A subsampled component is decoded alone, at its own size. Throws
 * RejectedImageError when the codestream is damaged.
 *
 * Each call creates its own module: WebAssembly memory never shrinks, and its state after a failure
 * is undefined.
 */
export async function decodeComponents(
  codestream: Uint8Array,
  size: Codestream,
  components: readonly number[],
  heap: number | undefined,
): Promise<Uint8Array | Uint16Array> {
  const messages: string[] = [];
  const note = (line: string): void => {
    if (line.startsWith('[ERROR]')) messages.push(line.slice('[ERROR]'.length).trim());
  };
  const createModule = loadPackage('@cornerstonejs/codec-openjpeg/decodewasmjs') as Factory;
  const wasm = await boundedWasm('@cornerstonejs/codec-openjpeg/decodewasm', heap);
  const { J2KDecoder } = await createModule({
    instantiateWasm: wasm.instantiateWasm,
    print: note,
    printErr: note,
  });
  // The decoder is not freed, because its module is discarded.
  return runDecoder('OpenJPEG', wasm, () =>
    decodeWithOpenJpeg(new J2KDecoder(), codestream, size, components, messages),
  );
}

/** `decodeComponents` with a decoder, which adds its errors to `messages`. */
export function decodeWithOpenJpeg(
  decoder: OpenJpegDecoder,
  codestream: Uint8Array,
  size: Codestream,
  components: readonly number[],
  messages: readonly string[],
): Uint8Array | Uint16Array {
  const isAll = components.length === size.components.length && components.every((component, at) => component === at);
  const [first] = components;
  const { width, height } = size.components[first ?? 0] ?? size;
  const header = isAll ? new Uint8Array() : selection(size, components);
  const input = decoder.getEncodedBuffer(header.length + codestream.length);
  input.set(header);
  input.set(codestream, header.length);
  decoder.decodeSubResolution(0, 0);
  const info = decoder.getFrameInfo();
  const isWhole = info.width === size.width && info.height === size.height;
  if (messages.length > 0 || !isWhole || info.componentCount !== components.length) throw broken(messages);
  const decoded = decoder.getDecodedBuffer();
  const bytesPerPixel = components.length * (info.bitsPerSample > 8 ? 2 : 1);
  const expected = size.width * size.height * bytesPerPixel;
  if (decoded.length !== expected) throw broken([`OpenJPEG returned ${decoded.length} of ${expected} bytes of pixels`]);
  // What it returns is as long as the image; the samples of a subsampled component are in front.
  return asSamples(decoded.subarray(0, width * height * bytesPerPixel), info.bitsPerSample);
}

function broken(messages: readonly string[]): RejectedImageError {
  // The tile-parts are all there, so that data which ends early is damaged.
  return new RejectedImageError('CORRUPT_PIXELS', messages.join('; ') || 'the JPEG 2000 decoder failed');
}

function asSamples(bytes: Uint8ClampedArray<ArrayBuffer>, bits: number): Uint8Array | Uint16Array {
  if (bits <= 8) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
}

/**
 * A JP2 header that selects components of a codestream by a component mapping of type "direct use"
 * (ISO/IEC 15444-1, annex I.5.3.5). The module returns images of one or three components only.
 */
function selection(size: Codestream, components: readonly number[]): Uint8Array {
  const bits = size.components[components[0] ?? 0]?.bits ?? 8;
  const zero = bits > 8 ? [0, 0] : [0];
  const header = [
    ...box('ihdr', [...long(size.height), ...long(size.width), ...short(size.components.length), 0xff, 7, 1, 0]),
    ...box(
      'bpcc',
      size.components.map((component) => component.bits - 1),
    ),
    ...box('colr', [1, 0, 0, ...long(components.length === 1 ? 17 : 16)]),
    ...box('pclr', [
      ...short(1),
      components.length,
      ...components.map(() => bits - 1),
      ...components.flatMap(() => zero),
    ]),
    ...box(
      'cmap',
      components.flatMap((component) => [...short(component), 0, 0]),
    ),
  ];
  return Uint8Array.from([
    ...box('jP  ', [0x0d, 0x0a, 0x87, 0x0a]),
    ...box('ftyp', [...ascii('jp2 '), ...long(0), ...ascii('jp2 ')]),
    ...box('jp2h', header),
    // A length of zero: to the end of the file.
    ...long(0),
    ...ascii('jp2c'),
  ]);
}

function box(type: string, content: readonly number[]): number[] {
  return [...long(content.length + 8), ...ascii(type), ...content];
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function long(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

function short(value: number): number[] {
  return [value >> 8, value & 0xff];
}
