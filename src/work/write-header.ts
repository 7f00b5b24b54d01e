import type { Identified } from '../formats/format.ts';
import { libraryVersions } from '../imaging/library-versions.ts';
import type { EmbeddedMetadata } from '../metadata/embedded-metadata.ts';
import { redact } from '../metadata/redact.ts';
import type { Recipe } from '../recipe/recipe.ts';
import type { ObjectInfo, ObjectStore } from '../storage/object-store.ts';
import { VERSION } from './version.ts';
import { isDigestSent } from './record-checksums.ts';
import { toJsonBytes, type WorkArea } from './work-area.ts';

interface Described {
  /** Of the master. */
  readonly info: ObjectInfo;
  readonly metadata: EmbeddedMetadata;
  readonly identified: Identified;
  readonly recipe: Pick<Recipe, 'metadata'>;
}

/** What the header says, to the work area; what the recipe does not let pass never gets there. */
export async function writeHeader(
  store: ObjectStore,
  area: WorkArea,
  { info, metadata: embedded, identified, recipe }: Described,
): Promise<void> {
  const policy = {
    gps: recipe.metadata.gps !== 'keep',
    serialNumbers: recipe.metadata.serialNumbers !== 'keep',
  };
  const metadata = redact(embedded, policy);
  const software = { stepwell: VERSION, ...libraryVersions() };
  const digestSent = isDigestSent(info);
  const header = { ...identified.description, metadata, digestSent, software };
  await store.write(area.header, toJsonBytes(header));
}
