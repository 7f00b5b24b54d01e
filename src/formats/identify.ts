import type { RangeReader } from '../bytes/range-reader.ts';
import { RejectedImageError } from '../errors.ts';
import type { ConvertibleFormat, SourceFormat } from '../pyramid/source-image.ts';
import { type HeaderOptions, type Identified, PREFIX_BYTES } from './format.ts';
import { type Registry, registry as defaultRegistry } from './registry.ts';

/** The format of a master: decoded by libvips as it is, or converted to a TIFF first. */
export type Recognised =
  | { readonly kind: 'direct'; readonly format: SourceFormat }
  | { readonly kind: 'converted'; readonly format: ConvertibleFormat };

/**
 * Recognises the format of a master by its first bytes, regardless of the name of the object.
 * Throws RejectedImageError, which names other well-known formats and the formats to send instead.
 */
export async function recognise(reader: RangeReader, registry: Registry = defaultRegistry): Promise<Recognised> {
  if (reader.size === 0) throw new RejectedImageError('EMPTY_OBJECT', 'the object has no bytes');
  const prefix = await reader.read(0, PREFIX_BYTES);
  const formats = formatsOf(registry);
  const fixed = formats.find((format) => !format.hasFloatingSignature && format.matches(prefix));
  if (fixed) return recognised(fixed);
  const refused = registry.refused.find((format) => format.matches(prefix));
  const floating = refused
    ? undefined
    : formats.find((format) => format.hasFloatingSignature && format.matches(prefix));
  if (floating) return recognised(floating);
  const send = `send ${acceptedFormats(formats)}`;
  const detail = refused
    ? `this is ${refused.is}; ${refused.advice ?? send}`
    : `its first bytes are of no image format; ${send}`;
  throw new RejectedImageError('UNSUPPORTED_FORMAT', detail);
}

/**
 * Reads the header of a master of this format: a few ranged reads, no pixels decoded.
 * Throws RejectedImageError with the reason why it cannot become a pyramid.
 */
export function identify(
  reader: RangeReader,
  format: SourceFormat,
  options: HeaderOptions,
  { direct }: Registry = defaultRegistry,
): Promise<Identified> {
  return direct[format].header(reader, options);
}

type Format = Registry['direct'][SourceFormat] | Registry['converted'][ConvertibleFormat];

function formatsOf({ direct, converted }: Registry): Format[] {
  return [...Object.values(direct), ...Object.values(converted)];
}

function recognised(format: Format): Recognised {
  return format.kind === 'direct'
    ? { kind: format.kind, format: format.name }
    : { kind: format.kind, format: format.name };
}

/** "JPEG, PNG or GIF" */
function acceptedFormats(formats: readonly Format[]): string {
  const titles = formats.map(({ title }) => title);
  return `${titles.slice(0, -1).join(', ')} or ${titles.at(-1) ?? ''}`;
}
