import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import sharp from 'sharp';
import { InconsistentWorkError, SourceChangedError } from '../../src/errors.ts';
import { assertAffordable } from '../../src/formats/convert.ts';
import { memoryLimits } from '../../src/limits.ts';
import type { AssembledState } from '../../src/work/execution-state.ts';
import { makeConvertSource } from '../../src/steps/convert-source.ts';
import { makeValidateObject } from '../../src/steps/validate-object.ts';
import { bmp } from '../support/bmp-fixtures.ts';
import { avifOf } from '../support/avif-fixtures.ts';
import { codedColours, codedItem, heic } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { j2k, jp2 } from '../support/jp2-fixtures.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { quietCall, testConfig } from '../support/pipeline.ts';
import { decodeLevels, picture } from '../support/pixels.ts';
import { psd } from '../support/psd-fixtures.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const published = 'stepwell-published';
/** A multiple of HEVC's block size. */
const size = { width: 320, height: 192 };
const rgb = picture(size.width, size.height, 3);
const grey = picture(size.width, size.height, 1);

/** A page that has exactly the size of the picture at 300 dpi. */
const onePage = pdf({
  pages: [{ width: 76.8, height: 46.08, content: '76.8 0 0 46.08 0 0 cm /Picture Do', picture: { ...size, rgb } }],
});

function bitmap(): Uint8Array {
  const row = (y: number): number[] =>
    Array.from({ length: size.width }, (_, x) => rgb.readUIntBE((y * size.width + x) * 3, 3));
  return bmp({ ...size, bitsPerPixel: 24, rows: Array.from({ length: size.height }, (_, y) => row(y)) });
}

async function animationOf(...frames: Buffer[]): Promise<Buffer> {
  const stack = Buffer.concat(frames);
  const raw = { width: size.width, height: size.height * frames.length, channels: 1, pageHeight: size.height } as const;
  return sharp(stack, { raw }).gif({ dither: 0 }).toBuffer();
}

const greyAsRgb = (samples: Uint8Array): Buffer =>
  Buffer.from([...samples].flatMap((sample) => [sample, sample, sample]));
/** At most 256 colours, for a palette. */
const steps8 = Buffer.from(grey.map((sample) => sample & 0xe0));
const inverted = Buffer.from(steps8.map((sample) => 255 - sample));

interface Master {
  readonly size: { readonly width: number; readonly height: number };
  readonly bytes: () => Uint8Array | Promise<Uint8Array>;
  /** The pixels of the first picture. */
  readonly pixels: Buffer;
}

const masters: Readonly<Record<string, Master>> = {
  avif: { size, bytes: () => avifOf({ ...size, channels: 3, samples: rgb }), pixels: rgb },
  bmp: { size, bytes: bitmap, pixels: rgb },
  gif: { size, bytes: () => animationOf(steps8, inverted), pixels: greyAsRgb(steps8) },
  heic: {
    size,
    bytes: () => {
      const stream = encodeHevc({ ...size, chromaFormat: 0, bits: 8, planes: [grey] });
      return heic({ items: [codedItem(stream, size, codedColours(6))] });
    },
    pixels: grey,
  },
  jp2: {
    size,
    bytes: async () =>
      jp2(await j2k({ ...size, bits: [8], samples: grey, tile: 128 }), { ...size, components: 1, colour: 17 }),
    pixels: grey,
  },
  pdf: { size, bytes: () => onePage, pixels: rgb },
  psd: {
    size,
    bytes: () => {
      const planes = [0, 1, 2].map((band) => rgb.filter((_, at) => at % 3 === band));
      return psd({ ...size, mode: 3, bits: 8, planes, coding: 1 });
    },
    pixels: rgb,
  },
};

describe('a master of another format', () => {
  test.each(Object.entries(masters))('%s is published with the pixels of its first picture', async (format, master) => {
    const bytes = await master.bytes();
    const state = await steps.assembled(`scans/first.${format}`, bytes, { recipe: 'archival' });
    await steps.verify(state);
    const publication = await steps.publish(state);
    const [full] = await decodeLevels(Buffer.from(await steps.store.read(publication)));
    expect(full).toMatchObject(master.size);
    expect(full?.pixels.equals(master.pixels)).toBe(true);

    const { sha256 } = await steps.publishSidecar(state, publication);
    const { source } = await steps.sidecarOf('scans/first.tif');
    expect(source).toMatchObject({ format, size: bytes.length, stored: size, sha256 });
    expect((await steps.ledger.get(state.source.imageId))?.metadata).toMatchObject({ format, fileSize: bytes.length });
    const beside = format === 'pdf' ? ['scans/first.pdf'] : [];
    const keys = [...(await steps.objects(published)).keys()].sort();
    expect(keys).toEqual([...beside, 'scans/first.tif', 'scans/first.tif.json']);
  });

  test('is identified by validation, which writes nothing', async () => {
    const input = await steps.upload('page.pdf', onePage);
    const reads: string[] = [];
    steps.hooks.after = (method, ref) => void reads.push(`${method} ${ref.bucket}`);
    expect(await makeValidateObject(steps.ports)(input, quietCall)).toEqual({
      convertFrom: 'pdf',
      fileSize: onePage.length,
    });
    expect(reads).toEqual(['head stepwell-source', 'read stepwell-source']);
  });

  test('that needs too much memory is rejected before it is decoded', async () => {
    const poster = pdf({ pages: [{ width: 14_400, height: 14_400, content: '' }] });
    await expect(steps.validate(await steps.upload('poster.pdf', poster))).rejects.toMatchObject({
      code: 'OVER_BUDGET',
      message: expect.stringContaining('a PDF of 60000 × 60000'),
    });
    expect((await steps.objects('stepwell-work')).size).toBe(0);
  });

  test('that fits functions of the standard memory is rejected by those of 3,008 MB before it is decoded', async () => {
    // 17,500 pixels a side at the 300 dpi of the recipe.
    const poster = pdf({ pages: [{ width: 4_200, height: 4_200, content: '' }] });
    const input = { ...(await steps.upload('poster.pdf', poster)), recipe: 'archival' };
    const convert = makeConvertSource({ ...steps.ports, config: { ...testConfig, memory: memoryLimits.small } });
    const image = { convertFrom: 'pdf', fileSize: poster.length } as const;
    await expect(convert({ ...input, image }, quietCall)).rejects.toMatchObject({
      code: 'OVER_BUDGET',
      message: expect.stringMatching(/a PDF of 17500 × 17500 needs 2\d{3} MiB to decode, there are 2000 MiB/u),
    });
    expect((await steps.objects('stepwell-work')).size).toBe(0);
    const shape = { width: 17_500, height: 17_500, bands: 3, alpha: false, bitDepth: 8 } as const;
    expect(() => {
      assertAffordable('pdf', shape, poster.length, testConfig.memory.conversion);
    }).not.toThrow();
  });

  test('whose decoder does not end in time is rejected, and no TIFF is written', async () => {
    const content = '0 0 2000 2000 re f\n'.repeat(20_000);
    const input = await steps.upload('fills.pdf', pdf({ pages: [{ width: 2_000, height: 2_000, content }] }));
    const convert = makeConvertSource(steps.ports, { decodingTime: 3_000 });
    const image = { convertFrom: 'pdf', fileSize: 1 } as const;
    await expect(convert({ ...input, image }, quietCall)).rejects.toMatchObject({
      code: 'OVER_BUDGET',
      message: 'OVER_BUDGET: decoding this PDF takes more than 3 s',
    });
    expect((await steps.objects('stepwell-work')).size).toBeLessThanOrEqual(1);
  });

  test('whose object is replaced while it is decoded is not rejected for what was read', async () => {
    const input = await steps.upload('cut.pdf', onePage.subarray(0, 400));
    steps.hooks.after = async (method, ref) => {
      if (method !== 'materialise') return;
      steps.hooks.after = undefined;
      await steps.store.write(ref, onePage);
    };
    const image = { convertFrom: 'pdf', fileSize: 1 } as const;
    await expect(makeConvertSource(steps.ports)({ ...input, image }, quietCall)).rejects.toThrow(SourceChangedError);
  });

  test('that is truncated is rejected, and no TIFF is written', async () => {
    const master = await j2k({ ...size, bits: [8], samples: grey, tile: 128 });
    const input = await steps.upload('cut.j2k', master.subarray(0, master.length / 2));
    await expect(steps.validate(input)).rejects.toMatchObject({ code: 'TRUNCATED' });
    expect([...(await steps.objects('stepwell-work')).keys()].filter((key) => key.endsWith('.tif'))).toEqual([]);
  });

  test('whose converted TIFF was replaced fails as inconsistent work', async () => {
    const planned = await steps.planned('scan.bmp', bitmap(), { recipe: 'archival' });
    const { converted } = planned.image;
    await steps.store.write({ bucket: 'stepwell-work', key: converted?.key ?? '' }, new Uint8Array(1000));
    await expect(steps.renderBlock(planned, 0)).rejects.toThrow(InconsistentWorkError);
  });
});

describe('the PDF beside the pyramid', () => {
  let state: AssembledState;
  beforeEach(async () => {
    state = await steps.assembled('atlas.pdf', onePage, { recipe: 'archival' });
  });

  test('has the bytes of the master and is not replaced by a retry', async () => {
    await steps.publish(state);
    const copy = { bucket: published, key: 'atlas.pdf' };
    expect(Buffer.from(await steps.store.read(copy)).equals(onePage)).toBe(true);
    const { etag, contentType } = await steps.store.head(copy);
    expect(contentType).toBe('application/pdf');
    await steps.publish(state);
    expect((await steps.store.head(copy)).etag).toBe(etag);
  });

  test('is not published from another upload', async () => {
    const master = { bucket: steps.sourceBucket, key: 'atlas.pdf' };
    await steps.store.write(master, pdf({ pages: [{ width: 9, height: 9, content: '' }] }));
    await expect(steps.publish(state)).rejects.toThrow(SourceChangedError);
    await steps.store.remove(master);
    await expect(steps.publish(state)).rejects.toMatchObject({ code: 'SOURCE_GONE' });
    expect((await steps.objects(published, 'atlas.pdf')).size).toBe(0);
  });
});
