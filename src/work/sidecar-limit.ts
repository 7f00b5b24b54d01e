/** The size limit of sidecars. */
import { MAX_SIDECAR_BYTES, MAX_WARNINGS } from '../metadata/bounds.ts';
import type { MetadataFields } from '../metadata/embedded-metadata.ts';
import type { Sidecar, SidecarMetadata } from './sidecar.ts';

/** The sidecar as stored: indented JSON in UTF-8 with a final line break. */
export function sidecarBytes(sidecar: Sidecar): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(sidecar, undefined, 2)}\n`);
}

/** A part of the metadata that may be omitted. */
interface Part {
  readonly name: string;
  readonly bytes: number;
  leaveOut(): void;
}

/**
 * Omits the largest parts of the metadata, with a warning for each, until the sidecar has at most 1
 * MiB.
 */
export function limitSidecar(sidecar: Sidecar): Sidecar {
  const copy = structuredClone(sidecar);
  const leftOut: string[] = [];
  for (;;) {
    const excess = sidecarBytes(copy).length - MAX_SIDECAR_BYTES;
    if (excess <= 0) return copy;
    const parts = partsOf(copy.metadata).sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
    let freed = 0;
    for (const part of parts) {
      if (freed >= excess) break;
      part.leaveOut();
      freed += part.bytes;
      leftOut.push(part.name);
    }
    copy.metadata.warnings = [...sidecar.metadata.warnings, ...leftOutWarnings(leftOut)];
  }
}

function leftOutWarnings(names: readonly string[]): string[] {
  const warnings = names.slice(0, MAX_WARNINGS).map((name) => `sidecar: ${name} is left out, it is too large`);
  return names.length > warnings.length
    ? [...warnings, `sidecar: and ${names.length - warnings.length} more`]
    : warnings;
}

function partsOf(metadata: SidecarMetadata): Part[] {
  const { exif, gps, iptc, xmp, text } = metadata;
  const parts = [
    ...fieldParts('exif', exif),
    ...fieldParts('gps', gps),
    ...fieldParts('iptc', iptc),
    ...fieldParts('xmp', xmp?.fields),
    ...fieldParts('text', text),
  ];
  if (xmp?.packet !== undefined) {
    parts.push({ name: 'the XMP packet', bytes: jsonBytes(xmp.packet), leaveOut: () => delete xmp.packet });
  }
  return parts;
}

function fieldParts(group: string, fields: MetadataFields = {}): Part[] {
  return Object.entries(fields).map(([name, value]) => ({
    name: `${group} ${name}`,
    bytes: jsonBytes(value),
    leaveOut: () => Reflect.deleteProperty(fields, name),
  }));
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
