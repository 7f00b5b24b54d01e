/** The boxes of a JP2 file that describe its codestream (ISO/IEC 15444-1, annex I). */
import { RejectedImageError } from '../../errors.ts';
import type { RangeReader } from '../../bytes/range-reader.ts';
import { type Box, readBoxes, readContent } from '../boxes.ts';
import { corrupt, textOf, unsupported, withinBytes } from '../header-bytes.ts';
import type { PixelDensity } from '../decoded-image.ts';

/** Box colr: an enumerated colour space, or a profile. */
export type ColourSpecification =
  | {
      readonly enumerated: number;
      /** Bytes after the number, which some colour spaces have. */
      readonly parameters: Uint8Array;
    }
  | { readonly profile: Uint8Array };

/**
 * The palette has a column for each channel; `columns[c][i]` is the value of entry `i` in column
 * `c`.
 */
export interface Palette {
  readonly bits: number;
  readonly columns: readonly Uint16Array[];
}

/** Box cmap: the component of a channel, and the palette column that it indexes, if any. */
export interface ChannelSource {
  readonly component: number;
  readonly column?: number;
}

/** Box cdef: the meaning of a channel. */
export interface ChannelMeaning {
  readonly channel: number;
  /** 0 colour, 1 opacity, 2 premultiplied opacity. */
  readonly type: number;
  /** 0 the whole image, else the number of the colour from 1. */
  readonly association: number;
}

export interface Jp2Boxes {
  readonly codestream: Box;
  readonly colour: ColourSpecification | undefined;
  readonly palette: Palette | undefined;
  readonly sources: readonly ChannelSource[] | undefined;
  readonly meanings: readonly ChannelMeaning[] | undefined;
  readonly resolution: PixelDensity | undefined;
}

/** Reads the boxes of a JP2 file. Throws RejectedImageError. */
export async function readJp2Boxes(reader: RangeReader): Promise<Jp2Boxes> {
  const boxes = await readBoxes(reader, 0, reader.size);
  const codestreams = boxes.filter(({ type }) => type === 'jp2c');
  const [codestream, ...others] = codestreams;
  if (!codestream) {
    if (boxes.some(({ type }) => type === 'ftbl')) throw unsupported('a JPX file whose codestream lies in fragments');
    throw new RejectedImageError('TRUNCATED', 'the file ends before its codestream');
  }
  if (others.length > 0) throw new RejectedImageError('MULTI_PAGE', `${codestreams.length} codestreams in one file`);
  const header = boxes.find(({ type }) => type === 'jp2h');
  if (!header) throw corrupt('Expected a JP2 header box', 'none');
  const described = await readBoxes(reader, header.start, header.end);
  const content = async (type: string): Promise<DataView | undefined> => {
    const box = described.find((candidate) => candidate.type === type);
    return box && readContent(reader, box, 1);
  };
  const [palette, sources, meanings] = await Promise.all(['pclr', 'cmap', 'cdef'].map(content));
  return {
    codestream,
    colour: await readColour(reader, described),
    palette: palette && withinBytes('the palette box', () => parsePalette(palette)),
    sources: sources && withinBytes('the component mapping box', () => parseSources(sources)),
    meanings: meanings && withinBytes('the channel definition box', () => parseMeanings(meanings)),
    resolution: await readResolution(reader, described),
  };
}

/**
 * Reads the first colour specification of a supported method; readers ignore the others (Annex
 * I.5.3.3).
 */
async function readColour(reader: RangeReader, boxes: readonly Box[]): Promise<ColourSpecification | undefined> {
  for (const box of boxes) {
    if (box.type !== 'colr') continue;
    const view = await readContent(reader, box, 3);
    const method = view.getUint8(0);
    if (method === 1 && view.byteLength >= ENUMERATED_BYTES) {
      const parameters = new Uint8Array(
        view.buffer,
        view.byteOffset + ENUMERATED_BYTES,
        view.byteLength - ENUMERATED_BYTES,
      );
      return { enumerated: view.getUint32(3), parameters: parameters.slice() };
    }
    const profile = new Uint8Array(view.buffer, view.byteOffset + 3, view.byteLength - 3);
    // Method 3 is any ICC profile, in JPX (ISO/IEC 15444-2, annex M.11.7.3).
    if (method === 2 || method === 3) return { profile: profile.slice() };
  }
  return undefined;
}

/** Method, precedence, approximation and the number of the colour space. */
const ENUMERATED_BYTES = 7;

function parsePalette(view: DataView): Palette {
  const entries = view.getUint16(0);
  const count = view.getUint8(2);
  const precisions = Array.from({ length: count }, (_, column) => view.getUint8(3 + column));
  const bits = ((precisions[0] ?? 0) & 0x7f) + 1;
  if (precisions.some((precision) => precision !== bits - 1) || bits > 16) {
    throw unsupported(`a palette of ${precisions.map((precision) => (precision & 0x7f) + 1).join(', ')} bits`);
  }
  const bytes = bits > 8 ? 2 : 1;
  const value = (at: number): number => (bytes === 2 ? view.getUint16(at) : view.getUint8(at));
  const columns = precisions.map((_, column) =>
    Uint16Array.from({ length: entries }, (__, entry) => value(3 + count + (entry * count + column) * bytes)),
  );
  return { bits, columns };
}

function parseSources(view: DataView): ChannelSource[] {
  return Array.from({ length: Math.floor(view.byteLength / 4) }, (_, channel) => {
    const component = view.getUint16(4 * channel);
    const isPalette = view.getUint8(4 * channel + 2) === 1;
    return isPalette ? { component, column: view.getUint8(4 * channel + 3) } : { component };
  });
}

function parseMeanings(view: DataView): ChannelMeaning[] {
  return Array.from({ length: view.getUint16(0) }, (_, index) => ({
    channel: view.getUint16(2 + 6 * index),
    type: view.getUint16(4 + 6 * index),
    association: view.getUint16(6 + 6 * index),
  }));
}

/**
 * Reads the capture resolution, else the display resolution; both are in pixels per metre (Annex
 * I.5.3.7).
 */
async function readResolution(reader: RangeReader, boxes: readonly Box[]): Promise<PixelDensity | undefined> {
  const parent = boxes.find(({ type }) => type === 'res ');
  if (!parent) return undefined;
  const inner = await readBoxes(reader, parent.start, parent.end);
  const box = inner.find(({ type }) => type === 'resc') ?? inner.find(({ type }) => type === 'resd');
  if (!box) return undefined;
  const view = await readContent(reader, box, 10);
  const perCentimetre = (at: number, exponentAt: number): number =>
    (view.getUint16(at) / view.getUint16(at + 2)) * 10 ** (view.getInt8(exponentAt) - 2);
  const x = perCentimetre(4, 9);
  const y = perCentimetre(0, 8);
  const isResolution = [x, y].every((value) => Number.isFinite(value) && value > 0);
  return isResolution ? { x, y, unit: 'centimetre' } : undefined;
}

/**
 * The colour space that an ICC profile maps from: bytes 16 to 19 of its header (ICC.1:2022, section
 * 7.2.6).
 */
export function profileColourSpace(profile: Uint8Array): string {
  return textOf(new DataView(profile.buffer, profile.byteOffset), 16);
}
