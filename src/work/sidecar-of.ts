import type { Source } from './execution-input.ts';
import type { Publication } from '../ledger/ledger.ts';
import { makeSidecar, sidecarBytes } from './sidecar.ts';
import { levelsOf, type Plan } from '../pyramid/plan.ts';
import type { RecordedChecksums } from './record-checksums.ts';
import type { Header } from './work-area.ts';

interface SidecarParts {
  readonly source: Source;
  readonly header: Header;
  readonly plan: Plan;
  readonly digests: RecordedChecksums;
  readonly published: Pick<Publication, 'bucket' | 'key' | 'size' | 'etag'>;
}

/** The sidecar of a published pyramid, as it is stored. */
export function sidecarOf({ source, header, plan, digests, published }: SidecarParts): Uint8Array {
  const { image, recipe } = plan;
  const { sha256, md5, leftOut } = digests;
  const { bucket, key, size, etag } = source;
  const { width, height, bands, alpha, bitDepth, orientation, converted } = image;
  const warnings = [...header.metadata.warnings, ...(leftOut === undefined ? [] : [leftOut])];
  return sidecarBytes(
    makeSidecar({
      source: {
        ...{ bucket, key, size, etag, sha256, md5 },
        format: converted?.from ?? image.format,
        ...{ width, height, bands, alpha, bitDepth, orientation },
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
