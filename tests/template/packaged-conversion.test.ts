import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { fileStore } from '../../src/storage/files/files.ts';
import { bmp } from '../support/bmp-fixtures.ts';
import { codedColours, codedItem, heic } from '../support/heic-fixtures.ts';
import { encodeHevc } from '../support/hevc-pcm.ts';
import { j2k, jp2 } from '../support/jp2-fixtures.ts';
import { invokeTask, type Invocation, type LambdaTask, unpackTask } from '../support/lambda-task.ts';
import { packaged, PACKAGING_MS } from '../support/packaged-template.ts';
import { pdf } from '../support/pdf-fixtures.ts';

const width = 160;
const height = 64;
/** Colours of the quarters of the image: top left, top right, bottom left, bottom right. */
const quarters = [
  [200, 10, 10],
  [10, 200, 10],
  [10, 10, 200],
  [250, 240, 20],
] as const;
const colourAt = (pixel: number): readonly number[] => {
  const right = pixel % width >= width / 2 ? 1 : 0;
  const bottom = Math.floor(pixel / width) >= height / 2 ? 2 : 0;
  return quarters[right + bottom] ?? [];
};
const band = (index: number): Uint16Array =>
  Uint16Array.from({ length: width * height }, (_, pixel) => colourAt(pixel)[index] ?? 0);
const rgb = Uint8Array.from({ length: width * height * 3 }, (_, at) => colourAt(Math.floor(at / 3))[at % 3] ?? 0);
const SRGB = 16;
/** Planes are green, blue, red. */
const IDENTITY = codedColours(0);

const masters: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  async jp2() {
    const codestream = await j2k({ width, height, bits: [8, 8, 8], samples: rgb });
    return jp2(codestream, { width, height, components: 3, colour: SRGB });
  },
  heic() {
    const planes = [band(1), band(2), band(0)];
    const stream = encodeHevc({ width, height, chromaFormat: 3, bits: 8, planes });
    return Promise.resolve(heic({ items: [codedItem(stream, { width, height }, IDENTITY)] }));
  },
  pdf() {
    // The origin is the lower left corner; a quarter is 80 × 32 points.
    const content = quarters.map(([red, green, blue], index) => {
      const [left, bottom] = [index % 2 === 0 ? 0 : 80, index < 2 ? 32 : 0];
      return `${red / 255} ${green / 255} ${blue / 255} rg ${left} ${bottom} 80 32 re f`;
    });
    return Promise.resolve(pdf({ pages: [{ width, height, content: content.join('\n') }] }));
  },
  bmp() {
    const rows = Array.from({ length: height }, (_, y) =>
      Array.from({ length: width }, (_, x) => {
        const [red = 0, green = 0, blue = 0] = colourAt(y * width + x);
        return (red << 16) | (green << 8) | blue;
      }),
    );
    return Promise.resolve(bmp({ width, height, bitsPerPixel: 24, rows }));
  },
  gif: () =>
    sharp(rgb, { raw: { width, height, channels: 3 } })
      .gif()
      .toBuffer(),
};

const Converted = z.object({ converted: z.object({ key: z.string() }) });

let work: string;
let task: LambdaTask;
let withoutDecoders: LambdaTask;
let validation: LambdaTask;
beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'stepwell-conversion-'));
  const made = await packaged();
  task = unpackTask(made, 'convertSource', join(work, 'lambda'));
  validation = unpackTask(made, 'validateObject', join(work, 'lambda-validation'));
  withoutDecoders = unpackTask(made, 'convertSource', join(work, 'lambda-without-decoders'));
  for (const name of readdirSync(withoutDecoders.modules)) {
    if (name !== 'sharp') rmSync(join(withoutDecoders.modules, name), { recursive: true });
  }
}, PACKAGING_MS);
afterAll(() => {
  rmSync(work, { recursive: true, force: true });
});

async function convert(format: string, using: LambdaTask): Promise<Invocation> {
  const body = (await masters[format]?.()) ?? new Uint8Array();
  return invoke(format, body, using, { image: { convertFrom: format, fileSize: body.length } });
}

async function invoke(extension: string, body: Uint8Array, using: LambdaTask, more: object = {}): Promise<Invocation> {
  const master = { bucket: 'masters', key: `a master.${extension}` };
  const { etag, size } = await fileStore(work).write(master, body);
  const source = { ...master, imageId: '0'.repeat(32), sequence: 'A'.repeat(32), etag, size };
  return invokeTask(
    using,
    { schemaVersion: 1, source, recipe: 'default', ...more },
    {
      AWS_REGION: 'eu-central-1',
      OBJECT_STORE: `files:${work}`,
      WORK_BUCKET: 'work-bucket',
      PUBLISHED_BUCKET: 'published',
      LEDGER_TABLE: 'ledger',
      RECIPES_DIRECTORY: join(using.directory, 'recipes'),
      LOG_LEVEL: 'silent',
    },
  );
}

test.each([
  ['jp2', width, height],
  ['heic', width, height],
  ['pdf', 667, 267], // At 300 dpi, the default of a recipe.
  ['bmp', width, height],
  ['gif', width, height],
])('the packaged convertSource makes a TIFF of a %s with the decoders of the layer', async (format, across, down) => {
  const { result, error } = await convert(format, task);
  expect(error).toBeUndefined();
  const { key } = Converted.parse(result).converted;
  const tiff = await fileStore(work).read({ bucket: 'work-bucket', key });
  const { data, info } = await sharp(tiff).raw().toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: across, height: down, channels: 3 });
  const inTheMiddle = [0.25, 0.75].flatMap((y) =>
    [0.25, 0.75].map((x) => {
      const at = (Math.floor(y * down) * across + Math.floor(x * across)) * 3;
      return [...data.subarray(at, at + 3)];
    }),
  );
  expect(inTheMiddle).toEqual(quarters);
});

test.each(['jp2', 'heic', 'pdf'])(
  'convertSource without the decoders layer has no decoder for a %s',
  async (format) => {
    const { error } = await convert(format, withoutDecoders);
    expect(error?.message).toMatch(/Cannot find module/u);
  },
);

test('the packaged validateObject repeats what libvips refuses in a process of its own bundle', async () => {
  const jpeg = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
  const { error } = await invoke('jpg', jpeg.subarray(0, 120), validation);
  expect(error).toMatchObject({
    name: 'RejectedImageError',
    message: expect.stringMatching(/^TRUNCATED: the file ends/u),
  });
});
