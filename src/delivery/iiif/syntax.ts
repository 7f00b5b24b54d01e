/**
 * The parameters of image requests: IIIF Image API 3.0 and 2.1.1, section 4. Each function throws
 * RefusedRequestError(400) for text that the API does not define. Pure.
 */
import { derivativeFormats, type DerivativeFormat, derivativeQualities } from '../../imaging/derivative.ts';
import { RefusedRequestError } from '../refused.ts';

export const apiVersions = [3, 2] as const;
export type ApiVersion = (typeof apiVersions)[number];

/** `x`, `y`, `width` and `height` in pixels, or in percent of the image. */
export type RegionParameter =
  | { readonly kind: 'full' }
  | { readonly kind: 'square' }
  | {
      readonly kind: 'pixels' | 'percent';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
    };

/** A side that is not given keeps the proportions. */
export type SizeParameter = { readonly upscaled: boolean } & (
  | { readonly kind: 'max' | 'full' }
  | { readonly kind: 'percent'; readonly percent: number }
  | { readonly kind: 'sides'; readonly width?: number | undefined; readonly height?: number | undefined }
  | { readonly kind: 'within'; readonly width: number; readonly height: number }
);

export interface RotationParameter {
  readonly mirrored: boolean;
  readonly degrees: number;
}

export const requestedQualities = ['default', ...derivativeQualities] as const;
export type RequestedQuality = (typeof requestedQualities)[number];

export interface ImageParameters {
  readonly region: RegionParameter;
  readonly size: SizeParameter;
  readonly rotation: RotationParameter;
  readonly quality: RequestedQuality;
  readonly format: DerivativeFormat;
}

const number = String.raw`(?:\d{1,15}(?:\.\d{1,15})?|\.\d{1,15})`;
const integer = String.raw`\d{1,15}`;
const pixelRegion = new RegExp(`^(${integer}),(${integer}),(${integer}),(${integer})$`, 'u');
const percentRegion = new RegExp(`^pct:(${number}),(${number}),(${number}),(${number})$`, 'u');
const percentSize = new RegExp(`^pct:(${number})$`, 'u');
const sides = new RegExp(`^(!?)(${integer})?,(${integer})?$`, 'u');
const rotation = new RegExp(`^(!?)(${number})$`, 'u');

/** Formats that the API names and that the server does not make. */
const knownFormats: ReadonlySet<string> = new Set(['jp2', 'pdf']);

/** The four last segments of the path of an image request, decoded. */
export function parseImageParameters(
  version: ApiVersion,
  [region = '', size = '', rotationText = '', file = '']: readonly string[],
): ImageParameters {
  return {
    region: parseRegion(region),
    size: parseSize(version, size),
    rotation: parseRotation(rotationText),
    ...parseFile(file),
  };
}

export function parseRegion(text: string): RegionParameter {
  if (text === 'full' || text === 'square') return { kind: text };
  const pixels = pixelRegion.exec(text);
  const found = pixels ?? percentRegion.exec(text);
  if (!found) throw refusedText('region', text, 'full, square, x,y,w,h or pct:x,y,w,h');
  const [x = 0, y = 0, width = 0, height = 0] = found.slice(1).map(Number);
  if (width === 0 || height === 0) {
    throw new RefusedRequestError(400, `The region ${text} has no pixels: its width and height must be above 0.`);
  }
  return { kind: pixels ? 'pixels' : 'percent', x, y, width, height };
}

export function parseSize(version: ApiVersion, text: string): SizeParameter {
  const upscaled = version === 3 && text.startsWith('^');
  const plain = upscaled ? text.slice(1) : text;
  if (plain === 'max') return { kind: 'max', upscaled };
  if (plain === 'full' && version === 2) return { kind: 'full', upscaled };
  const percent = percentSize.exec(plain)?.[1];
  if (percent !== undefined) return { kind: 'percent', percent: aboveZero(text, Number(percent)), upscaled };
  const [, within, width, height] = sides.exec(plain) ?? [];
  const [wide, high] = [width, height].map((side) => (side === undefined ? undefined : aboveZero(text, Number(side))));
  if (within === '!' && wide !== undefined && high !== undefined) {
    return { kind: 'within', width: wide, height: high, upscaled };
  }
  if (within === '' && (wide ?? high) !== undefined) return { kind: 'sides', width: wide, height: high, upscaled };
  const forms =
    version === 3
      ? 'max, w, or ,h or w,h or !w,h or pct:n, or these after ^'
      : 'full, max, w, or ,h or w,h or !w,h or pct:n';
  throw refusedText('size', text, forms);
}

export function parseRotation(text: string): RotationParameter {
  const [, mirror, digits] = rotation.exec(text) ?? [];
  const degrees = Number(digits);
  if (mirror === undefined || degrees > 360) throw refusedText('rotation', text, '0 to 360, or the same after !');
  return { mirrored: mirror === '!', degrees };
}

function parseFile(text: string): Pick<ImageParameters, 'quality' | 'format'> {
  const dot = text.lastIndexOf('.');
  const name = text.slice(0, Math.max(0, dot));
  const extension = text.slice(dot + 1);
  const quality = requestedQualities.find((known) => known === name);
  if (dot < 0 || !quality) throw refusedText('quality', name || text, requestedQualities.join(', '));
  const format = derivativeFormats.find((known) => known === extension);
  if (format) return { quality, format };
  if (knownFormats.has(extension)) {
    throw new RefusedRequestError(
      501,
      `The server does not make ${extension}; ask for ${derivativeFormats.join(', ')}.`,
    );
  }
  throw refusedText('format', extension, derivativeFormats.join(', '));
}

function aboveZero(text: string, value: number): number {
  if (value > 0) return value;
  throw new RefusedRequestError(400, `The size ${text} has no pixels: it must be above 0.`);
}

function refusedText(name: string, text: string, forms: string): RefusedRequestError {
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return new RefusedRequestError(400, `The ${name} ${JSON.stringify(shown)} is not one of: ${forms}.`);
}
