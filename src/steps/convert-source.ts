import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { withFileReader } from '../bytes/file-reader.ts';
import { assertAffordable, assertReadable } from '../formats/convert.ts';
import { type DecodingLimits, FileConversion } from '../formats/convert-file.ts';
import { identify } from '../formats/identify.ts';
import { libraryVersions } from '../imaging/library-versions.ts';
import { RejectedImageError } from '../errors.ts';
import { MAX_PAGES } from '../limits.ts';
import type { EmbeddedMetadata } from '../metadata/embedded-metadata.ts';
import { readEmbeddedMetadata } from '../formats/read-metadata.ts';
import type { ConvertibleFormat, SourceImage } from '../pyramid/source-image.ts';
import { readRecipe } from '../recipe/read.ts';
import type { Recipe } from '../recipe/recipe.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, Piece } from '../storage/object-store.ts';
import type { RangeReader } from '../bytes/range-reader.ts';
import { openPixels, openSource } from '../work/pinned-object.ts';
import { computeChecksums, writeChecksums } from '../work/checksums.ts';
import { type Document, sourceLogFields, UnconvertedState } from '../work/execution-state.ts';
import { workArea } from '../work/work-area.ts';
import { writeHeader } from '../work/header.ts';

/**
 * Part of the invocation's time that is reserved for storing the converted TIFF. Milliseconds.
 */
const STORING_TIME = 20_000;

/**
 * Converts a master in a format that sharp's libvips does not read to a tiled TIFF in the work
 * area, which later steps read by slices. A master that would not fit in memory is rejected before
 * it is decoded, and one whose decoder does not end in time is rejected then. Finds the pages of a
 * document.
 */
export function makeConvertSource(
  { store, config }: Pick<Ports, 'store' | 'config'>,
  limits: Pick<DecodingLimits, 'decodingTime' | 'memory'> = {},
) {
  return async (state: UnconvertedState, { log, remainingMs }: Call): Promise<SourceImage | Document> => {
    const { source, recipe: name, checksums } = state;
    const { convertFrom: format } = state.image;
    const area = workArea(config.workBucket, source);
    const recipe = await readRecipe(config.recipesDirectory, name);
    const master = await openSource(store, source);
    const budget = config.memory.conversion;
    assertReadable(format, master.info.size, budget);
    return master.withFile(async (file) => {
      const options = { dpi: recipe.dpi, background: recipe.background, page: source.page?.number };
      const conversion = new FileConversion(
        { format, file, fileBytes: master.info.size, options },
        { ...limits, budget, remainingMs: () => remainingMs() - STORING_TIME },
      );
      const shape = await conversion.probe();
      const pages = source.page ? 1 : (shape.pages ?? 1);
      if (pages > 1 && isDocument(pages, recipe)) {
        log.info('document.recognised', { format, pages });
        return { pages: { count: pages } };
      }
      assertAffordable(format, shape, master.info.size, budget);
      if (!checksums) {
        const content = createReadStream(file, { highWaterMark: DIGEST_READ_BYTES });
        await writeChecksums(store, area, await computeChecksums({ info: master.info, recipe, content }));
      }
      const { key } = area.converted;
      const { etag } = await storeAsTiff(store, area.converted, (target) => conversion.writeTiff(shape, target));
      const converted = { from: format, key, etag };
      const { reader } = await openPixels(store, config.workBucket, source, { converted });
      const identified = await identify(reader, 'tiff', recipe);
      const embedded = await withFileReader(file, (bytes) => metadataOf(format, bytes, reader));
      const warnings = pages > 1 ? [`pages: the first of ${pages} pages is published`] : [];
      const metadata = { ...embedded, warnings: [...warnings, ...(shape.warnings ?? []), ...embedded.warnings] };
      await writeHeader(store, area, { info: master.info, metadata, identified, recipe, libraries: libraryVersions() });
      log.info('source.converted', { format, width: shape.width, height: shape.height });
      return { ...identified.image, converted };
    });
  };
}

/**
 * Whether every page of a document of several becomes an image of its own. Throws
 * RejectedImageError when the recipe rejects it, and when it has more than MAX_PAGES.
 */
function isDocument(pages: number, recipe: Pick<Recipe, 'pages'>): boolean {
  if (recipe.pages === 'reject') throw new RejectedImageError('MULTI_PAGE', `${pages} pages`);
  if (recipe.pages !== 'all') return false;
  if (pages <= MAX_PAGES) return true;
  throw new RejectedImageError('MULTI_PAGE', `${pages} pages, of which at most ${MAX_PAGES} are published`);
}

/** The metadata of the master with the profile and the resolution of the converted TIFF. */
async function metadataOf(
  format: ConvertibleFormat,
  master: RangeReader,
  converted: RangeReader,
): Promise<EmbeddedMetadata> {
  const { icc, resolution } = await readEmbeddedMetadata(converted, 'tiff');
  return {
    ...(await readEmbeddedMetadata(master, format)),
    ...(icc ? { icc } : {}),
    ...(resolution ? { resolution } : {}),
  };
}

/** Size of the reads for digests. Bytes. */
const DIGEST_READ_BYTES = 2 ** 20;

/** Size of one piece of the upload. Bytes. */
const PIECE_BYTES = 8 * 2 ** 20;

async function storeAsTiff(
  store: ObjectStore,
  target: ObjectRef,
  write: (file: string) => Promise<void>,
): Promise<ObjectInfo> {
  const file = path.join(os.tmpdir(), `stepwell-${randomUUID()}.tif`);
  try {
    await write(file);
    await using handle = await open(file);
    const { size } = await handle.stat();
    return await store.compose(target, piecesOf(handle, size));
  } finally {
    await rm(file, { force: true });
  }
}

function piecesOf(handle: FileHandle, size: number): Piece[] {
  return Array.from({ length: Math.ceil(size / PIECE_BYTES) }, (_, index) => {
    const offset = index * PIECE_BYTES;
    const length = Math.min(PIECE_BYTES, size - offset);
    return {
      length,
      async make() {
        const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafeSlow(length), 0, length, offset);
        return buffer.subarray(0, bytesRead);
      },
    };
  });
}

export const handler = lambdaHandler(UnconvertedState, makeConvertSource, sourceLogFields);
