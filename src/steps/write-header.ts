import type { Identified } from '../imaging/identify.ts';
import { libraryVersions } from '../imaging/library-versions.ts';
import { readEmbeddedMetadata } from '../metadata/read.ts';
import { redact } from '../metadata/redact.ts';
import type { Recipe } from '../pyramid/recipe.ts';
import type { SourceFormat } from '../pyramid/source-image.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { RangeReader } from '../tiff/range-reader.ts';
import { VERSION } from '../version.ts';
import { toJsonBytes, type WorkArea } from './work-area.ts';

interface Described {
  readonly reader: RangeReader;
  readonly format: SourceFormat;
  readonly identified: Identified;
  readonly recipe: Pick<Recipe, 'metadata'>;
}

/** What the header says, to the work area; what the recipe does not let pass never gets there. */
export async function writeHeader(
  store: ObjectStore,
  area: WorkArea,
  { reader, format, identified, recipe }: Described,
): Promise<void> {
  const policy = {
    gps: recipe.metadata?.gps !== 'keep',
    serialNumbers: recipe.metadata?.serialNumbers !== 'keep',
  };
  const metadata = redact(await readEmbeddedMetadata(reader, format), policy);
  const software = { stepwell: VERSION, ...libraryVersions() };
  const header = { ...identified.description, metadata, software };
  await store.write(area.header, toJsonBytes(header));
}
