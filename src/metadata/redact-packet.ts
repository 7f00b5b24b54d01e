import { isPrivateProperty, type PrivacyPolicy, quotesPrivate } from './privacy.ts';
import { MalformedMetadataError } from './warnings.ts';
import { cutRanges, parseXml, type XmlElement, type XmlName, type XmlRange } from './xml.ts';
import { Namespace, rdfOf } from './xmp-properties.ts';

/** ISO 16684-1, section 7.3.2. Read-only, because there is no padding to edit in. */
const PACKET_START = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n';
const PACKET_END = '\n<?xpacket end="r"?>';

/**
 * The packet without what the policy forbids: attributes and elements by name in any namespace, values that quote such
 * metadata, embedded files, comments and padding; and without tiff:Orientation, which is not true of upright pixels. The
 * rest is as it was, character by character.
 * Throws MalformedMetadataError where it cannot be told what is in the packet.
 */
export function redactPacket(packet: string, policy: PrivacyPolicy): string {
  const { root, asides } = parseXml(packet);
  const cut = cutRanges(packet.slice(0, root.end), [
    { start: 0, end: root.start },
    ...asides.filter(({ start }) => start > root.start && start < root.end),
    ...rangesToCut(root, policy),
  ]);
  const left = parseXml(cut);
  rdfOf(left.root);
  if (rangesToCut(left.root, policy).length > 0)
    throw new MalformedMetadataError('Expected nothing private to be left');
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
