import type { RangeReader } from '../tiff/range-reader.ts';
import { Tag } from '../tiff/tags.ts';
import { joinedReader } from './bounded-reader.ts';
import type { Carriers } from './carriers.ts';
import type { Ifd, TiffStream } from './ifd.ts';

export const XMP_TAG = 700;
export const IPTC_TAG = 33_723;
const PHOTOSHOP_TAG = 34_377;

/** What the first directory of a TIFF carries beside its own fields. */
export function findInTiff(stream: TiffStream, ifd0: Ifd): Carriers {
  const field = (tag: number): RangeReader | undefined => {
    const found = ifd0.get(tag);
    return found && joinedReader(stream.reader, [{ offset: found.offset, length: found.bytes }]);
  };
  return { xmp: field(XMP_TAG), iptc: field(IPTC_TAG), photoshop: field(PHOTOSHOP_TAG), icc: field(Tag.IccProfile) };
}
