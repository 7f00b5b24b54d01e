import { type DirectFormat, signature } from '../format.ts';
import { describeLibvipsHeader, FIRST_READ_BYTES, readLibvipsHeader } from '../libvips-header.ts';
import { findInJpeg } from './metadata.ts';

/** ITU-T T.81. */
export const jpeg = {
  kind: 'direct',
  name: 'jpeg',
  title: 'JPEG',
  matches: signature('\xff\xd8\xff'),
  async header(reader) {
    return describeLibvipsHeader('jpeg', await readLibvipsHeader(reader, FIRST_READ_BYTES), reader.size);
  },
  metadata: findInJpeg,
} as const satisfies DirectFormat;
