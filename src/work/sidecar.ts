/** The sidecar `<published>.json`: a description of a published pyramid and its master. */
import { z } from 'zod';
import type { Publication } from '../ledger/ledger.ts';
import { levelsOf, type Plan } from '../pyramid/plan.ts';
import { describeRange, MappedRange } from '../pyramid/mapped-range.ts';
import { uprightSize } from '../pyramid/source-image.ts';
import { EmbeddedMetadata, type MetadataFields } from '../metadata/embedded-metadata.ts';
import { RedactedMetadata } from '../metadata/redact.ts';
import type { RecordedChecksums, Source, SourcePage } from './execution-input.ts';
import type { Header } from './header.ts';
import { limitSidecar, sidecarBytes } from './sidecar-limit.ts';

const Size = z.strictObject({ width: z.int().min(1), height: z.int().min(1) });

const SidecarSource = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  /** Of a document, `number` from 1; `name` is the PageName of a TIFF. */
  page: z.strictObject({ number: z.int().min(1), count: z.int().min(2), name: z.string().optional() }).optional(),
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
  /** Size of the stored pixels. */
  stored: Size,
  /** Size with the orientation applied. */
  upright: Size,
  /** Without alpha. */
  bands: z.int().min(1),
  alpha: z.boolean(),
  bitDepth: z.int().min(1),
  mappedRange: MappedRange.optional(),
  /** Exif Orientation. */
  orientation: z.int().min(1).max(8),
});

type SidecarPage = NonNullable<z.infer<typeof SidecarSource>['page']>;

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
export type SidecarMetadata = z.infer<typeof SidecarMetadata>;

/**
 * The source of the pyramid, the embedded metadata of the master, and the software that processed
 * it.
 */
export const Sidecar = z.strictObject({
  schemaVersion: z.literal(1),
  source: SidecarSource,
  published: SidecarPublished,
  recipe: z.strictObject({ name: z.string(), version: z.int().min(1) }),
  software: z.strictObject({ stepwell: z.string(), sharp: z.string(), libvips: z.string() }),
  metadata: SidecarMetadata,
});
export type Sidecar = z.infer<typeof Sidecar>;

interface SidecarParts {
  readonly source: Source;
  readonly header: Header;
  readonly plan: Plan;
  readonly digests: RecordedChecksums;
  /** What was unusual about the pixels. */
  readonly warnings: readonly string[];
  readonly published: Pick<Publication, 'bucket' | 'key' | 'size' | 'etag'>;
}

/** The sidecar of a published pyramid as stored. */
export function sidecarOf({ source, header, plan, digests, warnings: unusual, published }: SidecarParts): Uint8Array {
  const { image, recipe } = plan;
  const { sha256, md5, leftOut } = digests;
  const { bucket, key, size, etag } = source;
  const page = source.page && pageOfSidecar(source.page, header);
  const { width, height, bands, alpha, bitDepth, orientation, converted, mappedRange } = image;
  // A range that the header states is among the warnings of the header.
  const measured = mappedRange?.from === 'pixels' ? describeRange(mappedRange) : [];
  const warnings = [...header.metadata.warnings, ...measured, ...unusual, ...(leftOut === undefined ? [] : [leftOut])];
  return sidecarBytes(
    makeSidecar({
      source: {
        ...{ bucket, key, page, size, etag, sha256, md5 },
        format: converted?.from ?? image.format,
        ...{ width, height, bands, alpha, bitDepth, mappedRange, orientation },
      },
      published: {
        bucket: published.bucket,
        key: published.key,
        size: published.size,
        etag: published.etag,
        tileSize: recipe.tileSize,
        compression: recipe.encoding.compression,
        levels: levelsOf(plan).map((level) => ({ width: level.width, height: level.height })),
      },
      recipe: { name: recipe.name, version: recipe.version },
      software: header.software,
      metadata: { ...header.metadata, warnings },
    }),
  );
}

function pageOfSidecar({ number, count }: SourcePage, { metadata }: Header): SidecarPage {
  const name = metadata.exif['PageName'];
  return { number, count, ...(typeof name === 'string' ? { name } : {}) };
}

export interface SidecarRequest {
  readonly source: Omit<Sidecar['source'], 'stored' | 'upright'> & { readonly width: number; readonly height: number };
  readonly published: Sidecar['published'];
  readonly recipe: Sidecar['recipe'];
  readonly software: Sidecar['software'];
  readonly metadata: RedactedMetadata;
}

/**
 * The sidecar of a published pyramid, at most 1 MiB when stored: the largest parts of the metadata
 * are omitted, with a warning, until it fits. The bytes do not depend on the order of the keys in
 * the request.
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
  // The JSON copy omits undefined values; the schema sorts the keys in its own order.
  return limitSidecar(Sidecar.parse(JSON.parse(JSON.stringify(ordered))));
}

function sorted(fields: MetadataFields): MetadataFields {
  return Object.fromEntries(Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1)));
}
