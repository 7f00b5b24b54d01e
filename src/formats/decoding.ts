/**
 * Decoding of whole files in a process of its own, where it can be ended: decoders are third-party
 * code, run without interruption, and files tell them how long (docs/decisions/0021).
 */
import { isolated } from '../isolation/isolated.ts';
import type { ConvertibleFormat } from '../pyramid/source-image.ts';
import { decodePath, probePath } from './convert.ts';
import type { ImageShape } from './decoded-image.ts';
import type { DecodeOptions } from './format.ts';
import { writeTiledTiff } from './tiled-tiff.ts';

interface MasterFile {
  readonly format: ConvertibleFormat;
  /** Path of the master. */
  readonly file: string;
  readonly options: DecodeOptions;
}

const program = (): URL => new URL('./decoding-process.ts', import.meta.url);

/** `probe` of a file, in an isolated process. */
export const probeFile = isolated('probeFile', program, ({ format, file, options }: MasterFile): Promise<ImageShape> =>
  probePath(format, file, options),
);

/** Decodes a file and writes its pixels as a tiled TIFF to `target`, in an isolated process. */
export const decodeFile = isolated(
  'decodeFile',
  program,
  async ({ format, file, options, target }: MasterFile & { readonly target: string }): Promise<void> => {
    await writeTiledTiff(target, await decodePath(format, file, options));
  },
);
