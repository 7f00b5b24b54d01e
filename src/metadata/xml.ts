/**
 * A parser for the subset of XML 1.0 with namespaces that XMP packets use: no document type, only
 * the five predefined entities. All nodes have their ranges in the source, so that parts can be
 * removed without serialising the rest.
 */
import { MAX_XML_DEPTH, MAX_XML_ELEMENTS } from './bounds.ts';
import { MalformedMetadataError } from './warnings.ts';

export interface XmlName {
  readonly namespace: string;
  readonly local: string;
}

/** A range of the source; `end` is exclusive. UTF-16 code units. */
export interface XmlRange {
  readonly start: number;
  readonly end: number;
}

export interface XmlAttribute extends XmlName, XmlRange {
  readonly value: string;
  /** True for a namespace declaration. */
  readonly declares: boolean;
}

export interface XmlElement extends XmlName {
  readonly start: number;
  end: number;
  readonly attributes: readonly XmlAttribute[];
  readonly children: XmlElement[];
  /** Character data of the element, without that of its children. */
  text: string;
  /** Range of the content; empty for an empty element. */
  readonly contentStart: number;
  contentEnd: number;
}

export interface XmlDocument {
  readonly root: XmlElement;
  /** Comments and processing instructions. */
  readonly nonElements: readonly XmlRange[];
}

const XML_NAMESPACE = 'http://www.w3.org/XML/1998/namespace';
const nameStart = String.raw`[A-Za-z_\u0080-\u{10ffff}]`;
const nameRest = String.raw`[\w.\-\u0080-\u{10ffff}]*`;
const qualifiedName = `(?:${nameStart}${nameRest}:)?${nameStart}${nameRest}`;
const openTag = new RegExp(`<(${qualifiedName})`, 'uy');
const closeTag = new RegExp(`</(${qualifiedName})[ \\t\\r\\n]*>`, 'uy');
const attribute = new RegExp(
  `[ \\t\\r\\n]+(${qualifiedName})[ \\t\\r\\n]*=[ \\t\\r\\n]*(?:"([^"<]*)"|'([^'<]*)')`,
  'uy',
);
const tagEnd = /[ \t\r\n]*(\/?)>/uy;
const forbidden = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/u;

/** Number of namespaces in scope. */
const MAX_NAMESPACES = 512;

interface Open {
  readonly element: XmlElement;
  readonly qualified: string;
  /** Prefixes that the element declares. */
  readonly declared: readonly string[];
}

/** Parses a document. Throws MalformedMetadataError if it is not well-formed or exceeds a limit. */
export function parseXml(source: string): XmlDocument {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #open: Open[] = [];
  readonly #nonElements: XmlRange[] = [];
  /** The namespaces in scope by prefix, the innermost declaration last. */
  readonly #scope = new Map<string, string[]>([['xml', [XML_NAMESPACE]]]);
  #declared = 1;
  #at = 0;
  #elements = 0;
  #root: XmlElement | undefined;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): XmlDocument {
    if (forbidden.test(this.#source)) this.#fail('Expected no control characters');
    while (this.#at < this.#source.length) this.#step();
    if (!this.#root || this.#open.length > 0) return this.#fail('Expected one whole element');
    return { root: this.#root, nonElements: this.#nonElements };
  }

  #step(): void {
    const source = this.#source;
    if (source[this.#at] !== '<') this.#characters();
    else if (source.startsWith('<!--', this.#at)) this.#nonElement('-->');
    else if (source.startsWith('<?', this.#at)) this.#nonElement('?>');
    else if (source.startsWith('<![CDATA[', this.#at)) this.#literal();
    else if (source[this.#at + 1] === '/') this.#close();
    else this.#start();
  }

  #characters(): void {
    const next = this.#source.indexOf('<', this.#at);
    const end = next < 0 ? this.#source.length : next;
    const text = this.#source.slice(this.#at, end);
    const top = this.#open.at(-1);
    if (top) top.element.text += this.#decode(text);
    else if (text.trim() !== '') this.#fail('Expected an element');
    this.#at = end;
  }

  #literal(): void {
    const end = this.#source.indexOf(']]>', this.#at);
    const top = this.#open.at(-1);
    if (end < 0 || !top) this.#fail('Expected a whole CDATA section');
    else top.element.text += this.#source.slice(this.#at + 9, end);
    this.#at = end + 3;
  }

  #nonElement(ending: string): void {
    const end = this.#source.indexOf(ending, this.#at + 2);
    if (end < 0) this.#fail(`Expected ${ending}`);
    this.#nonElements.push({ start: this.#at, end: end + ending.length });
    this.#at = end + ending.length;
  }

  #start(): void {
    const start = this.#at;
    const qualified = this.#match(openTag)?.[1] ?? this.#fail('Expected an element');
    if (this.#open.length === 0 && this.#root) this.#fail('Expected one element');
    if (this.#open.length === MAX_XML_DEPTH) this.#fail(`Expected at most ${MAX_XML_DEPTH} nested elements`);
    if (++this.#elements > MAX_XML_ELEMENTS) this.#fail(`Expected at most ${MAX_XML_ELEMENTS} elements`);
    const raw = this.#attributes();
    const declared = this.#declare(raw);
    const attributes = raw.map(({ qualified: name, ...rest }) => ({
      ...rest,
      ...this.#resolve(name, ''),
      declares: isDeclaration(name),
    }));
    this.#assertDistinct(attributes);
    const isEmpty = (this.#match(tagEnd)?.[1] ?? this.#fail('Expected the end of a tag')) === '/';
    const at = this.#at;
    const name = this.#resolve(qualified, this.#scope.get('')?.at(-1) ?? '');
    const content = { children: [], text: '', contentStart: at, contentEnd: at };
    const element: XmlElement = { ...name, start, end: at, attributes, ...content };
    this.#open.at(-1)?.element.children.push(element);
    this.#root ??= element;
    if (isEmpty) this.#undeclare(declared);
    else this.#open.push({ element, qualified, declared });
  }

  #close(): void {
    const contentEnd = this.#at;
    const name = this.#match(closeTag)?.[1];
    const top = this.#open.pop();
    if (name === undefined || top?.qualified !== name) return this.#fail('Expected the end of the element');
    top.element.contentEnd = contentEnd;
    top.element.end = this.#at;
    this.#undeclare(top.declared);
  }

  #attributes() {
    const found: { qualified: string; value: string; start: number; end: number }[] = [];
    for (;;) {
      const start = this.#at;
      const match = this.#match(attribute);
      if (!match) return found;
      const value = this.#decode(match[2] ?? match[3] ?? '');
      found.push({ qualified: match[1] ?? '', value, start, end: this.#at });
    }
  }

  /** Adds the declarations of an element to the scope. Returns their prefixes. */
  #declare(attributes: readonly { qualified: string; value: string }[]): string[] {
    const declared = attributes.filter(({ qualified }) => isDeclaration(qualified));
    this.#declared += declared.length;
    if (this.#declared > MAX_NAMESPACES) this.#fail(`Expected at most ${MAX_NAMESPACES} namespaces`);
    return declared.map(({ qualified, value }) => {
      const prefix = qualified.slice(6);
      const values = this.#scope.get(prefix);
      if (values) values.push(value);
      else this.#scope.set(prefix, [value]);
      return prefix;
    });
  }

  #undeclare(prefixes: readonly string[]): void {
    this.#declared -= prefixes.length;
    for (const prefix of prefixes) this.#scope.get(prefix)?.pop();
  }

  #resolve(qualified: string, unprefixed: string): XmlName {
    const [prefix, local] = qualified.includes(':') ? (qualified.split(':') as [string, string]) : ['', qualified];
    if (prefix === '' || prefix === 'xmlns') return { namespace: prefix === '' ? unprefixed : prefix, local };
    return { namespace: this.#scope.get(prefix)?.at(-1) ?? this.#fail('Expected a declared namespace'), local };
  }

  #assertDistinct(attributes: readonly XmlName[]): void {
    const names = new Set(attributes.map(({ namespace, local }) => `${namespace} ${local}`));
    if (names.size < attributes.length) this.#fail('Expected attributes of different names');
  }

  #decode(text: string): string {
    if (!text.includes('&')) return text;
    return text.replace(/&([^;&]{0,10});?/gu, (whole, entity: string) => {
      const character = entities.get(entity) ?? numbered(entity);
      return character !== undefined && whole.endsWith(';') ? character : this.#fail('Expected a known entity');
    });
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#source) ?? undefined;
    if (match) this.#at = pattern.lastIndex;
    return match;
  }

  #fail(expected: string): never {
    throw new MalformedMetadataError(`${expected} at character ${this.#at} of the XML`);
  }
}

function isDeclaration(qualified: string): boolean {
  return qualified === 'xmlns' || qualified.startsWith('xmlns:');
}

const entities: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function numbered(entity: string): string | undefined {
  const [, hex, decimal] = /^#(?:x([\da-fA-F]{1,6})|(\d{1,7}))$/u.exec(entity) ?? [];
  if (hex === undefined && decimal === undefined) return undefined;
  const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
  const isCharacter = code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
  return isCharacter && !forbidden.test(String.fromCodePoint(code)) ? String.fromCodePoint(code) : undefined;
}

/** A range of the source and the markup that takes its place; nothing unless given. */
export interface XmlEdit extends XmlRange {
  readonly replacement?: string;
}

/** Replaces ranges of the source; of nested ones the outermost. */
export function editXml(source: string, edits: readonly XmlEdit[]): string {
  const kept: string[] = [];
  let at = 0;
  for (const { start, end, replacement = '' } of [...edits].sort((a, b) => a.start - b.start || b.end - a.end)) {
    if (end <= at) continue;
    kept.push(source.slice(at, Math.max(at, start)), replacement);
    at = end;
  }
  return kept.join('') + source.slice(at);
}

/** The text as character data or the value of an attribute. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/gu, (character) => `&${entityNames.get(character) ?? ''};`);
}

const entityNames: ReadonlyMap<string, string> = new Map([...entities].map(([name, character]) => [character, name]));
