import { sharp } from './sharp.ts';

/** Versions of the libraries that read and write pixels. */
export function libraryVersions(): { readonly sharp: string; readonly libvips: string } {
  const { sharp: version, vips } = sharp.versions;
  return { sharp: version, libvips: vips };
}
