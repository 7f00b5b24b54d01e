import { RejectedImageError } from '../../errors.ts';
import { memoryReader } from '../../bytes/range-reader.ts';
import { type DecodedImage, samplesPerPixel } from '../decoded-image.ts';
import type { DecodeOptions } from '../format.ts';
import { assertWholeCodestream, type Codestream, isSubsampled } from './codestream.ts';
import { type Channel, type Jp2Header, readJp2Header } from './header.ts';
import { asTiffLab } from './lab.ts';
import { decodeComponents } from './openjpeg.ts';
import { newSamples, widenAll, yccToRgb } from '../samples.ts';

/**
 * Decodes a JP2, JPX or J2K file, all quality layers, at full size; reversible compression is
 * decoded exactly. Samples of fewer than 8 bits are widened to 8, of 9 to 15 bits to 16; sYCC is
 * converted to sRGB, subsampled components are repeated, colours multiplied by alpha are divided by
 * it; palettes are expanded. CMYK stays CMYK, and L*a*b* becomes that of TIFF. Throws
 * RejectedImageError.
 */
export async function decodeJp2(bytes: Uint8Array, { heap }: Pick<DecodeOptions, 'heap'>): Promise<DecodedImage> {
  const header = await readJp2Header(memoryReader(bytes));
  const { shape, codestream, iccProfile, resolution } = header;
  const stream = bytes.subarray(codestream.start, codestream.end);
  assertWholeCodestream(stream, codestream.tiles);
  return {
    ...shape,
    data: await decodeChannels(stream, header, heap),
    ...(iccProfile ? { iccProfile } : {}),
    ...(resolution ? { resolution } : {}),
  };
}

async function decodeChannels(
  stream: Uint8Array,
  header: Jp2Header,
  heap: number | undefined,
): Promise<DecodedImage['data']> {
  const { shape, colours, alpha } = header;
  const pixels = await decodeGroup(stream, header, colours, heap);
  const bits = colours[0]?.bits ?? 8;
  if (shape.isLab) {
    const lab = new Uint16Array(newSamples(pixels.length, 16).buffer);
    asTiffLab(pixels, bits, header.labRanges, lab);
    return lab;
  }
  if (header.isYcc) yccToRgb(pixels, bits);
  widenInto(pixels, colours);
  const isDone = !alpha && (pixels instanceof Uint8Array ? 8 : 16) === shape.bitDepth;
  if (isDone) return pixels;
  const whole = newSamples(shape.width * shape.height * samplesPerPixel(shape), shape.bitDepth);
  spread(pixels, colours.length, whole, samplesPerPixel(shape), 0);
  if (alpha) {
    const opacity = await decodeGroup(stream, header, [alpha], heap);
    widenInto(opacity, [alpha]);
    spread(opacity, 1, whole, samplesPerPixel(shape), shape.bands);
    if (header.isPremultiplied) divideByAlpha(whole, shape);
  }
  return whole;
}

function widenInto(samples: Uint8Array | Uint16Array, channels: readonly Channel[]): void {
  widenAll(samples, channels[0]?.bits ?? 8);
}

/**
 * Copies the samples of some bands into an interleaved image; 8-bit samples are widened for a
 * 16-bit image.
 */
function spread(
  from: Uint8Array | Uint16Array,
  bands: number,
  into: Uint8Array | Uint16Array,
  stride: number,
  first: number,
): void {
  const factor = from instanceof Uint8Array && into instanceof Uint16Array ? 257 : 1;
  for (let source = 0, target = first; source < from.length; source += bands, target += stride) {
    for (let band = 0; band < bands; band++) into[target + band] = (from[source + band] ?? 0) * factor;
  }
}

/** Decodes channels of equal precision, interleaved, and applies the palette where there is one. */
async function decodeGroup(
  stream: Uint8Array,
  { codestream, palette }: Jp2Header,
  channels: readonly Channel[],
  heap: number | undefined,
): Promise<Uint8Array | Uint16Array> {
  const [first] = channels;
  const isPalette = first?.column !== undefined;
  if (!isPalette) {
    const components = channels.map(({ component }) => component);
    const isWhole = components.every((component) => !isSubsampledAt(codestream, component));
    // The decoder returns one component or three.
    return isWhole && components.length < 4
      ? decodeComponents(stream, codestream, components, heap)
      : decodeEach(stream, codestream, components, heap);
  }
  const indexes = await decodeEach(stream, codestream, [first.component], heap);
  const columns = channels.map((channel) => palette?.columns[channel.column ?? 0] ?? new Uint16Array());
  const samples = newSamples(indexes.length * columns.length, first.bits > 8 ? 16 : 8);
  let at = 0;
  for (const index of indexes) {
    for (const column of columns) {
      const value = column[index];
      if (value === undefined) throw new RejectedImageError('CORRUPT_PIXELS', `the palette has no entry ${index}`);
      samples[at++] = value;
    }
  }
  return samples;
}

function isSubsampledAt({ components }: Codestream, index: number): boolean {
  const component = components[index];
  return component !== undefined && isSubsampled(component);
}

/** Decodes components one by one, each enlarged to the size of the image, interleaved. */
async function decodeEach(
  stream: Uint8Array,
  codestream: Codestream,
  components: readonly number[],
  heap: number | undefined,
): Promise<Uint8Array | Uint16Array> {
  const { width, height } = codestream;
  const isDeep = (codestream.components[components[0] ?? 0]?.bits ?? 8) > 8;
  const whole = newSamples(width * height * components.length, isDeep ? 16 : 8);
  for (const [band, component] of components.entries()) {
    const samples = await decodeComponents(stream, codestream, [component], heap);
    enlarge(samples, codestream, component, whole, { band, bands: components.length });
  }
  return whole;
}

/** Repeats the samples of a component for the pixels up to the next sample, as OpenJPEG does. */
function enlarge(
  samples: Uint8Array | Uint16Array,
  { width, height, left, top, components }: Codestream,
  index: number,
  whole: Uint8Array | Uint16Array,
  { band, bands }: { readonly band: number; readonly bands: number },
): void {
  const component = components[index];
  if (!component) return;
  const columns = Array.from({ length: width }, (_, x) => sampleAt(left, x, component.across, component.width));
  for (let y = 0, to = band; y < height; y++) {
    const row = sampleAt(top, y, component.down, component.height) * component.width;
    for (let x = 0; x < width; x++, to += bands) whole[to] = samples[row + (columns[x] ?? 0)] ?? 0;
  }
}

/** Position of the sample for a pixel; pixels before the first sample take that one. */
function sampleAt(start: number, pixel: number, distance: number, count: number): number {
  const at = Math.floor((start + pixel) / distance) - Math.ceil(start / distance);
  return Math.min(count - 1, Math.max(0, at));
}

/** Divides the colours of each pixel by its alpha, which is the last sample. */
function divideByAlpha(samples: Uint8Array | Uint16Array, { bands }: Pick<DecodedImage, 'bands'>): void {
  const top = samples instanceof Uint8Array ? 255 : 65_535;
  for (let at = 0; at < samples.length; at += bands + 1) {
    const alpha = samples[at + bands] ?? 0;
    for (let band = at; band < at + bands; band++) {
      samples[band] = alpha === 0 ? 0 : Math.min(top, Math.round(((samples[band] ?? 0) * top) / alpha));
    }
  }
}
