/** Thumbnails as files: `<base>/thumbnails/<size>.jpg`, made of the published pyramid. */
import { SourceChangedError } from '../../errors.ts';
import { openPublished } from '../../published/open-published.ts';
import { readRecipeFolderFile } from '../../recipe/read.ts';
import type { Recipe } from '../../recipe/recipe.ts';
import { parseThumbnailSize, type ThumbnailSize, ThumbnailSettings } from '../../recipe/thumbnail-sizes.ts';
import { type FilesContext, type Output, PIXELS_CACHE, type PlainFile } from '../output.ts';
import { thumbnailGeometry } from './geometry.ts';
import { makeThumbnail } from './make-thumbnail.ts';
import { thumbnailKey } from './stored-thumbnail.ts';

export const thumbnails: Output = {
  name: 'thumbnails',
  prefixes: (base) => [`${base}/thumbnails/`],
  planned({ width, height, recipe }, base) {
    const settings = recipe.thumbnails ?? ThumbnailSettings.parse({});
    const pictures = differentSizes(settings).map((size) => {
      const { width: across, height: down } = thumbnailGeometry(size, { width, height });
      return { size, key: thumbnailKey(base, size), width: across, height: down };
    });
    return {
      grids: [],
      tileKeys: () => [],
      images: [],
      fileKeys: pictures.map(({ key }) => key),
      pictures: pictures.map(({ key, width: across, height: down }) => ({ key, width: across, height: down })),
      files: (context) => makeFiles(context, settings, pictures),
    };
  },
};

/** The sizes that a stage makes on demand are those of its default recipe. */
export async function stageThumbnails(
  recipesDirectory: string,
  { thumbnails: settings = ThumbnailSettings.parse({}) }: Pick<Recipe, 'thumbnails'>,
): Promise<Omit<ThumbnailSettings, 'watermark'> & { readonly watermark: Uint8Array | undefined }> {
  const { watermark: name, ...rest } = settings;
  return { ...rest, watermark: name === undefined ? undefined : await readRecipeFolderFile(recipesDirectory, name) };
}

/** Different spellings of a size are one thumbnail. */
function differentSizes({ sizes }: ThumbnailSettings): ThumbnailSize[] {
  const found = sizes.map(parseThumbnailSize).filter((size) => size !== undefined);
  return [...new Map(found.map((size) => [size.name, size])).values()];
}

async function makeFiles(
  { store, published, recipesDirectory }: FilesContext,
  { quality, watermark: name }: ThumbnailSettings,
  pictures: readonly { readonly size: ThumbnailSize; readonly key: string }[],
): Promise<PlainFile[]> {
  const image = await openPublished(store, published);
  if (image.etag !== published.etag) throw new SourceChangedError(`${published.key} was published from a newer upload`);
  const watermark = name === undefined ? undefined : await readRecipeFolderFile(recipesDirectory, name);
  const files: PlainFile[] = [];
  for (const { size, key } of pictures) {
    const { jpeg } = await makeThumbnail(image, size, { quality, watermark });
    files.push({ key, bytes: jpeg, contentType: 'image/jpeg', cacheControl: PIXELS_CACHE });
  }
  return files;
}
