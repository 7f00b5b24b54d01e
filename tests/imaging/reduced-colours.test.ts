import { describe, expect, test } from '@jest/globals';
import sharp, { type Sharp } from 'sharp';
import { deltaE2000, encodeSrgb, labOfSrgb, srgbOfXyz, type Triple, xyzOfLab } from '../support/colorimetry.ts';
import { adobeRgb, cmykProfile, greyProfile, proPhoto, rgbProfile } from '../support/icc.ts';
import { picture, pictureOf } from '../support/pixels.ts';
import {
  jpegWithProfile,
  photometric,
  pngWithProfile,
  type SampledTiff,
  sampledTiff,
  words,
} from '../support/profiled.ts';
import { height, onePass, reduced, samplesOf, width, worstDifference } from '../support/reduced.ts';

const tiff = (
  samples: Pick<SampledTiff, 'photometric' | 'samplesPerPixel' | 'bits' | 'data'> & Partial<SampledTiff>,
): Buffer => sampledTiff({ width, height, rowsPerStrip: 16, ...samples });
const deep = (bands: number): number[] => Array.from(picture(width, height, bands), (value) => value * 257);

describe('an image whose colours are converted is reduced to the pixels of one pass of sharp', () => {
  test('from RGB of 8 bits with a profile', async () => {
    const rgb = { photometric: photometric.rgb, samplesPerPixel: 3, bits: 8, data: picture(width, height, 3) };
    const sliced = tiff({ ...rgb, profile: rgbProfile(adobeRgb) });
    const jpeg = jpegWithProfile(await pictureOf(width, height).jpeg().toBuffer(), rgbProfile(adobeRgb));
    for (const master of [sliced, jpeg]) {
      const { samples } = await reduced(master);
      expect(worstDifference(samples, await samplesOf(onePass(master).withIccProfile('srgb'), 'srgb'))).toBe(0);
    }
  });

  test('from RGB of 16 bits with a profile, published in 16 and in 8 bits', async () => {
    const master = tiff({
      photometric: photometric.rgb,
      samplesPerPixel: 3,
      bits: 16,
      data: words(deep(3)),
      profile: rgbProfile(proPhoto),
    });
    const whole = onePass(sharp(master, { ignoreIcc: true }).toColourspace('rgb16')).withIccProfile('srgb');
    const expected = await samplesOf(whole, 'rgb16');
    expect(worstDifference((await reduced(master)).samples, expected)).toBe(0);
    const { samples } = await reduced(master, { depth: 8 });
    expect(
      worstDifference(
        samples,
        expected.map((sample) => sample >> 8),
      ),
    ).toBe(0);
  });

  test('from grey with a profile', async () => {
    const master = tiff({
      photometric: photometric.blackIsZero,
      samplesPerPixel: 1,
      bits: 8,
      data: picture(width, height, 1),
      profile: greyProfile(1.8),
    });
    const { samples, bands } = await reduced(master);
    expect(bands).toBe(1);
    const grey = (value: number): Triple => labOfSrgb([value, value, value]);
    const stored = await samplesOf(onePass(master), 'b-w');
    const differences = samples.map((sample, at) =>
      deltaE2000(grey(sample / 255), grey(encodeSrgb(((stored[at] ?? 0) / 255) ** 1.8))),
    );
    expect(Math.max(...differences)).toBeLessThan(0.6);
  });

  test('from CMYK with and without a profile', async () => {
    const cmyk = { photometric: photometric.cmyk, samplesPerPixel: 4, bits: 8, data: picture(width, height, 4) };
    const solid = (index: number): Triple => [100 - index * 6, index % 3 === 0 ? 20 : -20, index % 2 === 0 ? 30 : -30];
    for (const more of [{ profile: cmykProfile(solid) }, {}]) {
      const master = tiff({ ...cmyk, ...more });
      const { samples } = await reduced(master);
      expect(worstDifference(samples, await samplesOf(onePass(sharp(master)), 'srgb'))).toBe(0);
    }
  });

  test.each([8, 16] as const)(
    'from L*a*b* of %i bits, converted to sRGB by its definition before it is reduced',
    async (bits) => {
      const stored = picture(width, height, 3);
      const data = bits === 8 ? stored : words(Array.from(stored, (value) => value * 256));
      const signed = (value = 0): number => (value > 127 ? value - 256 : value);
      // L* = 100 is 0xffff in 16 bits where a* and b* are signed.
      const lightness = bits === 8 ? 1 / 2.55 : 25_600 / 65_535;
      const colours = Array.from({ length: width * height }, (_, pixel) => {
        const [l = 0, a, b] = stored.subarray(pixel * 3, pixel * 3 + 3);
        return srgbOfXyz(xyzOfLab([l * lightness, signed(a), signed(b)]));
      }).flat();
      const raw = { width, height, channels: 3 } as const;
      const srgb = sharp(Buffer.from(colours.map((value) => Math.round(value * 255))), { raw });
      const master = tiff({ photometric: photometric.lab, samplesPerPixel: 3, bits, data });
      const { samples } = await reduced(master, { depth: 8 });
      expect(worstDifference(samples, await samplesOf(onePass(srgb), 'srgb'))).toBeLessThanOrEqual(1);
    },
  );
});

describe('an image with alpha is reduced without dark edges', () => {
  /** A red disc on transparent black. */
  const disc = (full: number): number[] =>
    Array.from({ length: width * height }, (_, pixel) => {
      const [x, y] = [(pixel % width) - width / 2, Math.floor(pixel / width) - height / 2];
      return x * x + y * y < 120 ** 2 ? [full, 0, 0, full] : [0, 0, 0, 0];
    }).flat();
  /** The same on white of 65,535; sharp itself flattens onto 65,280. */
  const opaqueDisc = (): Sharp => {
    const transparent = disc(65_535);
    const opaque = transparent.map((value, at) => (transparent[at - (at % 4) + 3] === 0 ? 65_535 : value));
    const rgb = Uint16Array.from(opaque.filter((_, at) => at % 4 !== 3));
    return sharp(rgb, { raw: { width, height, channels: 3 } }).toColourspace('rgb16');
  };
  const masters = {
    8: (): Promise<Buffer> =>
      sharp(Buffer.from(disc(255)), { raw: { width, height, channels: 4 } })
        .png()
        .toBuffer(),
    16: (): Promise<Buffer> =>
      sharp(Uint16Array.from(disc(65_535)), { raw: { width, height, channels: 4 } })
        .toColourspace('rgb16')
        .png()
        .toBuffer(),
  };

  test.each([8, 16] as const)('in %i bits, where every pixel between red and white has full red', async (bits) => {
    const full = 2 ** bits - 1;
    const master = await masters[bits]();
    const { samples, bitDepth } = await reduced(master);
    expect(bitDepth).toBe(bits);
    // The filters of libvips are accurate to a quarter of a percent in 16 bits.
    const worst = bits === 8 ? full : 0.99 * full;
    expect(Math.min(...samples.filter((_, at) => at % 3 === 0))).toBeGreaterThanOrEqual(worst);
    expect(Math.min(...samples.slice(0, 3))).toBeGreaterThanOrEqual(worst);
    const middle = (59 * 160 + 80) * 3;
    expect(Math.max(...samples.slice(middle + 1, middle + 3))).toBe(0);
    expect(
      worstDifference(
        samples,
        await samplesOf(onePass(bits === 8 ? master : opaqueDisc()), bits === 8 ? 'srgb' : 'rgb16'),
      ),
    ).toBe(0);
  });

  test.each([8, 16] as const)(
    'in %i bits with a profile, where every pixel has full red after conversion',
    async (bits) => {
      const master = pngWithProfile(await masters[bits](), rgbProfile(adobeRgb));
      const { samples } = await reduced(master, { depth: 8 });
      // The red of Adobe RGB is outside sRGB and is clipped, also at the edge of the disc, so no
      // pixel in between may be darker.
      expect(Math.min(...samples.filter((_, at) => at % 3 === 0))).toBeGreaterThanOrEqual(253);
      expect(samples.slice(0, 3)).toEqual([255, 255, 255]);
    },
  );

  test('in grey with alpha, flattened onto the background', async () => {
    const greys = Array.from({ length: width * height }, (_, pixel) =>
      pixel % width < 225 ? [255, 255] : [0, 0],
    ).flat();
    const master = await sharp(Buffer.from(greys), { raw: { width, height, channels: 2 } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const { samples, bands } = await reduced(master);
    expect([bands, Math.min(...samples), Math.max(...samples)]).toEqual([1, 255, 255]);
  });
});
