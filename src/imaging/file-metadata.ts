import { sharp } from './sharp.ts';

/** The header of an image file, as sharp describes it. */
export type FileMetadata = Awaited<ReturnType<ReturnType<typeof sharp>['metadata']>>;

/** Lets libvips parse the header of a file from its first bytes. */
export function readFileMetadata(bytes: Uint8Array): Promise<FileMetadata> {
  return sharp(bytes, { limitInputPixels: false, ignoreIcc: true }).metadata();
}
