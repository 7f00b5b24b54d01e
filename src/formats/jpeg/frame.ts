import { RejectedImageError } from '../../errors.ts';
import type { JpegFrame } from './structure.ts';

/** Coding processes of ITU-T T.81 that libjpeg does not decode, by the marker of their frame. */
const undecoded: Readonly<Record<number, string>> = {
  0xc3: 'a lossless JPEG',
  0xc5: 'a hierarchical JPEG',
  0xc6: 'a hierarchical JPEG',
  0xc7: 'a hierarchical JPEG',
  0xcb: 'a lossless JPEG',
  0xcd: 'a hierarchical JPEG',
  0xce: 'a hierarchical JPEG',
  0xcf: 'a hierarchical JPEG',
};

const JPEG_LS = 0xf7;

/**
 * Throws RejectedImageError for a kind of JPEG that has no decoder here, by its name:
 * UNSUPPORTED_FORMAT for JPEG-LS, else UNSUPPORTED_PIXELS.
 */
export function assertDecodableFrame({ marker, precision, height }: JpegFrame): void {
  if (marker === JPEG_LS) {
    throw new RejectedImageError('UNSUPPORTED_FORMAT', 'this is a JPEG-LS image; save it as TIFF or PNG and send that');
  }
  const kind = undecoded[marker];
  if (kind !== undefined) refuse(`it is ${kind}`);
  if (precision !== 8) refuse(`it is a JPEG of ${precision} bits a sample`);
  if (height === 0) refuse('it is a JPEG that states its height after its pixels');
}

function refuse(what: string): never {
  throw new RejectedImageError('UNSUPPORTED_PIXELS', `${what}; save it as a baseline JPEG, TIFF or PNG and send that`);
}
