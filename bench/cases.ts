/** The cases that are measured, each with its contestants, its recipe and its targets. */
import type { ContestantName } from './contestants.ts';
import type { InputSpec } from './inputs.ts';
import type { RecipeName } from './recipes.ts';
import { peakMemory, ratioTo, type Target } from './targets.ts';

export interface Case {
  readonly name: string;
  readonly title: string;
  /** `none`: no master is read, and `pixels` is the size that the image would have. */
  readonly input: InputSpec | { readonly kind: 'none'; readonly pixels: number };
  readonly recipe: RecipeName;
  /** In the order of their turns. */
  readonly contestants: readonly ContestantName[];
  readonly targets: readonly Target[];
  /** Measured this many times more often than other cases: a short run with a small difference. */
  readonly runsFactor?: number;
  /** Measured only when named by --only, because it takes long. */
  readonly onRequest?: boolean;
}

const everyone = ['Stepwell', 'vips', 'sharp', 'GDAL'] as const;
const big = { width: 20_480, height: 14_400 } as const;

const fullSize: readonly Case[] = [
  {
    name: 'strips',
    title: '300 megapixels, uncompressed strips',
    input: { kind: 'striped', ...big },
    recipe: 'default',
    contestants: ['Stepwell', 'vips', 'vips, sha256sum', 'sharp', 'GDAL'],
    targets: [
      ratioTo('vips', '300 Mpx strips: whole process ÷ vips', { atMost: 1 }),
      ratioTo('vips, sha256sum', '300 Mpx strips: whole process ÷ vips then sha256sum', { atMost: 0.85 }),
      ratioTo('GDAL', '300 Mpx strips: whole process ÷ GDAL', { atMost: 0.35 }),
      peakMemory('300 Mpx strips: peak memory', 450),
    ],
  },
  {
    name: 'strips-no-digests',
    title: '300 megapixels, uncompressed strips, no digests of the master',
    input: { kind: 'striped', ...big },
    recipe: 'default-no-digests',
    contestants: ['Stepwell', 'vips'],
    targets: [
      {
        title: '300 Mpx strips, no digests: plan to published ÷ vips',
        atMost: 0.65,
        against: { contestant: 'vips' },
        figure: (own, peer) => (own.pipelineSeconds ?? Number.NaN) / (peer?.wallSeconds ?? Number.NaN),
      },
      ratioTo('vips', '300 Mpx strips, no digests: processor time ÷ vips', { atMost: 1.15 }, 'cpuSeconds'),
    ],
  },
  {
    name: 'strips-iiif',
    title: '300 megapixels: pyramid and IIIF level 0 (vips: tiffsave, then dzsave)',
    input: { kind: 'striped', ...big },
    recipe: 'iiif-3',
    contestants: ['Stepwell', 'vips, tiles'],
    targets: [ratioTo('vips, tiles', '300 Mpx pyramid and IIIF files: whole process ÷ vips', { atMost: 0.8 })],
  },
  {
    name: 'strips-deepzoom',
    title: '300 megapixels: pyramid and Deep Zoom (vips: tiffsave, then dzsave)',
    input: { kind: 'striped', ...big },
    recipe: 'deepzoom',
    contestants: ['Stepwell', 'vips, tiles'],
    targets: [ratioTo('vips, tiles', '300 Mpx pyramid and Deep Zoom: whole process ÷ vips', { atMost: 0.8 })],
  },
  {
    name: 'folder-12mpx',
    title: '100 JPEGs of 12 megapixels (vips: two processes at a time; sharp: two files at a time)',
    input: { kind: 'folder', width: 4000, height: 3000, files: 100 },
    recipe: 'default',
    contestants: ['Stepwell', 'vips', 'sharp'],
    targets: [ratioTo('vips', '100 × 12 Mpx JPEG: whole process ÷ two vips processes', { atMost: 1 })],
  },
  {
    name: 'one-12mpx',
    title: 'One JPEG of 12 megapixels',
    input: { kind: 'jpeg', width: 4000, height: 3000 },
    recipe: 'default',
    contestants: ['Stepwell', 'vips'],
    targets: [
      {
        title: 'one 12-Mpx JPEG: whole process − vips',
        atMost: 0.35,
        unit: 's',
        against: { contestant: 'vips' },
        figure: (own, peer) => own.wallSeconds - (peer?.wallSeconds ?? Number.NaN),
      },
    ],
    runsFactor: 3,
  },
  {
    name: 'folder-half-mpx',
    title: '1,000 JPEGs of 0.5 megapixels (vips: two processes at a time)',
    input: { kind: 'folder', width: 816, height: 612, files: 1000 },
    recipe: 'default',
    contestants: ['Stepwell', 'vips'],
    targets: [
      {
        title: '1,000 × 0.5 Mpx JPEG: images a second ÷ two vips processes',
        atLeast: 0.7,
        against: { contestant: 'vips' },
        figure: (own, peer) => (peer?.wallSeconds ?? Number.NaN) / own.wallSeconds,
      },
    ],
  },
  {
    name: 'jpeg',
    title: '300 megapixels, one JPEG',
    input: { kind: 'jpeg', ...big },
    recipe: 'default',
    contestants: everyone,
    targets: [ratioTo('vips', '300 Mpx, one JPEG: whole process ÷ vips', { atMost: 1.05 })],
  },
  {
    name: 'deflate',
    title: '300 megapixels, uncompressed strips, deflate',
    input: { kind: 'striped', ...big },
    recipe: 'archival',
    contestants: everyone,
    targets: [
      ratioTo('vips', '300 Mpx strips, deflate: whole process ÷ vips', { atMost: 0.65 }),
      {
        title: '300 Mpx strips, deflate: size of the pyramid ÷ vips',
        atMost: 1,
        against: { contestant: 'vips' },
        figure: (own, peer) => own.outputBytes / (peer?.outputBytes ?? Number.NaN),
      },
    ],
  },
  {
    name: 'tiled-deflate',
    title: '300 megapixels, deflate tiles',
    input: { kind: 'tiled-deflate', ...big },
    recipe: 'default',
    contestants: everyone,
    targets: [],
  },
  {
    name: 'sparse-300mpx',
    title: '300 megapixels, 3 % of them content, uncompressed tiles',
    input: { kind: 'sparse', width: 17_408, height: 17_408 },
    recipe: 'default',
    contestants: everyone,
    targets: [],
  },
  {
    name: 'sparse-1gpx',
    title: '1 gigapixel, made the same way',
    input: { kind: 'sparse', width: 32_256, height: 32_256 },
    recipe: 'default',
    contestants: everyone,
    targets: [],
  },
  {
    name: 'sparse-10gpx',
    title: '10 gigapixels, made the same way',
    input: { kind: 'sparse', width: 100_000, height: 100_000 },
    recipe: 'default',
    contestants: ['Stepwell'],
    targets: [
      {
        title: 'peak memory: 10 Gpx ÷ 300 Mpx',
        atMost: 1.2,
        against: { contestant: 'Stepwell', caseName: 'sparse-300mpx' },
        figure: (own, peer) => own.peakBytes / (peer?.peakBytes ?? Number.NaN),
      },
      {
        title: 'pixels a second: 10 Gpx ÷ 300 Mpx',
        atLeast: 0.8,
        against: { contestant: 'Stepwell', caseName: 'sparse-300mpx' },
        figure: (own, peer) => own.pixels / own.wallSeconds / ((peer?.pixels ?? Number.NaN) / (peer?.wallSeconds ?? 0)),
      },
    ],
  },
  {
    name: 'sparse-100gpx',
    title: '100 gigapixels, made the same way',
    input: { kind: 'sparse', width: 316_000, height: 316_000 },
    recipe: 'default',
    contestants: ['Stepwell', 'vips'],
    targets: [],
    onRequest: true,
  },
  {
    name: 'assemble-100gpx',
    title: 'AssembleTiff alone, indexes of 100 gigapixels, a store that counts',
    input: { kind: 'none', pixels: 100e9 },
    recipe: 'default',
    contestants: ['AssembleTiff'],
    targets: [peakMemory('AssembleTiff, 100 Gpx: peak memory', 512, { contestant: 'AssembleTiff' })],
  },
];

/** The cases. With `short`, the inputs are as small as still runs every step. */
export function casesOf(short: boolean): readonly Case[] {
  return short ? fullSize.map((one) => ({ ...one, input: shrunk(one.input), runsFactor: 1 })) : fullSize;
}

function shrunk(input: Case['input']): Case['input'] {
  if (input.kind === 'none') return { ...input, pixels: 1e9 };
  if (input.kind === 'folder') return { ...input, width: 400, height: 300, files: 4 };
  return { ...input, width: 2048, height: 1440 };
}

/**
 * The cases with these names, which may be separated by commas; without names, all that are not
 * `onRequest`. Throws on an unknown name.
 */
export function chooseCases(all: readonly Case[], only: readonly string[]): Case[] {
  const names = only.flatMap((value) => value.split(',')).map((name) => name.trim());
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    throw new Error(`Expected names of ${all.map(({ name }) => name).join(', ')} for --only but received ${unknown}`);
  }
  return all.filter((one) => (names.length === 0 ? one.onRequest !== true : names.includes(one.name)));
}
