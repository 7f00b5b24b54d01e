/** Reads XMP packets (ISO 16684-1): RDF/XML in UTF-8 or UTF-16. */
import { createHash } from 'node:crypto';
import type { RangeReader } from '../bytes/range-reader.ts';
import { joinedReader, readExactly } from './bounded-reader.ts';
import { MAX_XMP_BYTES } from './bounds.ts';
import type { ExtendedXmpPortion } from './carriers.ts';
import type { Xmp } from './embedded-metadata.ts';
import { MalformedMetadataError, type Warnings } from './warnings.ts';
import { editXml, parseXml, type XmlElement } from './xml.ts';
import { mainProperties, Namespace, rdfOf } from './xmp-properties.ts';

/**
 * Reads a packet and its main properties. Throws MalformedMetadataError for a packet that is too
 * long or not valid Unicode.
 */
export async function readXmp(reader: RangeReader, warnings: Warnings): Promise<Xmp | undefined> {
  const packet = decodePacket(await readBounded(reader));
  if (packet === '') return undefined;
  const fields = await warnings.attempt('XMP', () => mainProperties(packet));
  return { packet, fields: fields ?? {} };
}

/**
 * Merges the properties of extended XMP into the packet. A JPEG stores extended XMP in further
 * marker segments, which the packet references by MD5 digest. Throws MalformedMetadataError when
 * the extension is incomplete or has another digest.
 */
export async function withExtendedXmp(
  packet: string,
  reader: RangeReader,
  portions: readonly ExtendedXmpPortion[],
): Promise<string> {
  const reference = findExtensionReference(parseXml(packet).root);
  const referenced = portions.filter(({ digest }) => digest === reference?.digest.toUpperCase());
  if (!reference || referenced.length === 0)
    throw new MalformedMetadataError('Expected the extended XMP that the packet references but received none');
  const whole = joinedReader(
    reader,
    [...referenced].sort((a, b) => a.offset - b.offset).map(({ range }) => range),
  );
  const bytes = await readBounded(whole);
  const digest = createHash('md5').update(bytes).digest('hex').toUpperCase();
  if (digest !== reference.digest.toUpperCase())
    throw new MalformedMetadataError(
      'Expected the MD5 that the packet references for the extended XMP but received another',
    );
  const extension = decodePacket(bytes);
  const content = rdfOf(parseXml(extension).root);
  const cut = editXml(packet, [reference]);
  const end = rdfOf(parseXml(cut).root).contentEnd;
  const merged = cut.slice(0, end) + extension.slice(content.contentStart, content.contentEnd) + cut.slice(end);
  parseXml(merged);
  return merged;
}

function findExtensionReference(element: XmlElement): { digest: string; start: number; end: number } | undefined {
  const isReference = ({ namespace, local }: { namespace: string; local: string }): boolean =>
    namespace === Namespace.xmpNote && local === 'HasExtendedXMP';
  if (isReference(element)) return { digest: element.text.trim(), start: element.start, end: element.end };
  const attribute = element.attributes.find(isReference);
  if (attribute) return { digest: attribute.value.trim(), start: attribute.start, end: attribute.end };
  for (const child of element.children) {
    const found = findExtensionReference(child);
    if (found) return found;
  }
  return undefined;
}

async function readBounded(reader: RangeReader): Promise<Uint8Array> {
  if (reader.size > MAX_XMP_BYTES) {
    throw new MalformedMetadataError(
      `Expected at most ${MAX_XMP_BYTES} bytes for the XMP packet but received ${reader.size}`,
    );
  }
  return readExactly(reader, 0, reader.size);
}

/**
 * Decodes a packet without byte order mark and padding. Throws MalformedMetadataError for invalid
 * text.
 */
function decodePacket(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder(encodingOf(bytes), { fatal: true }).decode(bytes);
    return withoutPadding(text);
  } catch {
    throw new MalformedMetadataError('Expected UTF-8 or UTF-16 for the XMP packet but received invalid text');
  }
}

/** Removes NULs, blanks and byte order marks at both ends, in one pass over each of them. */
function withoutPadding(text: string): string {
  const isPadding = (at: number): boolean => text[at] === '\0' || (text[at] ?? '').trim() === '';
  let start = 0;
  let end = text.length;
  while (start < end && isPadding(start)) start++;
  while (end > start && isPadding(end - 1)) end--;
  return text.slice(start, end);
}

function encodingOf(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return 'utf-16le';
  return (first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c) ? 'utf-16be' : 'utf-8';
}
