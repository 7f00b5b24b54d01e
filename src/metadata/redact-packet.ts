import { isPrivateProperty, type PrivacyPolicy, quotesPrivate } from './privacy.ts';
import type { PrivateValues } from './private-values.ts';
import { MalformedMetadataError } from './warnings.ts';
import { editXml, escapeXml, parseXml, type XmlAttribute, type XmlEdit, type XmlElement, type XmlName } from './xml.ts';
import { kindOfProperty, Namespace, rdfOf } from './xmp-properties.ts';

/**
 * Packet wrapper (ISO 16684-1, section 7.3.2). Marked read-only, because there is no padding for
 * edits.
 */
const PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n';
const PACKET_END = '\n<?xpacket end="r"?>';

/** Message of the error for a packet that nothing can be cut from. */
export const PRIVATE_NAMESPACE = 'the name of a namespace contains private metadata';

export interface Privacy {
  readonly policy: PrivacyPolicy;
  readonly values: PrivateValues;
}

/**
 * Removes private attributes and elements in any namespace, values that quote private metadata,
 * private values within texts, embedded files, comments and padding. Also removes tiff:Orientation,
 * which does not apply to the upright pixels of the pyramid. All other characters are preserved.
 * Throws MalformedMetadataError when the packet cannot be parsed before or after the removal.
 */
export function redactPacket(packet: string, privacy: Privacy): string {
  const { root, nonElements } = parseXml(packet);
  const edited = editXml(packet.slice(0, root.end), [
    { start: 0, end: root.start },
    ...nonElements.filter(({ start }) => start > root.start && start < root.end),
    ...editsOf(root, root, packet, privacy),
  ]);
  const remaining = parseXml(edited);
  rdfOf(remaining.root);
  if (editsOf(remaining.root, remaining.root, edited, privacy).length > 0)
    throw new MalformedMetadataError('Expected no private metadata for the redacted packet but received some');
  return PACKET_START + edited + PACKET_END;
}

/** `property` is the innermost element around the text that is not part of RDF itself. */
function editsOf(element: XmlElement, property: XmlName, source: string, privacy: Privacy): XmlEdit[] {
  const own = element.namespace === Namespace.rdf ? property : element;
  const { start, end, contentStart, contentEnd, text, children } = element;
  if (isCut(element, privacy) || quotesPrivate(text, privacy.policy)) return [{ start, end }];
  const kept = privacy.values.redactText(text, kindOfProperty(own));
  if (kept === undefined) return [{ start, end }];
  const attributes = element.attributes.flatMap((attribute) => editsOfAttribute(attribute, own, source, privacy));
  if (kept !== text) {
    if (children.length > 0) return [{ start, end }];
    return [...attributes, { start: contentStart, end: contentEnd, replacement: escapeXml(kept) }];
  }
  return [...attributes, ...children.flatMap((child) => editsOf(child, own, source, privacy))];
}

function editsOfAttribute(attribute: XmlAttribute, owner: XmlName, source: string, privacy: Privacy): XmlEdit[] {
  const { start, end, value, namespace, declares } = attribute;
  if (declares) {
    // The names of the namespace cannot be kept without it.
    if (isChanged(value, privacy)) throw new MalformedMetadataError(PRIVATE_NAMESPACE);
    return [];
  }
  if (isCut(attribute, privacy) || quotesPrivate(value, privacy.policy)) return [{ start, end }];
  const isProperty = namespace !== Namespace.rdf && namespace !== Namespace.xml;
  const kept = privacy.values.redactText(value, kindOfProperty(isProperty ? attribute : owner));
  if (kept === value) return [];
  if (kept === undefined) return [{ start, end }];
  const written = source.slice(start, end);
  const quote = written.search(/["']/u);
  return [{ start, end, replacement: `${written.slice(0, quote)}"${escapeXml(kept)}"` }];
}

function isCut(name: XmlName, privacy: Privacy): boolean {
  const isOrientation = name.namespace === Namespace.tiff && name.local === 'Orientation';
  return isOrientation || isPrivateProperty(name, privacy.policy) || isChanged(name.local, privacy);
}

function isChanged(name: string, { values }: Privacy): boolean {
  return values.redactText(name, { isProse: false, isEditorial: false }) !== name;
}
