import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { assertAffordable, decode, probe } from '../formats/convert.ts';
import type { DecodedImage } from '../formats/decoded-image.ts';
import { writeTiledTiff } from '../formats/tiled-tiff.ts';
import { identify } from '../formats/identify.ts';
import { libraryVersions } from '../imaging/library-versions.ts';
import { RejectedImageError } from '../errors.ts';
import type { EmbeddedMetadata } from '../metadata/embedded-metadata.ts';
import { readEmbeddedMetadata } from '../formats/read-metadata.ts';
import type { ConvertibleFormat, SourceImage } from '../pyramid/source-image.ts';
import { readRecipe } from '../recipe/read.ts';
import { type Call, lambdaHandler, type Ports } from '../runtime.ts';
import type { ObjectInfo, ObjectRef, ObjectStore, Piece } from '../storage/object-store.ts';
import { memoryReader, type RangeReader } from '../bytes/range-reader.ts';
import { openPixels, openSource } from '../work/pinned-object.ts';
import { computeChecksums, writeChecksums } from '../work/checksums.ts';
import { sourceLogFields, UnconvertedState } from '../work/execution-state.ts';
import { workArea } from '../work/work-area.ts';
import { writeHeader } from '../work/header.ts';

/**
 * Converts a master in a format that sharp's libvips does not read to a tiled TIFF in the work
 * area, which later steps read by slices. A master that would not fit in memory is rejected before
 * it is decoded.
 */
export function makeConvertSource({ store, config }: Pick<Ports, 'store' | 'config'>) {
  return async ({ source, recipe: name, image }: UnconvertedState, { log }: Call): Promise<SourceImage> => {
    const { convertFrom: format } = image;
    const area = workArea(config.workBucket, source);
    const recipe = await readRecipe(config.recipesDirectory, name);
    const master = await openSource(store, source);
    const options = { dpi: recipe.dpi, background: recipe.background };
    const shape = await probe(format, master.reader, options);
    const pages = shape.pages ?? 1;
    if (pages > 1 && recipe.pages === 'reject') throw new RejectedImageError('MULTI_PAGE', `${pages} pages`);
    assertAffordable(format, shape, master.info.size, config.memory.conversion);
    const bytes = await master.withFile((file) => readFile(file));
    await writeChecksums(
      store,
      area,
      await computeChecksums({ info: master.info, recipe, content: memoryReader(bytes) }),
    );
    const { key } = area.converted;
    const { etag } = await storeAsTiff(store, area.converted, await decode(format, bytes, options));
    const converted = { from: format, key, etag };
    const { reader } = await openPixels(store, config.workBucket, source, { converted });
    const identified = await identify(reader, 'tiff', recipe);
    const embedded = await metadataOf(format, memoryReader(bytes), reader);
    const warnings = pages > 1 ? [`pages: the first of ${pages} pages is published`] : [];
    const metadata = { ...embedded, warnings: [...warnings, ...embedded.warnings] };
    await writeHeader(store, area, { info: master.info, metadata, identified, recipe, libraries: libraryVersions() });
    log.info('source.converted', { format, width: shape.width, height: shape.height });
    return { ...identified.image, converted };
  };
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

/** Size of one piece of the upload. Bytes. */
const PIECE_BYTES = 8 * 2 ** 20;

async function storeAsTiff(store: ObjectStore, target: ObjectRef, image: DecodedImage): Promise<ObjectInfo> {
  const file = path.join(os.tmpdir(), `stepwell-${randomUUID()}.tif`);
  try {
    await writeTiledTiff(file, image);
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
