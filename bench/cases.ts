/** What is compared, and what is aimed at. */
import type { ContestantName, Encoding } from './contestants.ts';
import type { InputSpec } from './inputs.ts';

export interface Case {
  readonly name: string;
  readonly title: string;
  /** Undefined: no master is read; `pixels` says of what size the image would be. */
  readonly input: InputSpec | { readonly kind: 'none'; readonly pixels: number };
  readonly encoding: Encoding;
  readonly contestants: readonly ContestantName[];
  /** Only when asked for by name: it takes long. */
  readonly onRequest?: boolean;
}

const everyone = ['Stepwell', 'sharp', 'vips', 'GDAL'] as const;
const big = { width: 20_480, height: 14_400 } as const;

const fullSize: readonly Case[] = [
  {
    name: 'striped-jpeg',
    title: '300 megapixels, uncompressed strips → JPEG',
    input: { kind: 'striped', ...big },
    encoding: 'jpeg',
    contestants: everyone,
  },
  {
    name: 'striped-deflate',
    title: '300 megapixels, uncompressed strips → deflate',
    input: { kind: 'striped', ...big },
    encoding: 'deflate',
    contestants: everyone,
  },
  {
    name: 'jpeg-jpeg',
    title: '300 megapixels, one JPEG → JPEG',
    input: { kind: 'jpeg', ...big },
    encoding: 'jpeg',
    contestants: everyone,
  },
  {
    name: 'tiled-jpeg',
    title: '300 megapixels, deflate tiles → JPEG',
    input: { kind: 'tiled-deflate', ...big },
    encoding: 'jpeg',
    contestants: everyone,
  },
  {
    name: 'folder-jpeg',
    title: '100 JPEGs of 12 megapixels → JPEG (vips: two processes at once; sharp: two files at once)',
    input: { kind: 'folder', width: 4000, height: 3000, files: 100 },
    encoding: 'jpeg',
    contestants: ['Stepwell', 'sharp', 'vips'],
  },
  {
    name: 'sparse-300mpx',
    title: '300 megapixels, 3 % of them content, uncompressed tiles → JPEG',
    input: { kind: 'sparse', width: 17_408, height: 17_408 },
    encoding: 'jpeg',
    contestants: everyone,
  },
  {
    name: 'sparse-1gpx',
    title: '1 gigapixel, made the same way',
    input: { kind: 'sparse', width: 32_256, height: 32_256 },
    encoding: 'jpeg',
    contestants: everyone,
  },
  {
    name: 'sparse-10gpx',
    title: '10 gigapixels, made the same way',
    input: { kind: 'sparse', width: 100_000, height: 100_000 },
    encoding: 'jpeg',
    contestants: ['Stepwell'],
  },
  {
    name: 'sparse-100gpx',
    title: '100 gigapixels, made the same way',
    input: { kind: 'sparse', width: 316_000, height: 316_000 },
    encoding: 'jpeg',
    contestants: ['Stepwell', 'vips'],
    onRequest: true,
  },
  {
    name: 'assemble-100gpx',
    title: 'AssembleTiff alone, indexes of 100 gigapixels, a store that counts',
    input: { kind: 'none', pixels: 100e9 },
    encoding: 'jpeg',
    contestants: ['AssembleTiff'],
  },
];

/** The cases; in a short run each is as small as makes it run. */
export function casesOf(short: boolean): readonly Case[] {
  return short ? fullSize.map((one) => ({ ...one, input: shrunk(one.input) })) : fullSize;
}

function shrunk(input: Case['input']): Case['input'] {
  if (input.kind === 'none') return { ...input, pixels: 1e9 };
  if (input.kind === 'folder') return { ...input, width: 400, height: 300, files: 4 };
  return { ...input, width: 2048, height: 1440 };
}

/** The median of one contestant in one case. */
export type Lookup = (
  caseName: string,
  contestant: ContestantName,
  quantity: 'wallSeconds' | 'cpuSeconds' | 'peakBytes' | 'pixelsPerSecond' | 'pipelineSeconds',
) => number | undefined;

export interface Target {
  readonly title: string;
  /** The value is to be at most (or at least) this. */
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly value: (of: Lookup) => number | undefined;
}

/** Stepwell's median against another's. */
function against(
  caseName: string,
  other: ContestantName,
  title: string,
  atMost: number,
  quantity: 'wallSeconds' | 'cpuSeconds' = 'wallSeconds',
): Target {
  return {
    title,
    atMost,
    value: (of) => ratio(of(caseName, 'Stepwell', quantity), of(caseName, other, quantity)),
  };
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}

export const targets: readonly Target[] = [
  {
    title: '300 Mpx strips → JPEG: plan to published against vips',
    atMost: 0.75,
    value: (of) => ratio(of('striped-jpeg', 'Stepwell', 'pipelineSeconds'), of('striped-jpeg', 'vips', 'wallSeconds')),
  },
  against('striped-deflate', 'vips', '300 Mpx strips → deflate: time against vips', 0.6),
  against('striped-jpeg', 'vips', '300 Mpx strips → JPEG: processor time against vips', 1.3, 'cpuSeconds'),
  against('striped-jpeg', 'GDAL', '300 Mpx strips → JPEG: time against GDAL', 0.35),
  against('folder-jpeg', 'vips', '100 × 12 Mpx: time against two vips processes', 1.1),
  {
    title: '300 Mpx strips → JPEG: peak memory against 700 MB',
    atMost: 1,
    value: (of) => ratio(of('striped-jpeg', 'Stepwell', 'peakBytes'), 700e6),
  },
  {
    title: 'peak memory: 10 Gpx against 300 Mpx',
    atMost: 1.2,
    value: (of) => ratio(of('sparse-10gpx', 'Stepwell', 'peakBytes'), of('sparse-300mpx', 'Stepwell', 'peakBytes')),
  },
  {
    title: 'pixels a second: 10 Gpx against 300 Mpx',
    atLeast: 0.8,
    value: (of) =>
      ratio(of('sparse-10gpx', 'Stepwell', 'pixelsPerSecond'), of('sparse-300mpx', 'Stepwell', 'pixelsPerSecond')),
  },
  {
    title: 'AssembleTiff, 100 Gpx: peak memory against 512 MB',
    atMost: 1,
    value: (of) => ratio(of('assemble-100gpx', 'AssembleTiff', 'peakBytes'), 512e6),
  },
];
