import type { RangeReader } from '../../bytes/range-reader.ts';
import { Tag } from '../../tiff/tags.ts';
import { joinedReader } from '../../metadata/bounded-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import type { Ifd, TiffStream } from '../../metadata/ifd.ts';

/** What the first directory of a TIFF carries beside its own fields. */
export function findInTiff(stream: TiffStream, ifd0: Ifd): Carriers {
  const field = (tag: number): RangeReader | undefined => {
    const found = ifd0.get(tag);
    return found && joinedReader(stream.reader, [{ offset: found.offset, length: found.bytes }]);
  };
  return {
    xmp: field(Tag.Xmp),
    iptc: field(Tag.Iptc),
    photoshop: field(Tag.PhotoshopResources),
    icc: field(Tag.IccProfile),
  };
}
