/** The stored bytes of tiles, as `@cogeotiff/core` finds them. */
import { Tiff } from '@cogeotiff/core';

/** The tiles of one page in row-major order. JPEG tiles begin with the tables of the page. */
export async function tilesOfPage(tiff: Uint8Array, page: number): Promise<{ across: number; tiles: Buffer[] }> {
  const source = {
    url: new URL('memory://tiff'),
    metadata: { size: tiff.length },
    fetch: (offset: number, length = tiff.length - offset) =>
      Promise.resolve(Uint8Array.from(tiff.subarray(offset, offset + length)).buffer),
  };
  const { images } = await Tiff.create(source);
  const image = images[page];
  if (!image) throw new RangeError(`Expected more than ${page} pages but received ${images.length}`);
  const { x: across, y: down } = image.tileCount;
  const tiles = await Promise.all(
    Array.from({ length: across * down }, (_, index) => image.getTile(index % across, Math.floor(index / across))),
  );
  return { across, tiles: tiles.map((tile) => Buffer.from(tile?.bytes ?? new ArrayBuffer(0))) };
}
