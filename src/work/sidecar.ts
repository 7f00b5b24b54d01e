import { z } from 'zod';
import { uprightSize } from '../pyramid/source-image.ts';
import { MAX_SIDECAR_BYTES, MAX_WARNINGS } from '../metadata/bounds.ts';
import { EmbeddedMetadata, type MetadataFields } from '../metadata/embedded-metadata.ts';
import { RedactedMetadata } from '../metadata/redact.ts';

const Size = z.strictObject({ width: z.int().min(1), height: z.int().min(1) });

const SidecarSource = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  /** Bytes. */
  size: z.int().min(0),
  etag: z.string(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/u)
    .optional(),
  md5: z
    .string()
    .regex(/^[0-9a-f]{32}$/u)
    .optional(),
  format: z.string(),
  /** As the pixels lie in the file. */
  stored: Size,
  /** As people see it: the orientation applied. */
  upright: Size,
  /** Without alpha. */
  bands: z.int().min(1),
  alpha: z.boolean(),
  bitDepth: z.int().min(1),
  /** As Exif numbers it. */
  orientation: z.int().min(1).max(8),
  compression: z.string().optional(),
});

const SidecarPublished = z.strictObject({
  bucket: z.string().optional(),
  key: z.string(),
  /** Bytes. */
  size: z.int().min(1),
  etag: z.string(),
  tileSize: z.int().min(1),
  compression: z.string(),
  /** Full size first. */
  levels: z.array(Size),
});

const SidecarMetadata = z.strictObject({
  redacted: RedactedMetadata.shape.redacted,
  exif: EmbeddedMetadata.shape.exif,
  gps: EmbeddedMetadata.shape.gps,
  iptc: EmbeddedMetadata.shape.iptc,
  xmp: EmbeddedMetadata.shape.xmp,
  text: EmbeddedMetadata.shape.text,
  icc: EmbeddedMetadata.shape.icc,
  resolution: EmbeddedMetadata.shape.resolution,
  warnings: EmbeddedMetadata.shape.warnings,
});
type SidecarMetadata = z.infer<typeof SidecarMetadata>;

/** What is known of a published pyramid: where it came from, what its master says of itself, and what made it. */
export const Sidecar = z.strictObject({
  schemaVersion: z.literal(1),
  source: SidecarSource,
  published: SidecarPublished,
  recipe: z.strictObject({ name: z.string(), version: z.int().min(1) }),
  software: z.strictObject({ stepwell: z.string(), sharp: z.string(), libvips: z.string() }),
  metadata: SidecarMetadata,
});
export type Sidecar = z.infer<typeof Sidecar>;

export interface SidecarRequest {
  readonly source: Omit<Sidecar['source'], 'stored' | 'upright'> & { readonly width: number; readonly height: number };
  readonly published: Sidecar['published'];
  readonly recipe: Sidecar['recipe'];
  readonly software: Sidecar['software'];
  readonly metadata: RedactedMetadata;
}

/**
 * The sidecar of a published pyramid, at most 1 MiB when stored: the largest parts of the metadata are left out, with a
 * warning, until it fits. The same request gives the same bytes, in whatever order its keys are.
 */
export function makeSidecar({ source, published, recipe, software, metadata }: SidecarRequest): Sidecar {
  const { width, height, ...object } = source;
  const { exif, gps, iptc, xmp, text, icc, resolution, redacted, warnings } = metadata;
  const ordered = {
    schemaVersion: 1,
    source: {
      ...object,
      stored: { width, height },
      upright: uprightSize({ width, height, orientation: source.orientation }),
    },
    published,
    recipe,
    software,
    metadata: {
      redacted,
      exif: sorted(exif),
      gps: gps && sorted(gps),
      iptc: sorted(iptc),
      xmp: xmp && { ...xmp, fields: sorted(xmp.fields) },
      text: text && sorted(text),
      icc,
      resolution,
      warnings,
    },
  };
  // Through JSON, so that what is undefined is absent; the schema puts keys in its own order.
  return fitted(Sidecar.parse(JSON.parse(JSON.stringify(ordered))));
}

/** The sidecar as it is stored: JSON in UTF-8, indented, with a line break at its end. */
export function sidecarBytes(sidecar: Sidecar): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(sidecar, undefined, 2)}\n`);
}

function sorted(fields: MetadataFields): MetadataFields {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A part that may be left out, and what it is called. */
interface Part {
  readonly name: string;
  readonly bytes: number;
  leaveOut(): void;
}

function fitted(sidecar: Sidecar): Sidecar {
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
    copy.metadata.warnings = [...sidecar.metadata.warnings, ...sayLeftOut(leftOut)];
  }
}

function sayLeftOut(names: readonly string[]): string[] {
  const said = names.slice(0, MAX_WARNINGS).map((name) => `sidecar: ${name} is left out, it is too large`);
  return names.length > said.length ? [...said, `sidecar: and ${names.length - said.length} more`] : said;
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
