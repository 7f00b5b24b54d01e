import type { RangeReader } from '../bytes/range-reader.ts';
import { latin1, viewOf } from '../bytes/views.ts';
import { readExactly } from './bounded-reader.ts';
import { MAX_PROFILE_BYTES } from '../limits.ts';
import { MAX_ICC_TAGS } from './bounds.ts';
import type { IccSummary } from './embedded-metadata.ts';
import { cleanText, decodeText } from './text.ts';
import { MalformedMetadataError } from './warnings.ts';

/**
 * Maximum of the description that is read; sufficient for all translations in real profiles. Bytes.
 */
const MAX_DESCRIPTION_BYTES = 65_536;

/** The header and the number of tags (ICC.1:2022, sections 7.2 and 7.3). Bytes. */
const ICC_HEADER_BYTES = 132;

/**
 * Why `size` bytes that start with `header` are not a profile that is used; undefined if they are
 * one. Bytes after the size that the header declares are padding.
 */
function profileDefect(header: Uint8Array, size: number): string | undefined {
  if (size > MAX_PROFILE_BYTES) return `Expected at most ${MAX_PROFILE_BYTES} bytes but received ${size}`;
  if (header.length < ICC_HEADER_BYTES) return `Expected at least ${ICC_HEADER_BYTES} bytes but received ${size}`;
  if (latin1(header.subarray(36, 40)) !== 'acsp')
    return 'Expected the signature acsp for the ICC header but received another';
  const declared = viewOf(header).getUint32(0);
  if (declared < ICC_HEADER_BYTES || declared > size)
    return `Expected a declared size of ${ICC_HEADER_BYTES} to ${size} bytes but received ${declared}`;
  return undefined;
}

/**
 * The profile without padding; undefined if the bytes are not a profile, or a too large one.
 * `readIcc` reports the same.
 */
export function usableProfile(bytes: Uint8Array | undefined): Uint8Array | undefined {
  if (!bytes || profileDefect(bytes.subarray(0, ICC_HEADER_BYTES), bytes.length) !== undefined) return undefined;
  return bytes.subarray(0, viewOf(bytes).getUint32(0));
}

/**
 * Reads colour space, class, version and description of a profile (ICC.1:2022, sections 7.2, 7.3
 * and 9.2.41), without its curves and tables. Throws MalformedMetadataError for data that is not a
 * profile.
 */
export async function readIcc(reader: RangeReader): Promise<IccSummary> {
  const header = await readExactly(reader, 0, Math.min(ICC_HEADER_BYTES, reader.size));
  const defect = profileDefect(header, reader.size);
  if (defect !== undefined) throw new MalformedMetadataError(`${defect}; the profile is left out`);
  const code = (at: number): string => cleanText(latin1(header.subarray(at, at + 4)));
  const tags = Math.min(viewOf(header).getUint32(128), MAX_ICC_TAGS, Math.floor((reader.size - ICC_HEADER_BYTES) / 12));
  const table = await readExactly(reader, ICC_HEADER_BYTES, tags * 12);
  const description = await readDescription(reader, table);
  return {
    ...(description ? { description } : {}),
    ...(code(16) ? { colourSpace: code(16) } : {}),
    ...(code(12) ? { deviceClass: code(12) } : {}),
    version: `${header[8] ?? 0}.${(header[9] ?? 0) >> 4}`,
  };
}

async function readDescription(reader: RangeReader, table: Uint8Array): Promise<string | undefined> {
  const view = viewOf(table);
  for (let at = 0; at < table.length; at += 12) {
    if (latin1(table.subarray(at, at + 4)) !== 'desc') continue;
    const length = Math.min(view.getUint32(at + 8), MAX_DESCRIPTION_BYTES);
    return descriptionText(await readExactly(reader, view.getUint32(at + 4), length));
  }
  return undefined;
}

/**
 * Version 2 has one ASCII text; version 4 has one UTF-16 text per language, of which English is
 * preferred.
 */
function descriptionText(value: Uint8Array): string | undefined {
  const type = latin1(value.subarray(0, 4));
  if (value.length < 16)
    throw new MalformedMetadataError(`Expected at least 16 bytes for the ICC description but received ${value.length}`);
  const view = viewOf(value);
  if (type === 'desc') return cleanText(decodeText(value.subarray(12, 12 + view.getUint32(8))));
  if (type !== 'mluc')
    throw new MalformedMetadataError('Expected the type desc or mluc for the ICC description but received another');
  const records = Math.min(view.getUint32(8), Math.floor((value.length - 16) / 12));
  const starts = Array.from({ length: records }, (_, index) => 16 + 12 * index);
  const english = starts.find((at) => latin1(value.subarray(at, at + 2)) === 'en');
  const chosen = english ?? starts[0];
  if (chosen === undefined) return undefined;
  const from = view.getUint32(chosen + 8);
  return cleanText(new TextDecoder('utf-16be').decode(value.subarray(from, from + view.getUint32(chosen + 4))));
}
