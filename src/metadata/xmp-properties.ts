/**
 * The properties of an XMP packet that describe the image, by namespace and conventional prefix.
 */
import { MAX_REPEATED_VALUES } from './bounds.ts';
import type { MetadataFields, MetadataValue } from './embedded-metadata.ts';
import type { TextKind } from './private-values.ts';
import { cleanText } from './text.ts';
import { MalformedMetadataError } from './warnings.ts';
import { parseXml, type XmlElement, type XmlName } from './xml.ts';

export const Namespace = {
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  meta: 'adobe:ns:meta/',
  xml: 'http://www.w3.org/XML/1998/namespace',
  xmpNote: 'http://ns.adobe.com/xmp/note/',
  tiff: 'http://ns.adobe.com/tiff/1.0/',
} as const;

/** Sources: ISO 16684-1, section 8; IPTC Photo Metadata 2023.1; Exif for XMP (CIPA DC-X010). */
const schemas: readonly { prefix: string; namespace: string; properties: readonly string[] }[] = [
  {
    prefix: 'dc',
    namespace: 'http://purl.org/dc/elements/1.1/',
    properties: [
      ...['title', 'description', 'creator', 'contributor', 'rights', 'subject', 'date', 'identifier', 'source'],
      ...['publisher', 'coverage', 'language', 'relation', 'type'],
    ],
  },
  {
    prefix: 'xmp',
    namespace: 'http://ns.adobe.com/xap/1.0/',
    properties: ['CreateDate', 'ModifyDate', 'MetadataDate', 'CreatorTool', 'Label', 'Rating', 'Identifier'],
  },
  {
    prefix: 'xmpRights',
    namespace: 'http://ns.adobe.com/xap/1.0/rights/',
    properties: ['Marked', 'Owner', 'UsageTerms', 'WebStatement', 'Certificate'],
  },
  {
    prefix: 'photoshop',
    namespace: 'http://ns.adobe.com/photoshop/1.0/',
    properties: [
      ...['AuthorsPosition', 'CaptionWriter', 'City', 'Country', 'Credit', 'DateCreated', 'Headline', 'Instructions'],
      ...['Source', 'State', 'TransmissionReference', 'Urgency', 'ColorMode', 'ICCProfile'],
    ],
  },
  {
    prefix: 'Iptc4xmpCore',
    namespace: 'http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/',
    properties: ['CountryCode', 'IntellectualGenre', 'Location', 'Scene', 'SubjectCode'],
  },
  {
    prefix: 'tiff',
    namespace: Namespace.tiff,
    properties: ['Artist', 'Copyright', 'DateTime', 'ImageDescription', 'Make', 'Model', 'Orientation', 'Software'],
  },
  {
    prefix: 'exif',
    namespace: 'http://ns.adobe.com/exif/1.0/',
    properties: ['DateTimeOriginal', 'DateTimeDigitized'],
  },
];

/** Prefixed names in the order of `schemas`, by namespace and local name. */
const prefixedNames: ReadonlyMap<string, string> = new Map(
  schemas.flatMap(({ prefix, namespace, properties }) =>
    properties.map((local) => [nameKey({ namespace, local }), `${prefix}:${local}`] as const),
  ),
);

/**
 * Namespaces whose properties people fill in: those of the schemas above, IPTC Extension, rights
 * and keywords of Lightroom.
 */
const editorial: ReadonlySet<string> = new Set([
  ...schemas
    .map(({ namespace }) => namespace)
    .filter((namespace) => !namespace.startsWith('http://ns.adobe.com/exif/')),
  'http://iptc.org/std/Iptc4xmpExt/2008-02-29/',
  'http://ns.adobe.com/lightroom/1.0/',
  'http://ns.useplus.org/ldf/xmp/1.0/',
]);
const proseNames = /comment|caption|description|title|headline|keyword|subject|note|text/iu;

/** The kind of text that a property holds. */
export function kindOfProperty({ namespace, local }: XmlName): TextKind {
  const isEditorial = editorial.has(namespace);
  return { isEditorial, isProse: isEditorial || proseNames.test(local) };
}

/** The kind of text of a main property by its prefixed name. */
export function kindOfField(name: string): TextKind {
  const [prefix, local = ''] = name.split(':');
  return kindOfProperty({ namespace: schemas.find((schema) => schema.prefix === prefix)?.namespace ?? '', local });
}

/** A key that is unique because no name contains a blank. */
function nameKey({ namespace, local }: XmlName): string {
  return `${namespace} ${local}`;
}

/** The rdf:RDF element of a packet. Throws MalformedMetadataError if there is none. */
export function rdfOf(root: XmlElement): XmlElement {
  const isRdf = ({ namespace, local }: XmlElement): boolean => namespace === Namespace.rdf && local === 'RDF';
  if (isRdf(root)) return root;
  const rdf = root.namespace === Namespace.meta ? root.children.find(isRdf) : undefined;
  if (!rdf) throw new MalformedMetadataError('Expected an element rdf:RDF for the XMP packet but received none');
  return rdf;
}

/**
 * The main properties of a packet by prefixed name. Throws MalformedMetadataError for invalid
 * packets.
 */
export function mainProperties(packet: string): MetadataFields {
  const values = new Map<string, MetadataValue>();
  for (const description of rdfOf(parseXml(packet).root).children) {
    for (const [name, value] of describedBy(description)) {
      if (value !== undefined && !values.has(name)) values.set(name, value);
    }
  }
  const fields: MetadataFields = {};
  for (const name of prefixedNames.values()) {
    const value = values.get(name);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

/** The main properties of one description: of each name the first attribute, else element. */
function describedBy({ attributes, children }: XmlElement): Map<string, MetadataValue | undefined> {
  const values = new Map<string, MetadataValue | undefined>();
  for (const attribute of attributes) {
    const name = prefixedNames.get(nameKey(attribute));
    if (name !== undefined && !values.has(name)) values.set(name, nonEmpty(attribute.value));
  }
  for (const element of children) {
    const name = prefixedNames.get(nameKey(element));
    if (name !== undefined && !values.has(name)) values.set(name, elementValue(element));
  }
  return values;
}

/**
 * A simple value, the default or first of alternatives, or all items of a list. Structures are not
 * read.
 */
function elementValue(element: XmlElement): MetadataValue | undefined {
  const [inner] = element.children.filter(({ namespace }) => namespace === Namespace.rdf);
  if (!inner) {
    const resource = rdfAttribute(element, 'resource');
    return element.children.length === 0 ? nonEmpty(resource ?? element.text) : undefined;
  }
  if (inner.local === 'value') return nonEmpty(inner.text);
  const items = inner.children.filter(({ namespace, local }) => namespace === Namespace.rdf && local === 'li');
  if (inner.local === 'Alt') {
    const item = items.find((candidate) => language(candidate) === 'x-default') ?? items[0];
    return item && nonEmpty(item.text);
  }
  if (inner.local !== 'Seq' && inner.local !== 'Bag') return undefined;
  const texts = items
    .slice(0, MAX_REPEATED_VALUES)
    .map(({ text }) => cleanText(text))
    .filter((text) => text !== '');
  return texts.length > 1 ? texts : texts[0];
}

function rdfAttribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find(({ namespace, local }) => namespace === Namespace.rdf && local === name)?.value;
}

function language(element: XmlElement): string | undefined {
  return element.attributes.find(({ namespace, local }) => namespace === Namespace.xml && local === 'lang')?.value;
}

function nonEmpty(text: string): string | undefined {
  const clean = cleanText(text);
  return clean === '' ? undefined : clean;
}
