/** Identifies and decodes a master in the colours of a recipe, without encoding. */
import { memoryLimits } from '../../src/limits.ts';
import { Arena } from '../../src/imaging/arena.ts';
import { decodeRect } from '../../src/imaging/decode.ts';
import type { HeaderOptions, Identified } from '../../src/formats/format.ts';
import { choosePicture, readerOfPicture } from '../../src/formats/choose-picture.ts';
import { identify, recognise } from '../../src/formats/identify.ts';
import { publishedDescription } from '../../src/imaging/published-description.ts';
import { type PixelOptions, pixelsOfSlices } from '../../src/imaging/source-pixels.ts';
import { conversionOf } from '../../src/pyramid/conversion.ts';
import { outputBands, outputBitDepth } from '../../src/pyramid/output-samples.ts';
import { reducedSize } from '../../src/pyramid/plan.ts';
import { measureSamples } from '../../src/imaging/measure-samples.ts';
import { describeRange } from '../../src/pyramid/mapped-range.ts';
import { Description } from '../../src/tiff/pyramid-fields.ts';
import { Recipe } from '../../src/recipe/recipe.ts';
import { publishedSize } from '../../src/pyramid/size-cap.ts';
import type { SourceImage } from '../../src/pyramid/source-image.ts';
import { memoryReader, type RangeReader } from '../../src/bytes/range-reader.ts';

export interface DecodedMaster {
  readonly image: SourceImage;
  readonly width: number;
  readonly height: number;
  readonly bands: number;
  readonly bitDepth: number;
  readonly samples: readonly number[];
  /** The ICC profile of the published file. */
  readonly profile: Buffer | undefined;
  /** Of the header and of the pixels. */
  readonly warnings: readonly string[];
}

const recipe = Recipe.parse({
  name: 'test',
  version: 1,
  description: 'lossless',
  tileSize: 256,
  encoding: { compression: 'deflate', level: 6 },
  colour: 'srgb',
  depth: 'keep',
  background: '#ffffff',
});

/** The description of a master that is not converted. */
export async function identifyBytes(bytes: Uint8Array, options: IdentifyOptions = {}): Promise<Identified> {
  return identifyMaster(memoryReader(bytes), options);
}

type IdentifyOptions = Partial<HeaderOptions & Pick<Recipe, 'pages'>>;

export async function identifyMaster(reader: RangeReader, options: IdentifyOptions = {}): Promise<Identified> {
  const { kind, format } = await recognise(reader);
  if (kind === 'converted') throw new Error(`Expected a master that is read as it is but received a ${format}`);
  const wanted = { ...recipe, ...options };
  const choice = await choosePicture(reader, format, wanted.pages ?? 'reject');
  if (choice.kind === 'several') throw new Error('Expected a master of which one picture is published');
  const { directory } = choice;
  const identified = await identify(await readerOfPicture(reader, directory), format, wanted);
  return { ...identified, image: { ...identified.image, ...(directory === undefined ? {} : { directory }) } };
}

/** Decodes in sRGB and the depth of the master, unless `wanted` sets other values. */
export async function decodeMaster(bytes: Uint8Array, wanted: Partial<Recipe> = {}): Promise<DecodedMaster> {
  const applied = { ...recipe, ...wanted };
  const { image: identified, description, warnings } = await identifyBytes(bytes, applied);
  const image = await measured(bytes, identified);
  const header = Description.parse(JSON.parse(JSON.stringify(description)));
  const plan = { image, recipe: applied };
  const { width, height } = publishedSize(image, applied);
  const options: PixelOptions = {
    background: applied.background,
    bands: outputBands(plan),
    bitDepth: outputBitDepth(plan),
    conversion: conversionOf(plan),
    timeoutSeconds: 60,
    memoryBudget: memoryLimits.standard.rendering,
    reducedTo: reducedSize({ image, width, height }),
  };
  const rect = { left: 0, top: 0, right: width, bottom: height };
  const arena = new Arena();
  try {
    const slices = image.chunks ? await pixelsOfSlices(fullReader(bytes), image, options) : undefined;
    const { bands, data } = slices
      ? await slices.raster(rect, arena)
      : await decodeRect(bytes, { ...options, image, stored: image, crop: rect }, arena);
    const { iccProfile } = await publishedDescription(image, applied, header);
    return {
      image,
      width,
      height,
      bands,
      bitDepth: data instanceof Uint8Array ? 8 : 16,
      samples: Array.from(data),
      warnings: [...warnings, ...rangeWarnings(image), ...(slices?.warnings ?? [])],
      profile: iccProfile === undefined ? undefined : Buffer.from(iccProfile, 'base64'),
    };
  } finally {
    arena.release();
  }
}

/** As MeasureSamples does it. */
async function measured(bytes: Uint8Array, image: SourceImage): Promise<SourceImage> {
  if (!image.unmeasured) return image;
  return { ...image, mappedRange: await measureSamples(fullReader(bytes), image, () => 60_000) };
}

function rangeWarnings({ mappedRange }: SourceImage): string[] {
  return mappedRange?.from === 'pixels' ? describeRange(mappedRange) : [];
}

function fullReader(bytes: Uint8Array) {
  return {
    ...memoryReader(bytes),
    readInto(target: Uint8Array, offset: number): Promise<void> {
      target.set(bytes.subarray(offset, offset + target.length));
      return Promise.resolve();
    },
  };
}
