import type { Raster } from './raster.ts';
import { sharp } from './sharp.ts';

/** Writes a raster as a TIFF of uncompressed strips. */
export async function writeTiff(file: string, raster: Raster): Promise<void> {
  const { width, height, bands, data } = raster;
  await sharp(data, { raw: { width, height, channels: bands === 1 ? 1 : 3 }, limitInputPixels: width * height })
    .tiff({ compression: 'none', resolutionUnit: 'inch', xres: 300 / 25.4, yres: 300 / 25.4 })
    .toFile(file);
}
