/**
 * JPEG 2000 files of known samples. The available encoder accepts one component of up to 16 bits,
 * so each component of each tile is encoded separately and the packets are joined, in component
 * progression, into one codestream without a component transform (ISO/IEC 15444-1, annexes A and
 * B.12.1.5).
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

interface Encoder {
  getDecodedBuffer(info: object): Uint8Array;
  getEncodedBuffer(): Uint8Array;
  setQuality(lossless: boolean, layers: number): void;
  setCompressionRatio(layer: number, ratio: number): void;
  setProgressionOrder(order: number): void;
  setDecompositions(levels: number): void;
  encode(): void;
}
type EncoderModule = { J2KEncoder: new () => Encoder };

const COMPONENT_BY_COMPONENT = 4;
/** Tiles must be at least 2 to the power of this wide and high, and begin at multiples of it. */
const DECOMPOSITIONS = 3;

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Bits of each component. */
  readonly bits: readonly number[];
  /** Interleaved. */
  readonly samples: ArrayLike<number>;
  /**
   * Distance of the samples of each component, across and down; 1 if absent. Of the pixels, those at
   * multiples of it are encoded. Tiles are multiples of 8 times the distances.
   */
  readonly sampling?: readonly (readonly [number, number])[];
  /** A multiple of 8; without it one tile. Pixels. */
  readonly tile?: number;
  /** Compression ratio of each quality layer; the last may be 0, lossless. */
  readonly layers?: readonly number[];
}

/** One component, losslessly, by OpenJPEG. */
async function encodeComponent(
  samples: Uint16Array,
  size: { width: number; height: number; bits: number },
  layers: readonly number[],
): Promise<Uint8Array> {
  const { width, height, bits } = size;
  const create = require('@cornerstonejs/codec-openjpeg/wasmjs') as (options: object) => Promise<EncoderModule>;
  const { J2KEncoder } = await create({ print: () => undefined, printErr: () => undefined });
  const encoder = new J2KEncoder();
  const info = { width, height, bitsPerSample: bits, componentCount: 1, isSigned: false };
  const input = encoder.getDecodedBuffer(info);
  input.set(bits > 8 ? new Uint8Array(samples.buffer) : Uint8Array.from(samples));
  encoder.setQuality(true, layers.length);
  for (const [layer, ratio] of layers.entries()) encoder.setCompressionRatio(layer, ratio);
  encoder.setProgressionOrder(COMPONENT_BY_COMPONENT);
  encoder.setDecompositions(DECOMPOSITIONS);
  encoder.encode();
  return Uint8Array.from(encoder.getEncodedBuffer());
}

interface Parts {
  readonly coding: Uint8Array;
  readonly quantization: Uint8Array;
  readonly data: Uint8Array;
}

/** COD, the content of QCD, and the packets of a codestream of one tile-part. */
function partsOf(codestream: Uint8Array): Parts {
  const view = new DataView(codestream.buffer, codestream.byteOffset);
  const segments = new Map<number, Uint8Array>();
  let at = 2;
  while (view.getUint16(at) !== 0xff93) {
    const length = view.getUint16(at + 2);
    segments.set(view.getUint16(at), codestream.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  const coding = segments.get(0xff52);
  const quantization = segments.get(0xff5c);
  if (!coding || !quantization) throw new Error('Expected COD and QCD');
  return { coding, quantization, data: codestream.subarray(at + 2, codestream.length - 2) };
}

/** A bare codestream. */
export async function j2k(picture: Picture): Promise<Uint8Array> {
  const { width, height, bits, tile = Math.max(width, height), layers = [0] } = picture;
  const tiles: Parts[][] = [];
  for (let top = 0; top < height; top += tile) {
    for (let left = 0; left < width; left += tile) {
      const rect = { left, top, width: Math.min(tile, width - left), height: Math.min(tile, height - top) };
      const encoded = bits.map(async (depth, component) =>
        partsOf(
          await encodeComponent(
            crop(picture, rect, component),
            { ...sizeOf(picture, rect, component), bits: depth },
            layers,
          ),
        ),
      );
      tiles.push(await Promise.all(encoded));
    }
  }
  const [first] = tiles;
  if (!first?.[0]) throw new Error('Expected a tile');
  const size = [
    ...[...short(0), ...long(width), ...long(height), ...long(0), ...long(0)],
    ...[...long(tile), ...long(tile), ...long(0), ...long(0), ...short(bits.length)],
    ...bits.flatMap((depth, component) => [depth - 1, ...samplingOf(picture, component)]),
  ];
  const head = [
    ...[0xff, 0x4f, ...segment(0xff51, size), ...segment(0xff52, first[0].coding)],
    ...segment(0xff5c, first[0].quantization),
    ...first.slice(1).flatMap(({ quantization }, index) => segment(0xff5d, [index + 1, ...quantization])),
  ];
  const parts = tiles.map((components, index) => {
    const data = Buffer.concat(components.map((component) => component.data));
    const start = segment(0xff90, [...short(index), ...long(14 + data.length), 0, 1]);
    return Buffer.concat([Uint8Array.from([...start, 0xff, 0x93]), data]);
  });
  return Uint8Array.from(Buffer.concat([Uint8Array.from(head), ...parts, Uint8Array.of(0xff, 0xd9)]));
}

function crop(
  picture: Picture,
  rect: { left: number; top: number; width: number; height: number },
  component: number,
): Uint16Array {
  const { width, bits, samples } = picture;
  const [across, down] = samplingOf(picture, component);
  const size = sizeOf(picture, rect, component);
  return Uint16Array.from({ length: size.width * size.height }, (_, index) => {
    const x = rect.left + across * (index % size.width);
    const y = rect.top + down * Math.floor(index / size.width);
    return samples[(y * width + x) * bits.length + component] ?? 0;
  });
}

function samplingOf({ sampling }: Picture, component: number): readonly [number, number] {
  return sampling?.[component] ?? [1, 1];
}

/** Size of a component of a tile that begins at a multiple of the distances. */
function sizeOf(
  picture: Picture,
  { width, height }: { width: number; height: number },
  component: number,
): { width: number; height: number } {
  const [across, down] = samplingOf(picture, component);
  return { width: Math.ceil(width / across), height: Math.ceil(height / down) };
}

export interface Jp2Wrapping {
  readonly width: number;
  readonly height: number;
  readonly components: number;
  /** EnumCS, or an ICC profile. */
  readonly colour: number | Uint8Array;
  /** Numbers of 32 bits after EnumCS. */
  readonly parameters?: readonly number[];
  /** Further boxes of the header. */
  readonly boxes?: readonly Uint8Array[];
}

/** A JP2 file around a codestream. */
export function jp2(codestream: Uint8Array, wrapping: Jp2Wrapping): Uint8Array {
  const { width, height, components, colour } = wrapping;
  const parameters = (wrapping.parameters ?? []).flatMap(long);
  const specification = typeof colour === 'number' ? [1, 0, 0, ...long(colour), ...parameters] : [2, 0, 0, ...colour];
  return Uint8Array.from(
    Buffer.concat([
      box('jP  ', [0x0d, 0x0a, 0x87, 0x0a]),
      box('ftyp', [...ascii('jp2 '), ...long(0), ...ascii('jp2 ')]),
      box(
        'jp2h',
        Buffer.concat([
          box('ihdr', [...long(height), ...long(width), ...short(components), 7, 7, 0, 0]),
          box('colr', specification),
          ...(wrapping.boxes ?? []),
        ]),
      ),
      box('jp2c', codestream),
    ]),
  );
}

/** Cdef: channel, type, association of each. */
export function channelDefinitions(...meanings: readonly (readonly [number, number, number])[]): Uint8Array {
  return box('cdef', [...short(meanings.length), ...meanings.flatMap((meaning) => meaning.flatMap(short))]);
}

/** Pclr and cmap of 8-bit entries seen through component 0. */
export function palette(...entries: readonly (readonly number[])[]): Uint8Array[] {
  const columns = entries[0]?.length ?? 0;
  const depths = Array.from({ length: columns }, () => 7);
  const mapping = Array.from({ length: columns }, (_, column) => [0, 0, 1, column]);
  return [box('pclr', [...short(entries.length), columns, ...depths, ...entries.flat()]), box('cmap', mapping.flat())];
}

/** Pixels a metre, as numerator, denominator and exponent, of capture. */
export function captureResolution(
  y: readonly [number, number, number],
  x: readonly [number, number, number],
): Uint8Array {
  const fraction = ([numerator, denominator]: readonly number[]): number[] => [
    ...short(numerator ?? 0),
    ...short(denominator ?? 1),
  ];
  return box('res ', box('resc', [...fraction(y), ...fraction(x), y[2], x[2]]));
}

export function box(type: string, content: ArrayLike<number>): Uint8Array {
  return Uint8Array.from([...long(content.length + 8), ...ascii(type), ...Array.from(content)]);
}

function segment(marker: number, content: ArrayLike<number>): number[] {
  return [...short(marker), ...short(content.length + 2), ...Array.from(content)];
}

export function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

export function long(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

export function short(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff];
}

/** A profile that contains only its input colour space. */
export function profileFor(space: string): Uint8Array {
  const profile = new Uint8Array(132);
  profile.set(long(132), 0);
  profile.set(ascii(space), 16);
  profile.set(ascii('acsp'), 36);
  return profile;
}
