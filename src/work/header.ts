/** `header.json`: profile, resolution and embedded metadata of the master, for later steps. */
import { z } from 'zod';
import type { Identified } from '../formats/format.ts';
import { describedResolution } from '../formats/resolution.ts';
import type { EmbeddedMetadata } from '../metadata/embedded-metadata.ts';
import { redact, RedactedMetadata } from '../metadata/redact.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { Description } from '../tiff/pyramid-fields.ts';
import { isDigestSent } from './checksums.ts';
import { readText, toJsonBytes, type WorkArea } from './work-area.ts';

/**
 * Version of this project, repeated here because bundles have no package.json. A test compares the
 * two.
 */
export const VERSION = '0.1.0';

const HeaderSchema = Description.extend({
  /** Without the metadata that the recipe keeps private. */
  metadata: RedactedMetadata,
  /** Whether the uploader sent a digest of the master. */
  digestSent: z.boolean(),
  /** Versions of the software that reads and writes the pixels. */
  software: z.strictObject({ stepwell: z.string(), sharp: z.string(), libvips: z.string() }),
});
export type Header = z.infer<typeof HeaderSchema>;

interface HeaderRequest {
  /** Of the master. */
  readonly info: ObjectInfo;
  readonly metadata: EmbeddedMetadata;
  readonly identified: Identified;
  readonly recipe: Pick<Recipe, 'metadata'>;
  /**
   * Versions of the libraries. A parameter, because functions that only read the header do not load
   * sharp.
   */
  readonly libraries: Omit<Header['software'], 'stepwell'>;
}

/**
 * Writes the header, without the metadata that the recipe keeps private. The resolution is that of
 * the embedded metadata if decoders find none.
 */
export async function writeHeader(
  store: ObjectStore,
  area: WorkArea,
  { info, metadata: embedded, identified: { description, warnings }, recipe, libraries }: HeaderRequest,
): Promise<void> {
  const policy = {
    gps: recipe.metadata.gps !== 'keep',
    serialNumbers: recipe.metadata.serialNumbers !== 'keep',
  };
  const metadata = redact({ ...embedded, warnings: [...warnings, ...embedded.warnings] }, policy);
  const software = { stepwell: VERSION, ...libraries };
  const resolution = description.resolution ?? (metadata.resolution && describedResolution(metadata.resolution));
  const described = { ...description, ...(resolution ? { resolution } : {}) };
  const header = { ...described, metadata, digestSent: isDigestSent(info), software };
  await store.write(area.header, toJsonBytes(header));
}

/** Reads the header. Throws InconsistentWorkError when it is missing. */
export async function readHeader(store: ObjectStore, area: WorkArea): Promise<Header> {
  return HeaderSchema.parse(JSON.parse(await readText(store, area.header)));
}
