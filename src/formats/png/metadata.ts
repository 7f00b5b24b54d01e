import { inflateSync } from 'node:zlib';
import { memoryReader, type RangeReader } from '../../bytes/range-reader.ts';
import { latin1, viewOf } from '../../bytes/views.ts';
import { joinedReader, readExactly } from '../../metadata/bounded-reader.ts';
import { MAX_INFLATED_BYTES, MAX_XMP_BYTES } from '../../metadata/bounds.ts';
import { type Carriers, withoutExifSignature } from '../../metadata/carriers.ts';
import type { Resolution } from '../../metadata/embedded-metadata.ts';
import { resolutionOf } from '../../metadata/exif.ts';
import { cleanText, decodeText } from '../../metadata/text.ts';
import { MalformedMetadataError, type Warnings } from '../../metadata/warnings.ts';
import { type PngChunk, type PngChunkType, walkPngChunks } from './chunks.ts';

const XMP_KEYWORD = 'XML:com.adobe.xmp';

/**
 * The keywords that the specification defines (section 11.3.3.1). Others are the writer's own, of
 * unknown meaning.
 */
const keywords: ReadonlySet<string> = new Set([
  'Title',
  'Author',
  'Description',
  'Copyright',
  'Creation Time',
  'Software',
  'Disclaimer',
  'Source',
  'Comment',
  'Collection',
]);

/** Reads the metadata chunks. */
export async function findInPng(reader: RangeReader, warnings: Warnings): Promise<Carriers> {
  const chunks: PngChunk[] = [];
  await warnings.attempt('PNG chunks', () => walkPngChunks(reader, chunks));
  const first = (type: PngChunkType): RangeReader | undefined => {
    const chunk = chunks.find((candidate) => candidate.type === type);
    return chunk && joinedReader(reader, [chunk]);
  };
  const [exif, profile, density] = [first('eXIf'), first('iCCP'), first('pHYs')];
  const inflate = boundedInflate();
  const carriers: Carriers = {
    exif: exif && (await warnings.attempt('eXIf', () => withoutExifSignature(exif))),
    icc: profile && (await warnings.attempt('iCCP', () => inflateProfile(profile, inflate))),
    resolution: density && (await warnings.attempt('pHYs', () => pixelsPerCentimetre(density))),
  };
  for (const chunk of chunks) {
    await warnings.attempt(chunk.type, () => addText(carriers, reader, chunk, inflate));
  }
  return carriers;
}

async function addText(carriers: Carriers, reader: RangeReader, chunk: PngChunk, inflate: Inflate): Promise<void> {
  if (chunk.type !== 'iTXt' && chunk.type !== 'tEXt' && chunk.type !== 'zTXt') return;
  const keyword = latin1(await reader.read(chunk.offset, Math.min(80, chunk.length))).split('\0')[0] ?? '';
  const isRaw = keyword.startsWith('Raw profile type ');
  if (keyword !== XMP_KEYWORD && !isRaw && !keywords.has(keyword)) return;
  // Of repeated keywords the first one counts.
  if (keyword === XMP_KEYWORD ? carriers.xmp : carriers.text?.[keyword] !== undefined) return;
  if (chunk.length > 2 * MAX_XMP_BYTES) throw new MalformedMetadataError(`Expected a shorter text for ${keyword}`);
  const data = await readExactly(reader, chunk.offset, chunk.length);
  const bytes = textBytes(chunk.type, data, keyword.length + 1, inflate);
  if (keyword === XMP_KEYWORD) carriers.xmp ??= memoryReader(bytes);
  else if (isRaw) await addRawProfile(carriers, keyword, bytes);
  else addKeyword(carriers, keyword, chunk.type === 'iTXt' ? decodeText(bytes) : latin1(bytes));
}

function addKeyword(carriers: Carriers, keyword: string, text: string): void {
  const clean = cleanText(text);
  if (clean !== '') carriers.text = { ...carriers.text, [keyword]: clean };
}

/**
 * The bytes of a text chunk after its keyword and the other fields that its type has before the
 * text.
 */
function textBytes(type: PngChunkType, data: Uint8Array, at: number, inflate: Inflate): Uint8Array {
  if (type === 'tEXt') return data.subarray(at);
  if (type === 'zTXt') return inflate(data.subarray(at + 1));
  const isCompressed = data[at] === 1;
  const language = data.indexOf(0, at + 2);
  const translated = data.indexOf(0, language + 1);
  if (language < 0 || translated < 0) throw new MalformedMetadataError('Expected a language and a translated keyword');
  const text = data.subarray(translated + 1);
  return isCompressed ? inflate(text) : text;
}

/**
 * ImageMagick's raw profile: a line break, a name, a length, and the bytes in hex. IPTC in a PNG is
 * stored only so.
 */
async function addRawProfile(carriers: Carriers, keyword: string, bytes: Uint8Array): Promise<void> {
  const text = latin1(bytes);
  const [header] = /^\s*\S+\s+\d+\s/u.exec(text.slice(0, 128)) ?? [];
  const digits = text.slice(header?.length);
  if (header === undefined || /[^\da-fA-F\s]/u.test(digits)) throw new MalformedMetadataError('Expected hex digits');
  const profile = memoryReader(Buffer.from(digits.replace(/\s/gu, ''), 'hex'));
  const kind = keyword.slice('Raw profile type '.length).toLowerCase();
  if (kind === 'exif' || kind === 'app1') carriers.exif ??= await withoutExifSignature(profile);
  if (kind === 'xmp') carriers.xmp ??= profile;
  if (kind !== 'iptc' && kind !== '8bim') return;
  const isResource = latin1(await profile.read(0, 4)) === '8BIM';
  if (isResource) carriers.photoshop ??= profile;
  else carriers.iptc ??= profile;
}

/** iCCP: a name, a NUL, the compression method, and the compressed profile. */
async function inflateProfile(chunk: RangeReader, inflate: Inflate): Promise<RangeReader> {
  if (chunk.size > MAX_INFLATED_BYTES) throw new MalformedMetadataError(`Expected at most ${MAX_INFLATED_BYTES} bytes`);
  const data = await readExactly(chunk, 0, chunk.size);
  return memoryReader(inflate(data.subarray(data.indexOf(0) + 2)));
}

type Inflate = (data: Uint8Array) => Uint8Array;

/** Largest size of decompressed data, as a multiple of the compressed (zlib, technical details). */
const MAX_DEFLATE_RATIO = 1_032;

/**
 * Decompresses the chunks of one file, up to MAX_INFLATED_BYTES in total. Throws
 * MalformedMetadataError for invalid data, which counts as what it may have been decompressed to,
 * and for data beyond the limit.
 */
function boundedInflate(): Inflate {
  let left = MAX_INFLATED_BYTES;
  return (data) => {
    try {
      const inflated = inflateSync(data, { maxOutputLength: left });
      left -= inflated.length;
      return inflated;
    } catch {
      left -= Math.min(left, MAX_DEFLATE_RATIO * data.length);
      throw new MalformedMetadataError(`Expected compressed data of at most ${MAX_INFLATED_BYTES} bytes`);
    }
  };
}

/**
 * pHYs: pixels per unit across and down, and the unit; only unit 1, the metre, makes them a
 * resolution.
 */
async function pixelsPerCentimetre(chunk: RangeReader): Promise<Resolution | undefined> {
  const view = viewOf(await readExactly(chunk, 0, 9));
  if (view.getUint8(8) !== 1) return undefined;
  return resolutionOf(view.getUint32(0) / 100, view.getUint32(4) / 100, 'cm');
}
