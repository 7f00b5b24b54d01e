import { isPrivateProperty, type PrivacyPolicy, quotesPrivate } from './privacy.ts';
import { MalformedMetadataError } from './warnings.ts';
import { cutRanges, parseXml, type XmlElement, type XmlName, type XmlRange } from './xml.ts';
import { Namespace, rdfOf } from './xmp-properties.ts';

/**
 * Packet wrapper (ISO 16684-1, section 7.3.2). Marked read-only, because there is no padding for
 * edits.
 */
const PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n';
const PACKET_END = '\n<?xpacket end="r"?>';

/**
 * Removes private attributes and elements in any namespace, values that quote private metadata,
 * embedded files, comments and padding. Also removes tiff:Orientation, which does not apply to the
 * upright pixels of the pyramid. All other characters are preserved.
 * Throws MalformedMetadataError when the packet cannot be parsed before or after the removal.
 */
export function redactPacket(packet: string, policy: PrivacyPolicy): string {
  const { root, nonElements } = parseXml(packet);
  const cut = cutRanges(packet.slice(0, root.end), [
    { start: 0, end: root.start },
    ...nonElements.filter(({ start }) => start > root.start && start < root.end),
    ...rangesToCut(root, policy),
  ]);
  const remaining = parseXml(cut);
  rdfOf(remaining.root);
  if (rangesToCut(remaining.root, policy).length > 0)
    throw new MalformedMetadataError('Expected no private metadata for the redacted packet but received some');
  return PACKET_START + cut + PACKET_END;
}

function rangesToCut(element: XmlElement, policy: PrivacyPolicy): XmlRange[] {
  if (isCut(element, policy) || quotesPrivate(element.text, policy)) return [element];
  const attributes = element.attributes.filter(
    (attribute) => !attribute.declares && (isCut(attribute, policy) || quotesPrivate(attribute.value, policy)),
  );
  return [...attributes, ...element.children.flatMap((child) => rangesToCut(child, policy))];
}

function isCut(name: XmlName, policy: PrivacyPolicy): boolean {
  const isOrientation = name.namespace === Namespace.tiff && name.local === 'Orientation';
  return isOrientation || isPrivateProperty(name, policy);
}
