import { describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import {
  deltaE2000,
  encodeSrgb,
  labOfSrgb,
  labOfXyz,
  multiply,
  srgbOfXyz,
  type Triple,
  xyzOfLab,
} from '../support/colorimetry.ts';
import { type DecodedMaster, decodeMaster } from '../support/decode-master.ts';
import { adobeRgb, cmykProfile, colorants, displayP3, greyProfile, proPhoto, rgbProfile } from '../support/icc.ts';
import { jpegWithProfile, photometric, pngWithChunk, pngWithProfile, sampledTiff, words } from '../support/profiled.ts';

/** CIEDE2000, pixel by pixel. */
function differences({ samples, bitDepth }: DecodedMaster, expected: readonly Triple[]): number[] {
  const full = 2 ** bitDepth - 1;
  expect(samples).toHaveLength(expected.length * 3);
  return expected.map((srgb, pixel) => {
    const [r = 0, g = 0, b = 0] = samples.slice(pixel * 3, pixel * 3 + 3);
    return deltaE2000(labOfSrgb(srgb), labOfSrgb([r / full, g / full, b / full]));
  });
}

function worstDifference(decoded: DecodedMaster, expected: readonly Triple[]): number {
  return Math.max(...differences(decoded, expected));
}

// Rounding to 8 bits causes a difference of up to 0.5 in the darkest colours. lcms interpolates 16
// bits on a grid: the error is as large at the edge of sRGB and almost zero inside.
const WORST = 0.6;
const MEAN = { 8: 0.2, 16: 0.05 } as const;

test('deltaE2000 agrees with the published test data', () => {
  // Sharma, Wu and Dalal 2005, table 1: pairs 1, 7, 16, 17, 25 and 34.
  const pairs: readonly [Triple, Triple, number][] = [
    [[50, 2.6772, -79.7751], [50, 0, -82.7485], 2.0425],
    [[50, 0, 0], [50, -1, 2], 2.3669],
    [[50, 2.5, 0], [50, 0, -2.5], 4.3065],
    [[50, 2.5, 0], [73, 25, -18], 27.1492],
    [[60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644],
    [[2.0776, 0.0795, -1.135], [0.9033, -0.0636, -0.5514], 0.9082],
  ];
  for (const [a, b, difference] of pairs) expect(deltaE2000(a, b)).toBeCloseTo(difference, 4);
  expect(labOfXyz(xyzOfLab([40, 30, -60])).map((value) => value.toFixed(6))).toEqual([
    '40.000000',
    '30.000000',
    '-60.000000',
  ]);
});

/** A lattice of colours: every combination of a few values, in one row. */
const steps = [0, 0.05, 0.2, 0.5, 0.8, 1];
const lattice = steps.flatMap((r) => steps.flatMap((g) => steps.map((b): Triple => [r, g, b])));

describe('RGB with a profile becomes sRGB, close to floating point by the definition of the profile', () => {
  for (const space of [adobeRgb, displayP3, proPhoto]) {
    const matrix = colorants(space);
    // A profile stores its exponent in steps of 1/256.
    const gamma = Math.round(space.gamma * 256) / 256;
    for (const bits of [8, 16] as const) {
      const full = 2 ** bits - 1;
      const samples = lattice.flatMap((pixel) => pixel.map((value) => Math.round(value * full)));
      const expected = lattice.map((pixel) => {
        const linear = pixel.map((value) => (Math.round(value * full) / full) ** gamma) as unknown as Triple;
        return srgbOfXyz(multiply(matrix, linear));
      });
      const tiff = (): Buffer =>
        sampledTiff({
          width: lattice.length,
          height: 1,
          photometric: photometric.rgb,
          samplesPerPixel: 3,
          bits,
          data: bits === 8 ? Uint8Array.from(samples) : words(samples),
          profile: rgbProfile(space),
        });

      test(`${space.name}, ${bits} bits, in a TIFF`, async () => {
        const decoded = await decodeMaster(tiff());
        expect(decoded).toMatchObject({ bands: 3, bitDepth: bits, image: { model: 'rgb', profile: 'other' } });
        expect(worstDifference(decoded, expected)).toBeLessThan(WORST);
        const all = differences(decoded, expected);
        expect(all.reduce((sum, each) => sum + each) / all.length).toBeLessThan(MEAN[bits]);
      });

      test(`${space.name}, ${bits} bits, in a PNG`, async () => {
        const raw = { width: lattice.length, height: 1, channels: 3 } as const;
        const data = bits === 8 ? Uint8Array.from(samples) : Uint16Array.from(samples);
        const png = await sharp(data, { raw })
          .toColourspace(bits === 8 ? 'srgb' : 'rgb16')
          .png()
          .toBuffer();
        const decoded = await decodeMaster(pngWithProfile(png, rgbProfile(space)));
        expect(decoded).toMatchObject({ bands: 3, bitDepth: bits });
        expect(worstDifference(decoded, expected)).toBeLessThan(WORST);
      });

      test(`${space.name}, ${bits} bits, published in 8 bits`, async () => {
        // The low byte is dropped after the conversion: an error of at most one step, most visible
        // in dark colours.
        expect(worstDifference(await decodeMaster(tiff(), { depth: 8 }), expected)).toBeLessThan(
          bits === 8 ? 0.6 : 1.2,
        );
      });
    }
  }

  test('Adobe RGB, 8 bits, in a JPEG', async () => {
    const create = { width: 16, height: 16, channels: 3, background: '#c81e32' } as const;
    const jpeg = await sharp({ create }).jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer();
    const [red = 0, green = 0, blue = 0] = await sharp(jpeg).raw().toBuffer();
    const gamma = Math.round(adobeRgb.gamma * 256) / 256;
    const linear: Triple = [(red / 255) ** gamma, (green / 255) ** gamma, (blue / 255) ** gamma];
    const expected = srgbOfXyz(multiply(colorants(adobeRgb), linear));
    const decoded = await decodeMaster(jpegWithProfile(jpeg, rgbProfile(adobeRgb)));
    expect(
      worstDifference(
        decoded,
        Array.from({ length: 256 }, () => expected),
      ),
    ).toBeLessThan(WORST);
  });
});

describe('grey with a profile becomes one band with the tone curve of sRGB', () => {
  for (const gamma of [1.8, 2.2]) {
    for (const bits of [8, 16] as const) {
      test(`with gamma ${gamma} in ${bits} bits`, async () => {
        const full = 2 ** bits - 1;
        const samples = Array.from({ length: 256 }, (_, value) => (bits === 8 ? value : value * 257));
        const decoded = await decodeMaster(
          sampledTiff({
            width: 256,
            height: 1,
            photometric: photometric.blackIsZero,
            samplesPerPixel: 1,
            bits,
            data: bits === 8 ? Uint8Array.from(samples) : words(samples),
            profile: greyProfile(gamma),
          }),
        );
        expect(decoded).toMatchObject({ bands: 1, bitDepth: bits });
        const exponent = Math.round(gamma * 256) / 256;
        const lightness = (srgb: number): Triple => [labOfSrgb([srgb, srgb, srgb])[0], 0, 0];
        const worst = Math.max(
          ...samples.map((sample, index) =>
            deltaE2000(
              lightness(encodeSrgb((sample / full) ** exponent)),
              lightness((decoded.samples[index] ?? 0) / full),
            ),
          ),
        );
        expect(worst).toBeLessThan(0.35);
      });
    }
  }
});

/** Solid inks of ISO 12647-2 on coated paper; overprints are approximated as darker. */
const inks: readonly Triple[] = [
  [16, 0, 0],
  [89, -5, 93],
  [48, 74, -3],
  [55, -37, -50],
];
const solid = (index: number): Triple => {
  const used = inks.filter((_, ink) => (index >> ink) & 1);
  // Relative to the paper and down to black, so that all rendering intents give the same result.
  if (used.length === 0) return [100, 0, 0];
  if (used.length === 4) return [0, 0, 0];
  const mean = (at: number): number => used.reduce((sum, ink) => sum + (ink[at] ?? 0), 0) / used.length;
  return [mean(0) / used.length, mean(1) * 0.8, mean(2) * 0.8];
};
const overprints = Array.from({ length: 16 }, (_, index) => [8, 4, 2, 1].map((bit) => (index & bit ? 255 : 0)));

describe('CMYK becomes sRGB', () => {
  const tiff = (profile?: Uint8Array, bits: 8 | 16 = 8): Buffer =>
    sampledTiff({
      width: 16,
      height: 1,
      photometric: photometric.cmyk,
      samplesPerPixel: 4,
      bits,
      data: bits === 8 ? Uint8Array.from(overprints.flat()) : words(overprints.flat().map((value) => value * 257)),
      ...(profile ? { profile } : {}),
    });

  test.each([
    ['8 bits', 8],
    ['16 bits published in 8', 16],
  ] as const)('through the profile of the master, %s', async (_, bits) => {
    const decoded = await decodeMaster(tiff(cmykProfile(solid), bits), { colour: 'keep' });
    expect(decoded).toMatchObject({ bands: 3, bitDepth: 8, image: { model: 'cmyk', profile: 'other' } });
    const expected = overprints.map((_, index) => srgbOfXyz(xyzOfLab(solid(index))));
    expect(worstDifference(decoded, expected)).toBeLessThan(1);
  });

  test('through the profile of libvips where the master has none, which maps no ink to white and each ink to its colour', async () => {
    const decoded = await decodeMaster(tiff(), { colour: 'keep' });
    const pixel = (index: number): Triple =>
      labOfSrgb(decoded.samples.slice(index * 3, index * 3 + 3).map((value) => value / 255) as unknown as Triple);
    expect(decoded.samples.slice(0, 3)).toEqual([255, 255, 255]);
    // The printing condition is unknown, but every common one is close to coated paper of ISO
    // 12647-2.
    const solids = [1, 2, 4, 8].map((index, ink) => deltaE2000(pixel(index), inks[ink] ?? [0, 0, 0]));
    expect(Math.max(...solids)).toBeLessThan(15);
  });

  test('in a JPEG with the inverted samples of Adobe', async () => {
    const blue = Buffer.from(Array.from({ length: 256 }, () => [20, 60, 200]).flat());
    const raw = { width: 16, height: 16, channels: 3 } as const;
    const jpeg = await sharp(blue, { raw })
      .toColourspace('cmyk')
      .withIccProfile('cmyk')
      .jpeg({ quality: 100 })
      .toBuffer();
    expect((await sharp(jpeg).metadata()).space).toBe('cmyk');
    const decoded = await decodeMaster(jpeg);
    const [r = 0, g = 0, b = 0] = decoded.samples.map((value) => value / 255);
    // The blue is less saturated after conversion to CMYK and back.
    expect(deltaE2000(labOfSrgb([r, g, b]), labOfSrgb([20 / 255, 60 / 255, 200 / 255]))).toBeLessThan(15);
    expect([decoded.image.model, decoded.image.profile, b > 2 * r]).toEqual(['cmyk', 'other', true]);
  });
});

describe('L*a*b* becomes sRGB by its definition, under D50', () => {
  const colours = [0, 10, 30, 55, 80, 100].flatMap((lightness) =>
    [-100, -30, 0, 40, 90].flatMap((a) => [-100, -20, 0, 50, 100].map((b): Triple => [lightness, a, b])),
  );
  const encodings = {
    'TIFF, 8 bits': {
      model: photometric.lab,
      bits: 8,
      of: (l: number, a: number, b: number) => [(l * 255) / 100, a & 255, b & 255],
    },
    'TIFF, 16 bits': {
      model: photometric.lab,
      bits: 16,
      of: (l: number, a: number, b: number) => [(l * 65_535) / 100, (a * 256) & 65_535, (b * 256) & 65_535],
    },
    'ICC, 8 bits': {
      model: photometric.iccLab,
      bits: 8,
      of: (l: number, a: number, b: number) => [(l * 255) / 100, a + 128, b + 128],
    },
    'ICC, 16 bits': {
      model: photometric.iccLab,
      bits: 16,
      of: (l: number, a: number, b: number) => [l * 652.8, (a + 128) * 256, (b + 128) * 256],
    },
  } as const;
  for (const [name, { model, bits, of }] of Object.entries(encodings)) {
    for (const littleEndian of [true, false]) {
      test(`${name}, ${littleEndian ? 'little' : 'big'}-endian`, async () => {
        const samples = colours.flatMap(([l, a, b]) => of(l, a, b).map(Math.round));
        const decoded = await decodeMaster(
          sampledTiff({
            width: colours.length,
            height: 1,
            photometric: model,
            samplesPerPixel: 3,
            bits,
            littleEndian,
            data: bits === 8 ? Uint8Array.from(samples) : words(samples, littleEndian),
          }),
          { colour: 'keep' },
        );
        expect(decoded).toMatchObject({ bands: 3, bitDepth: bits });
        const exact = bits === 8 ? colours.map(([l, a, b]): Triple => [Math.round(l * 2.55) / 2.55, a, b]) : colours;
        expect(
          worstDifference(
            decoded,
            exact.map((lab) => srgbOfXyz(xyzOfLab(lab))),
          ),
        ).toBeLessThan(WORST);
      });
    }
  }

  test('16 bits published in 8', async () => {
    const samples = [0, 0, 0, 65_535, 0, 0, 32_768, 0, 0];
    const tiff = sampledTiff({
      width: 3,
      height: 1,
      photometric: photometric.lab,
      samplesPerPixel: 3,
      bits: 16,
      data: words(samples),
    });
    expect((await decodeMaster(tiff, { depth: 8 })).samples).toEqual([0, 0, 0, 255, 255, 255, 119, 119, 119]);
  });
});

describe('the profile of the published file', () => {
  const rgb = (profile?: Uint8Array): Buffer =>
    sampledTiff({
      width: 1,
      height: 1,
      photometric: photometric.rgb,
      samplesPerPixel: 3,
      bits: 8,
      data: Uint8Array.of(200, 100, 50),
      ...(profile ? { profile } : {}),
    });
  const grey = (profile?: Uint8Array): Buffer =>
    sampledTiff({
      width: 1,
      height: 1,
      photometric: photometric.blackIsZero,
      samplesPerPixel: 1,
      bits: 8,
      data: Uint8Array.of(100),
      ...(profile ? { profile } : {}),
    });
  const space = (profile: Buffer | undefined): string | undefined => profile?.toString('latin1', 16, 20);

  test('is that of sRGB, or its one-band equivalent, for converted samples', async () => {
    const converted = await decodeMaster(rgb(rgbProfile(adobeRgb)));
    expect(space(converted.profile)).toBe('RGB ');
    expect(converted.profile?.equals(rgbProfile(adobeRgb))).toBe(false);
    expect(space((await decodeMaster(grey(greyProfile(1.8)))).profile)).toBe('GRAY');
    // WebP has three bands.
    const webp = { encoding: { compression: 'webp', quality: 80 } } as const;
    expect(space((await decodeMaster(grey(greyProfile(1.8)), webp)).profile)).toBe('RGB ');
    const kept = await decodeMaster(grey(greyProfile(1.8)), { ...webp, colour: 'keep' });
    expect([kept.bands, space(kept.profile), new Set(kept.samples).size]).toEqual([3, 'RGB ', 1]);
  });

  test('is that of the master, with unchanged samples, where the recipe keeps colour', async () => {
    const profile = rgbProfile(adobeRgb);
    const kept = await decodeMaster(rgb(profile), { colour: 'keep' });
    expect([kept.profile?.equals(profile), kept.samples]).toEqual([true, [200, 100, 50]]);
  });

  test('is that of sRGB for a master with another sRGB profile, with unchanged samples', async () => {
    const { icc } = await sharp(
      await sharp({ create: { width: 1, height: 1, channels: 3, background: '#fff' } })
        .withIccProfile('srgb')
        .png()
        .toBuffer(),
    ).metadata();
    if (!icc) throw new Error('Expected a profile');
    const decoded = await decodeMaster(rgb(icc));
    expect([decoded.image.profile, decoded.samples, decoded.profile?.equals(icc)]).toEqual([
      'srgb',
      [200, 100, 50],
      true,
    ]);
  });

  test('is absent for a master without a profile, which is treated as sRGB', async () => {
    const png = await sharp(Buffer.of(200, 100, 50), { raw: { width: 1, height: 1, channels: 3 } })
      .png()
      .toBuffer();
    const gamma = Buffer.alloc(4);
    gamma.writeUInt32BE(100_000);
    for (const master of [rgb(), png, pngWithChunk(png, 'gAMA', gamma)]) {
      const decoded = await decodeMaster(master);
      expect([decoded.profile, decoded.samples]).toEqual([undefined, [200, 100, 50]]);
    }
  });

  test.each([
    ['that is for another colour model', greyProfile(2.2)],
    ['that is truncated', rgbProfile(adobeRgb).subarray(0, 200)],
    ['without its tone curves', Buffer.concat([rgbProfile(adobeRgb).subarray(0, 128), Buffer.alloc(4)])],
    ['that is not a profile', Buffer.from('not a profile')],
  ])('is absent for a master with a profile %s', async (_, profile) => {
    for (const bits of [8, 16] as const) {
      const samples = [200, 100, 50].map((value) => (bits === 8 ? value : value * 257));
      const decoded = await decodeMaster(
        sampledTiff({
          width: 1,
          height: 1,
          photometric: photometric.rgb,
          samplesPerPixel: 3,
          bits,
          data: bits === 8 ? Uint8Array.from(samples) : words(samples),
          profile,
        }),
      );
      expect([decoded.profile, decoded.samples, decoded.image.profile]).toEqual([undefined, samples, 'none']);
    }
  });

  test('does not affect the samples of a grey master with a damaged profile', async () => {
    const decoded = await decodeMaster(grey(greyProfile(1.8).subarray(0, 160)));
    expect(decoded.samples).toEqual([100]);
  });

  test('is that of sRGB for a CMYK master with a damaged profile, converted with the profile of libvips', async () => {
    const cmyk = sampledTiff({
      width: 1,
      height: 1,
      photometric: photometric.cmyk,
      samplesPerPixel: 4,
      bits: 8,
      data: Uint8Array.of(0, 0, 0, 0),
      profile: cmykProfile(solid).subarray(0, 300),
    });
    const decoded = await decodeMaster(cmyk);
    expect([decoded.samples, space(decoded.profile)]).toEqual([[255, 255, 255], 'RGB ']);
  });
});

describe('transparent pixels with a profile are flattened onto the background after conversion', () => {
  test.each([8, 16] as const)('in RGB and grey of %i bits', async (bits) => {
    const full = 2 ** bits - 1;
    const half = Math.round(full / 2);
    const make = (samples: number[], channels: 2 | 4): Promise<Buffer> =>
      sharp(bits === 8 ? Uint8Array.from(samples) : Uint16Array.from(samples), {
        raw: { width: samples.length / channels, height: 1, channels },
      })
        .toColourspace(bits === 8 ? (channels === 2 ? 'b-w' : 'srgb') : channels === 2 ? 'grey16' : 'rgb16')
        .png()
        .toBuffer();
    const rgb = await make([0, full, 0, full, 0, full, 0, 0, full, full, full, half], 4);
    const colours = await decodeMaster(pngWithProfile(rgb, rgbProfile(proPhoto)), { depth: 8, background: '#204060' });
    // Full green of ROMM RGB is outside sRGB. The second pixel is the background alone, the third
    // half white and half background.
    expect(colours.samples.slice(0, 6)).toEqual([0, 255, 0, 0x20, 0x40, 0x60]);
    [(255 + 0x20) / 2, (255 + 0x40) / 2, (255 + 0x60) / 2].forEach((value, band) => {
      expect(Math.abs((colours.samples[6 + band] ?? 0) - value)).toBeLessThanOrEqual(1);
    });
    const grey = await make([half, full, half, 0], 2);
    const greys = await decodeMaster(pngWithProfile(grey, greyProfile(1)), { depth: 8, background: '#404040' });
    // A linear value of one half is encoded as 188 by the tone curve of sRGB.
    expect(greys.bands).toBe(1);
    expect(Math.abs((greys.samples[0] ?? 0) - 188)).toBeLessThanOrEqual(1);
    expect(greys.samples[1]).toBe(0x40);
  });
});
