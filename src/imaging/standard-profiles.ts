/** The ICC profiles of published files whose colours were converted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeSrgb } from './srgb-curve.ts';
import { sharp } from './sharp.ts';

/** Name of the sRGB profile that is built into libvips. */
export const SRGB = 'srgb';

let srgb: Promise<Uint8Array> | undefined;

/** The bytes of the sRGB profile of libvips. */
export function srgbProfile(): Promise<Uint8Array> {
  srgb ??= readSrgbProfile();
  return srgb;
}

async function readSrgbProfile(): Promise<Uint8Array> {
  const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#ffffff' } });
  const { icc } = await sharp(await pixel.withIccProfile(SRGB).png().toBuffer()).metadata();
  if (!icc) throw new Error('Expected a profile of the name srgb in libvips');
  return icc;
}

/**
 * Number of samples of the tone curve. The error of linear interpolation is less than an eighth of
 * an 8-bit step.
 */
const CURVE_SAMPLES = 1024;

/**
 * A profile of one band with the tone curve of sRGB, which libvips does not have: a monochrome
 * display profile (ICC.1:2001-04).
 */
export function greyProfile(): Uint8Array {
  const description = 'Grey, sRGB tone curve';
  const tags: readonly [string, Uint8Array][] = [
    ['desc', descriptionTag(description)],
    ['cprt', latin(`text\0\0\0\0CC0\0`)],
    ['wtpt', whitePointTag()],
    ['kTRC', curveTag()],
  ];
  const tagsAt = 128 + 4 + 12 * tags.length;
  const size = tags.reduce((end, [, data]) => end + padded(data.length), tagsAt);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  const header = latin('mntrGRAYXYZ ');
  view.setUint32(0, size);
  view.setUint32(8, 0x0210_0000);
  bytes.set(header, 12);
  // A date is required; a constant keeps the profile identical between runs.
  [2000, 1, 1].forEach((part, index) => {
    view.setUint16(24 + 2 * index, part);
  });
  bytes.set(latin('acsp'), 36);
  bytes.set(whitePointTag().subarray(8), 68);
  view.setUint32(128, tags.length);
  let at = tagsAt;
  tags.forEach(([tag, data], index) => {
    bytes.set(latin(tag), 132 + 12 * index);
    view.setUint32(136 + 12 * index, at);
    view.setUint32(140 + 12 * index, data.length);
    bytes.set(data, at);
    at += padded(data.length);
  });
  return bytes;
}

/** D50 as s15Fixed16, section 6.1.4.2. */
function whitePointTag(): Uint8Array {
  const tag = new Uint8Array(20);
  tag.set(latin('XYZ '));
  [0xf6d6, 0x1_0000, 0xd32d].forEach((value, index) => {
    new DataView(tag.buffer).setInt32(8 + 4 * index, value);
  });
  return tag;
}

function curveTag(): Uint8Array {
  const tag = new Uint8Array(12 + 2 * CURVE_SAMPLES);
  const view = new DataView(tag.buffer);
  tag.set(latin('curv'));
  view.setUint32(8, CURVE_SAMPLES);
  for (let index = 0; index < CURVE_SAMPLES; index++) {
    view.setUint16(12 + 2 * index, Math.round(65_535 * decodeSrgb(index / (CURVE_SAMPLES - 1))));
  }
  return tag;
}

/** textDescriptionType, section 6.5.17: the text with empty Unicode and ScriptCode descriptions. */
function descriptionTag(text: string): Uint8Array {
  const tag = new Uint8Array(12 + text.length + 1 + 4 + 4 + 2 + 1 + 67);
  tag.set(latin('desc'));
  new DataView(tag.buffer).setUint32(8, text.length + 1);
  tag.set(latin(text), 12);
  return tag;
}

function latin(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

let file: string | undefined;

/**
 * Path of a temporary file with the grey profile, because sharp accepts an output profile only as a
 * path. The file is removed when the process exits.
 */
export function greyProfileFile(): string {
  if (file === undefined) {
    const directory = mkdtempSync(path.join(tmpdir(), 'stepwell-profile-'));
    process.once('exit', () => {
      rmSync(directory, { recursive: true, force: true });
    });
    file = path.join(directory, 'grey.icc');
    writeFileSync(file, greyProfile());
  }
  return file;
}
