/**
 * The values that the privacy policy removes by name, to be removed wherever else they stand.
 */
import { degreesOfXmp, REMOVED, withoutCoordinates } from './coordinates.ts';
import type { EmbeddedMetadata, MetadataValue } from './embedded-metadata.ts';
import { isOwnerName, isPositionName, isSerialNumberName, type PrivacyPolicy } from './privacy.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** Least length of a serial number or coordinate that is searched for within other texts. */
const MIN_WITHIN_TEXT = 6;
/** Least length of one that is removed where it is the whole of another value. */
const MIN_WHOLE_VALUE = 4;
/** Longer values are not identifiers. UTF-16 code units. */
const MAX_LENGTH = 128;
/** Number of different values of one master; further ones are removed by name only. */
const MAX_VALUES = 64;
/** Two numbers of degrees that differ by less are the same coordinate: about 20 m. */
const SAME_DEGREES = 0.000_2;

/** The kind of text that a value stands in. */
export interface TextKind {
  /** A caption, title or comment, as opposed to a technical value. */
  readonly isProse: boolean;
  /** Names people on purpose: creator, rights, caption. The owner of the camera is kept there. */
  readonly isEditorial: boolean;
}

export class PrivateValues {
  readonly #policy: PrivacyPolicy;
  readonly #values = new Set<string>();
  readonly #owners = new Set<string>();
  readonly #degrees: number[] = [];
  readonly #within: RegExp | undefined;

  constructor(metadata: Pick<EmbeddedMetadata, 'exif' | 'gps' | 'xmp'>, policy: PrivacyPolicy) {
    this.#policy = policy;
    const texts = new Set<string>();
    for (const [name, value] of namedValues(metadata)) {
      const isPosition = policy.gps && isPositionName(name);
      if (isPosition) this.#addDegrees(value);
      if (policy.serialNumbers && isOwnerName(name)) this.#owners.add(normalised(value));
      const parts = isPosition || (policy.serialNumbers && isSerialNumberName(name)) ? partsOf(value) : [];
      // Whole numbers of degrees stand elsewhere too, and decimals are compared as numbers.
      for (const part of parts) if (!isPosition || !/^[-+]?\d+(?:\.\d+)?$/u.test(part)) texts.add(part);
    }
    const values = [...texts].slice(0, MAX_VALUES);
    for (const value of values) this.#values.add(withoutZeros(value));
    const long = values.filter((value) => withoutZeros(value).length >= MIN_WITHIN_TEXT);
    if (long.length > 0) this.#within = new RegExp(long.map(patternOf).join('|'), 'giu');
  }

  /**
   * The text without private values, each replaced by a mark; undefined if nothing of meaning is
   * left.
   */
  redactText(text: string, { isProse, isEditorial }: TextKind): string | undefined {
    if (text === '') return text;
    const whole = normalised(text);
    const isPrivate = this.#values.has(withoutZeros(whole)) || this.#owners.has(whole);
    if (isPrivate && !isEditorial) return undefined;
    const named = this.#within ? text.replace(this.#within, REMOVED) : text;
    const kept = this.#policy.gps ? this.#withoutDegrees(withoutCoordinates(named, isProse)) : named;
    if (kept === text) return text;
    // An identifier, such as a file name, has no meaning without a part of it.
    const isIdentifier = !isEditorial && !/\s/u.test(text.trim());
    return isIdentifier || kept.replaceAll(REMOVED, '').trim() === '' ? undefined : kept;
  }

  /** Whether a number is one of the removed values. */
  isPrivateNumber(value: number): boolean {
    if (Number.isInteger(value)) return value >= 10 ** (MIN_WITHIN_TEXT - 1) && this.#values.has(String(value));
    return this.#degrees.some((degrees) => Math.abs(Math.abs(value) - degrees) < SAME_DEGREES / 100);
  }

  #addDegrees(value: string): void {
    const found = [degreesOfXmp(value), ...(value.match(decimals) ?? []).map(Number)];
    for (const degrees of found) {
      if (degrees !== undefined && this.#degrees.length < MAX_VALUES) this.#degrees.push(Math.abs(degrees));
    }
  }

  /** Replaces decimal numbers that are one of the removed coordinates. */
  #withoutDegrees(text: string): string {
    if (this.#degrees.length === 0) return text;
    return text.replace(decimals, (number) => {
      const value = Math.abs(Number(number));
      return this.#degrees.some((degrees) => Math.abs(value - degrees) < SAME_DEGREES) ? REMOVED : number;
    });
  }
}

/** Decimal numbers of at least four decimals. */
const decimals = /(?<![\d.])[-+]?\d{1,3}\.\d{4,20}(?!\d)/gu;

/** Values with their names: Exif and GPS fields, attributes and elements of XMP. */
function* namedValues({
  exif,
  gps = {},
  xmp,
}: Pick<EmbeddedMetadata, 'exif' | 'gps' | 'xmp'>): Generator<readonly [string, string]> {
  for (const [name, value] of Object.entries({ ...exif, ...gps })) {
    for (const item of listOf(value)) yield [name, String(item).trim()];
  }
  if (xmp?.packet === undefined) return;
  let root: XmlElement;
  try {
    ({ root } = parseXml(xmp.packet));
  } catch {
    // The packet is left out as a whole.
    return;
  }
  yield* xmpValues(root, '');
}

/** The texts of an element and of those within it, under the name of the outermost private one. */
function* xmpValues(element: XmlElement, outer: string): Generator<readonly [string, string]> {
  const name = outer === '' && isPrivateName(element.local) ? element.local : outer;
  for (const { local, value, declares } of element.attributes) {
    if (!declares && (name !== '' || isPrivateName(local))) yield [name === '' ? local : name, value.trim()];
  }
  if (name !== '') yield [name, element.text.trim()];
  for (const child of element.children) yield* xmpValues(child, name);
}

function isPrivateName(name: string): boolean {
  return isSerialNumberName(name) || isOwnerName(name) || isPositionName(name);
}

function listOf(value: MetadataValue): readonly (string | number)[] {
  return Array.isArray(value) ? value : [value];
}

/** The value, and the words of it: 'Body 4711-0815' also stands as '4711-0815' elsewhere. */
function partsOf(value: string): string[] {
  if (value.length > MAX_LENGTH) return [];
  return [value, ...value.split(/[\s:;#]+/u)].map(normalised).filter(isSearchable);
}

/** At least four characters with a digit, not all the same: '0000000' stands for no number. */
function isSearchable(text: string): boolean {
  return text.length >= MIN_WHOLE_VALUE && /\d/u.test(text) && new Set(text).size > 1 && /[^0.\-/]/u.test(text);
}

function normalised(text: string): string {
  return text.trim().toLowerCase();
}

/** Some writers pad numbers with zeros. */
function withoutZeros(text: string): string {
  return text.replace(/^0+(?=.)/u, '');
}

/**
 * A pattern of the value. One of eight or more characters with letters matches within words, such
 * as identifiers made from it; one of digits between characters that are no digits; a shorter one
 * as a whole word.
 */
function patternOf(value: string): string {
  const core = withoutZeros(value);
  const escaped = `0{0,16}${core.replace(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`)}`;
  if (core.length < 8) return String.raw`(?<![\p{L}\p{N}])${escaped}(?![\p{L}\p{N}])`;
  return /^\d+$/u.test(core) ? String.raw`(?<!\d)${escaped}(?!\d)` : escaped;
}
