/** The colour model, the colour channels and the alpha channel of a JPEG 2000 image. */
import { type RangeReader } from '../../bytes/range-reader.ts';
import { usableProfile } from '../../metadata/icc.ts';
import { corrupt, unsupported } from '../header-bytes.ts';
import type { ImageShape, PixelDensity } from '../decoded-image.ts';
import { type ChannelSource, type ColourSpecification, type Jp2Boxes, type Palette } from './jp2-boxes.ts';
import { profileColourSpace, readJp2Boxes } from './jp2-boxes.ts';
import { type Codestream, isSubsampled, readCodestream } from './codestream.ts';
import { type LabRanges, parseLabRanges } from './lab.ts';

/**
 * A channel of the image: a component of the codestream, or a palette column indexed by a
 * component.
 */
export interface Channel extends ChannelSource {
  /** Bits a sample, after the palette. */
  readonly bits: number;
}

export interface Jp2Header {
  readonly shape: ImageShape;
  readonly codestream: Codestream & { readonly start: number; readonly end: number };
  /** In their order: one of grey, three of RGB or L*a*b*, four of CMYK. */
  readonly colours: readonly Channel[];
  readonly alpha: Channel | undefined;
  /** The colours are multiplied by alpha. */
  readonly isPremultiplied: boolean;
  readonly palette: Palette | undefined;
  /** The colours are luma and chroma. */
  readonly isYcc: boolean;
  /** Of L*a*b*, the ranges that the file states. */
  readonly labRanges: LabRanges | undefined;
  readonly iccProfile: Uint8Array | undefined;
  readonly resolution: PixelDensity | undefined;
}

/**
 * Reads the header of a JP2 file or of a bare codestream: a few ranged reads. Throws
 * RejectedImageError, naming what cannot be decoded: signed components, more than 16 bits, and
 * colour models other than grey, RGB, sYCC, CMYK and L*a*b*.
 */
export async function readJp2Header(reader: RangeReader): Promise<Jp2Header> {
  const magic = await reader.read(0, 2);
  const isBare = magic[0] === 0xff && magic[1] === 0x4f;
  const boxes = isBare ? undefined : await readJp2Boxes(reader);
  const start = boxes?.codestream.start ?? 0;
  const codestream = await readCodestream(reader, start);
  const colour = usableColour(boxes?.colour);
  const model = colourModel(colour, codestream, isBare);
  const channels = allChannels(codestream, boxes);
  const { colours, alpha, isPremultiplied, isUnassigned } = assign(channels, boxes, model.bands);
  const bits = commonBits(colours);
  const bitDepth = Math.max(bits, alpha?.bits ?? 0) > 8 || model.isLab ? 16 : 8;
  if (alpha && model.isLab) throw unsupported('alpha beside CIE L*a*b*');
  if (alpha && model.bands === 4 && bitDepth === 16) throw unsupported('alpha beside CMYK of 16 bits');
  const { width, height } = codestream;
  const warnings = [
    ...(isUnassigned ? ['the channels state no colours; they are taken in their order'] : []),
    ...(model.warning === undefined ? [] : [model.warning]),
  ];
  return {
    shape: {
      ...{ width, height, bands: model.bands, alpha: alpha !== undefined, bitDepth },
      ...(model.isLab ? { isLab: true } : {}),
      ...(warnings.length > 0 ? { warnings } : {}),
    },
    codestream: { ...codestream, start, end: boxes?.codestream.end ?? reader.size },
    colours,
    alpha,
    isPremultiplied,
    palette: boxes?.palette,
    isYcc: model.isYcc === true,
    labRanges: model.isLab && colour && 'enumerated' in colour ? parseLabRanges(colour.parameters) : undefined,
    iccProfile: colour && 'profile' in colour ? colour.profile : undefined,
    resolution: boxes?.resolution,
  };
}

/** A profile that cannot be used is no colour specification. */
function usableColour(colour: ColourSpecification | undefined): ColourSpecification | undefined {
  if (!colour || 'enumerated' in colour) return colour;
  const profile = usableProfile(colour.profile);
  return profile && { profile };
}

interface ColourModel {
  readonly bands: 1 | 3 | 4;
  readonly isYcc?: boolean;
  readonly isLab?: true;
  readonly warning?: string;
}

/** OpenJPEG converts both by the same matrix. */
const AS_SYCC = 'its e-sYCC is converted as sYCC; colours beyond sRGB are clipped';

/** EnumCS (ISO/IEC 15444-1, table I.10, and 15444-2, table M.25). */
const enumerated: Readonly<Record<number, ColourModel | string>> = {
  0: 'a bi-level image whose zero is white',
  11: 'the colour model is PhotoYCC',
  12: { bands: 4 },
  13: 'the colour model is YCCK',
  14: { bands: 3, isLab: true },
  16: { bands: 3 },
  17: { bands: 1 },
  18: { bands: 3, isYcc: true },
  19: 'the colour model is CIE JAB',
  20: 'the colour model is e-sRGB',
  21: 'the colour model is ROMM RGB without its profile',
  24: { bands: 3, isYcc: true, warning: AS_SYCC },
};

const profiled: Readonly<Record<string, ColourModel | string>> = {
  'RGB ': { bands: 3 },
  GRAY: { bands: 1 },
  CMYK: { bands: 4 },
  'Lab ': 'the colour model is that of an ICC profile of CIE L*a*b*',
};

function colourModel(
  colour: ColourSpecification | undefined,
  { components }: Codestream,
  isBare: boolean,
): ColourModel {
  // OpenJPEG writes 0, which means bi-level, where it was given no colour space.
  const isUnknown = !colour || ('enumerated' in colour && colour.enumerated === 0 && components[0]?.bits !== 1);
  if (isUnknown) {
    // Without a colour specification one component is grey, and three are assumed to be RGB.
    if (components.length === 1) return { bands: 1 };
    // As OpenJPEG does, subsampled ones are taken for chroma.
    if (components.length === 3) return { bands: 3, isYcc: components.slice(1).every(isSubsampled) };
    const where = isBare ? 'a bare codestream' : 'a JP2 file without colour specification';
    throw unsupported(`${where} of ${components.length} components`);
  }
  const space = 'profile' in colour ? profileColourSpace(colour.profile) : colour.enumerated;
  const model = typeof space === 'string' ? profiled[space] : enumerated[space];
  if (model === undefined)
    throw unsupported(`the colour model is ${typeof space === 'string' ? space : `number ${space}`}`);
  if (typeof model === 'string') throw unsupported(model);
  return model;
}

function allChannels(codestream: Codestream, boxes: Jp2Boxes | undefined): Channel[] {
  const { components } = codestream;
  const palette = boxes?.palette;
  const sources = palette && boxes.sources ? boxes.sources : components.map((_, component) => ({ component }));
  return sources.map((source: ChannelSource) => {
    const component = components[source.component];
    if (!component) throw corrupt(`Expected a component below ${components.length}`, source.component);
    if (component.signed) throw unsupported('signed samples');
    if (component.bits > 16) throw unsupported(`samples of ${component.bits} bits`);
    if (source.column === undefined) return { ...source, bits: component.bits };
    if (!palette?.columns[source.column]) throw corrupt('Expected a column of the palette', source.column);
    return { ...source, bits: palette.bits };
  });
}

const COLOUR = 0;
const OPACITY = 1;
const PREMULTIPLIED = 2;
/** Associations of a channel with no colour in particular (Annex I.5.3.6). */
const WHOLE_IMAGE = [0, 65_535];

interface Assignment {
  readonly colours: readonly Channel[];
  readonly alpha: Channel | undefined;
  readonly isPremultiplied: boolean;
  /** The definitions name the colour channels but not their colours. */
  readonly isUnassigned: boolean;
}

/**
 * Assigns channels to colours. Without definitions they are the colours in order; one additional
 * channel is opacity.
 */
function assign(channels: readonly Channel[], boxes: Jp2Boxes | undefined, bands: ColourModel['bands']): Assignment {
  const meanings = boxes?.meanings;
  if (!meanings) {
    const extra = channels.length - bands;
    if (extra < 0 || extra > 1) throw unsupported(`${channels.length} channels where ${bands} are colour`);
    const rest = { isPremultiplied: false, isUnassigned: false };
    return { colours: channels.slice(0, bands), alpha: channels[bands], ...rest };
  }
  const opacity = meanings.filter(({ type }) => type === OPACITY || type === PREMULTIPLIED);
  if (opacity.length > 1 || meanings.some(({ type }) => type > PREMULTIPLIED) || meanings.length !== channels.length) {
    throw unsupported(`${channels.length} channels where ${bands} are colour`);
  }
  const alpha = opacity[0] && channels[opacity[0].channel];
  const isPremultiplied = opacity[0]?.type === PREMULTIPLIED;
  const unassigned = meanings.filter(({ type, association }) => type === COLOUR && WHOLE_IMAGE.includes(association));
  if (unassigned.length === bands && meanings.length === bands + opacity.length) {
    // Like OpenJPEG, takes colours that are assigned to the whole image in the order of channels.
    const inOrder = unassigned.map(({ channel }) => channel).sort((a, b) => a - b);
    const inChannelOrder = inOrder.map((channel) => channelAt(channels, channel));
    return { colours: inChannelOrder, alpha, isPremultiplied, isUnassigned: true };
  }
  const colours = Array.from({ length: bands }, (_, index) => {
    const meaning = meanings.find(({ type, association }) => type === COLOUR && association === index + 1);
    const channel = meaning && channels[meaning.channel];
    if (!channel) throw corrupt(`Expected a channel for colour ${index + 1}`, 'none');
    return channel;
  });
  return { colours, alpha, isPremultiplied, isUnassigned: false };
}

function channelAt(channels: readonly Channel[], index: number): Channel {
  const channel = channels[index];
  if (!channel) throw corrupt(`Expected a channel below ${channels.length}`, index);
  return channel;
}

function commonBits(colours: readonly Channel[]): number {
  const bits = colours[0]?.bits ?? 0;
  const behind = colours.map(({ component, column }) => (column === undefined ? undefined : component));
  if (behind.some((component) => component !== behind[0])) throw unsupported('a palette of some of the colours');
  if (colours.some((colour) => colour.bits !== bits)) {
    throw unsupported(`colours of ${colours.map((colour) => colour.bits).join(', ')} bits`);
  }
  return bits;
}
