import type { RangeReader } from '../bytes/range-reader.ts';
import type { SyncReader } from '../bytes/sync-reader.ts';
import type { Carriers } from '../metadata/carriers.ts';
import type { Warnings } from '../metadata/warnings.ts';
import type { SourceImage } from '../pyramid/source-image.ts';
import type { PagePolicy, Recipe } from '../recipe/recipe.ts';
import type { Description } from '../tiff/pyramid-fields.ts';
import type { DecodedImage, ImageShape } from './decoded-image.ts';

/** Bytes at the start of a file that its format is recognised by. */
export const PREFIX_BYTES = 512;

interface FormatBase {
  /**
   * Stored in work objects and shown in logs; the registry checks it against
   * src/pyramid/source-image.ts.
   */
  readonly name: string;
  /** The format's name in messages, such as JPEG 2000. */
  readonly title: string;
  /** Whether a file that starts with these bytes, at most `PREFIX_BYTES`, is of this format. */
  matches(prefix: Uint8Array): boolean;
  /**
   * The signature may be at any offset of the prefix, so it may also be quoted in a file of another
   * format. Signatures at fixed offsets, including those of refused formats, are tested first.
   */
  readonly hasFloatingSignature?: true;
  /**
   * Locates embedded metadata: a few ranged reads. Malformed structures become warnings. Absent
   * where none is read. Errors of the storage pass through.
   */
  metadata?(reader: RangeReader, warnings: Warnings): Promise<Carriers>;
}

/** The fields of a recipe that the meaning of a header depends on. */
export type HeaderOptions = Pick<Recipe, 'unspecifiedSamples'>;

/** The content of the header of a master. */
export interface Identified {
  readonly image: SourceImage;
  /** True if a field that decoders read states the orientation. */
  readonly statesOrientation?: boolean;
  readonly description: Description;
  /**
   * What was ignored, and deviations from the format that leave no pixel in doubt. They are listed
   * in the sidecar.
   */
  readonly warnings: readonly string[];
}

/** The pictures of a master that are published. */
export type PictureChoice =
  | {
      readonly kind: 'one';
      /** Offset of the TIFF directory of the picture, unless it is the first one. Bytes. */
      readonly directory?: number;
      /** What is not published, for the sidecar. */
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: 'several';
      /** Offsets of the TIFF directories of the pages, in their order. Bytes. */
      readonly directories: readonly number[];
    };

/** A format that libvips decodes, block by block where the file allows it. */
export interface DirectFormat extends FormatBase {
  readonly kind: 'direct';
  /**
   * Chooses among the pages of a file; absent for formats of one picture. Throws RejectedImageError
   * or MalformedTiffError.
   */
  choosePicture?(reader: RangeReader, policy: PagePolicy): Promise<PictureChoice>;
  /**
   * Reads the header of the first picture: a few ranged reads, no pixels decoded. Throws
   * RejectedImageError or MalformedTiffError.
   */
  header(reader: RangeReader, options: HeaderOptions): Promise<Identified>;
  /**
   * Whether the file reaches to the end of its image, which tells a file that was cut short from a
   * damaged one. May read all of it. Absent where the header determines it.
   */
  isWhole?(reader: RangeReader): Promise<boolean>;
}

export interface DecodeOptions {
  /**
   * Resolution at which a PDF page is rendered, in pixels per inch; the other formats have pixels
   * of their own.
   */
  readonly dpi: number;
  /** Page of a PDF, from 1; by default the first. */
  readonly page?: number | undefined;
  /**
   * Colour such as #ffffff under PDF pages and transparent GIF frames; JP2, BMP and HEIC keep their
   * alpha.
   */
  readonly background: string;
  /**
   * Size that the decoder's WebAssembly memory may have, in bytes; absent: what its module is built
   * for.
   */
  readonly heap?: number;
}

/** Memory that a decoder needs. */
export interface DecoderMemory {
  /** Largest size of the decoder's WebAssembly memory; 0 for decoders without one. Bytes. */
  readonly heap: number;
  /**
   * Number of copies of the decoded samples that exist at the same time outside that memory,
   * including the result.
   */
  readonly rasterCopies: number;
}

/**
 * A format that is decoded as a whole, by its `Decoder`, and converted to a TIFF before it is
 * planned.
 */
export interface ConvertedFormat extends FormatBase {
  readonly kind: 'converted';
}

/** The part of a converted format that only ConvertSource needs. */
export interface Decoder {
  /**
   * The size and the samples that a master decodes to, from its header: a few ranged reads, nothing
   * decoded. Throws RejectedImageError.
   */
  header(reader: RangeReader, options: Pick<DecodeOptions, 'dpi' | 'page'>): Promise<ImageShape>;
  /**
   * Decodes the first picture, upright. Throws RejectedImageError when the file is cut short,
   * damaged, or of a kind that has no decoder here.
   */
  decode(bytes: Uint8Array, options: DecodeOptions): Promise<DecodedImage>;
  /**
   * The same from a file of which the decoder reads the parts that it needs. Absent where it needs
   * all of it.
   */
  readonly inPieces?: {
    header(reader: SyncReader, options: Pick<DecodeOptions, 'dpi' | 'page'>): Promise<ImageShape>;
    decode(reader: SyncReader, options: DecodeOptions): Promise<DecodedImage>;
  };
  /** Upper bound of the memory that decoding a file of `fileBytes` to `shape` needs. */
  memory(shape: ImageShape, fileBytes: number): DecoderMemory;
}

/** Tests for a signature at a fixed offset; each character represents one byte. */
export function signature(text: string, at = 0): (prefix: Uint8Array) => boolean {
  return (prefix) =>
    prefix.length >= at + text.length &&
    Array.from(text).every((byte, index) => prefix[at + index] === byte.charCodeAt(0));
}

/** Tests for any of several signatures. */
export function anyOf(...tests: readonly ((prefix: Uint8Array) => boolean)[]): (prefix: Uint8Array) => boolean {
  return (prefix) => tests.some((test) => test(prefix));
}
