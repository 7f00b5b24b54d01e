import { pagedReader, type RangeReader } from '../../bytes/range-reader.ts';
import { MalformedTiffError } from '../../errors.ts';
import { malformed } from '../../imaging/decode-errors.ts';
import { joinedReader } from '../../metadata/bounded-reader.ts';
import type { Carriers } from '../../metadata/carriers.ts';
import { type Ifd, openTiffStream, readIfd } from '../../metadata/ifd.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';
import { Tag } from '../../tiff/tags.ts';
import { anyOf, type DirectFormat, signature } from '../format.ts';
import { identifyTiff } from './header.ts';
import { chooseTiffPicture } from './pages.ts';

/** TIFF 6.0 and BigTIFF, of either byte order. */
export const tiff = {
  kind: 'direct',
  name: 'tiff',
  title: 'TIFF',
  matches: anyOf(signature('II*\0'), signature('MM\0*'), signature('II+\0'), signature('MM\0+')),
  choosePicture: (reader, policy) => chooseTiffPicture(reader, policy).catch(rethrow),
  header: (reader, options) => identifyTiff(pagedReader(reader), options).catch(rethrow),
  metadata: findInTiff,
} as const satisfies DirectFormat;

function rethrow(error: unknown): never {
  throw error instanceof MalformedTiffError ? malformed(error) : error;
}

/**
 * Locates the metadata fields of the first directory. A TIFF is itself the structure that other
 * formats have as their Exif block, so the whole file is that carrier.
 */
async function findInTiff(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const directory = await firstDirectory(reader, warnings);
  const field = (tag: number): RangeReader | undefined => {
    const found = directory?.get(tag);
    return found && joinedReader(reader, [{ offset: found.offset, length: found.bytes }]);
  };
  return {
    exif: reader,
    xmp: field(Tag.Xmp),
    iptc: field(Tag.Iptc),
    photoshop: field(Tag.PhotoshopResources),
    icc: field(Tag.IccProfile),
  };
}

async function firstDirectory(reader: RangeReader, warnings: Warnings): Promise<Ifd | undefined> {
  try {
    const stream = await openTiffStream(reader);
    return await readIfd(stream, stream.first, 'first directory', warnings);
  } catch (error) {
    // The Exif reader opens the same directory and reports it.
    if (error instanceof MalformedMetadataError) return undefined;
    throw error;
  }
}
