/** Colours that a HEIF image states by code points, `colr` of type nclx, and not by a profile. */
import { textOf } from '../header-bytes.ts';
import type { Property } from './heif-boxes.ts';

/** Colour primaries other than those of sRGB, 1, and unspecified ones, 2 (ITU-T H.273, table 2). */
const primaries: Readonly<Record<number, string>> = {
  9: 'BT.2020',
  11: 'DCI-P3',
  12: 'Display P3',
};

/** Transfer characteristics of high dynamic range (ITU-T H.273, table 3). */
const transfers: Readonly<Record<number, string>> = {
  16: 'PQ',
  18: 'HLG',
};

/**
 * Warnings about colours that are not converted: the samples are published as they are, as those of
 * any master without a profile.
 */
export function codedColourWarnings(properties: readonly Property[]): string[] {
  for (const { type, content } of properties) {
    if (type !== 'colr' || content.byteLength < 8 || textOf(content, 0) !== 'nclx') continue;
    const [gamut, curve] = [primaries[content.getUint16(4)], transfers[content.getUint16(6)]];
    const stated = [
      ...(gamut ? [`the primaries of ${gamut}`] : []),
      ...(curve ? [`high dynamic range (${curve})`] : []),
    ];
    if (stated.length === 0) return [];
    return [`the file states ${stated.join(' and ')} without an ICC profile; its samples are published as they are`];
  }
  return [];
}
