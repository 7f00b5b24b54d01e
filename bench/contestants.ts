/** The programs that are measured, and the commands by which they make the same pyramid. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import sharp from 'sharp';
import type { Input } from './inputs.ts';
import type { Command } from './measure.ts';
import { pipelineSeconds } from './pipeline-time.ts';
import type { BenchmarkRecipe } from './recipes.ts';

export type ContestantName =
  'Stepwell' | 'vips' | 'vips, sha256sum' | 'vips, tiles' | 'sharp' | 'GDAL' | 'AssembleTiff';

export interface Job {
  readonly input: Input;
  readonly recipe: BenchmarkRecipe;
  /** An empty folder for this run. */
  readonly folder: string;
  /** Folder for the pyramids, inside `folder`. */
  readonly out: string;
}

export interface Contestant {
  readonly name: ContestantName;
  /** How to install the program; undefined when it is there. */
  readonly absent?: string | undefined;
  /** Printed above the tables; undefined when another contestant prints it. */
  readonly version?: string | undefined;
  command(job: Job): Command;
  /** Seconds of the run from the plan to the publication. Throws when the run left no history. */
  pipelineSeconds?(job: Job): number;
}

const project = path.resolve(import.meta.dirname, '..');

export function makeContestants(): readonly Contestant[] {
  return [stepwell(), ...vips(), singlePass(), gdal(), assembleTiff()];
}

/** What `npm start` runs, with an empty workspace. */
function stepwell(): Contestant {
  const workspaceOf = ({ folder }: Job): string => path.join(folder, 'workspace');
  return {
    name: 'Stepwell',
    version: `node ${process.version}`,
    command: (job) => ({
      program: process.execPath,
      args: [
        ...[path.join(project, 'src', 'cli', 'start.cjs'), job.input.path, '--out', job.out],
        ...['--workspace', workspaceOf(job)],
        ...['--recipes', job.recipe.directory, '--recipe', job.recipe.name],
      ],
    }),
    pipelineSeconds: (job) => pipelineSeconds(workspaceOf(job)),
  };
}

function singlePass(): Contestant {
  return {
    name: 'sharp',
    version: `${sharp.versions.sharp}, libvips ${sharp.versions.vips}`,
    command: ({ input, out, recipe: { tileSize, compression, quality } }) => ({
      program: process.execPath,
      args: [
        ...[path.join(import.meta.dirname, 'single-pass.ts'), input.path, out],
        ...[String(tileSize), compression, ...(quality === undefined ? [] : [String(quality)])],
      ],
    }),
  };
}

/** One process for one file; for a folder, two at a time. */
function vips(): Contestant[] {
  const version = versionOf('vips', ['--version']);
  const absent = version === undefined ? 'apt-get install libvips-tools' : undefined;
  const convertOne = (job: Job): string[] => {
    return ['vips', 'tiffsave', job.input.path, path.join(job.out, 'vips.tif'), ...vipsOptions(job.recipe)];
  };
  return [
    {
      name: 'vips',
      version,
      absent,
      command: (job) => {
        const [program = '', ...args] = convertOne(job);
        if (job.input.files === 1) return { program, args };
        const each = ['vips', 'tiffsave', '{}', `${job.out}/{}.tif`, ...vipsOptions(job.recipe)];
        const script = 'printf "%s\\0" *.jpg | xargs -0 -P 2 -I {} "$@"';
        return { program: 'sh', args: ['-c', script, 'sh', ...each], cwd: job.input.path };
      },
    },
    {
      name: 'vips, sha256sum',
      absent,
      command: (job) => {
        const script = 'master=$1; shift; "$@" && sha256sum "$master"';
        return { program: 'sh', args: ['-c', script, 'sh', job.input.path, ...convertOne(job)] };
      },
    },
    {
      name: 'vips, tiles',
      absent,
      command: (job) => {
        const script = 'master=$1; tiles=$2; options=$3; shift 3; "$@" && vips dzsave "$master" "$tiles" $options';
        const files = [job.input.path, path.join(job.out, 'tiles'), dzsaveOptions(job.recipe)];
        return { program: 'sh', args: ['-c', script, 'sh', ...files, ...convertOne(job)] };
      },
    },
  ];
}

/** libvips takes no level of deflate: it uses zlib's default, which is that of the recipe. */
function vipsOptions({ tileSize, compression, quality }: BenchmarkRecipe): string[] {
  const tiles = ['--tile', '--pyramid', '--tile-width', String(tileSize), '--tile-height', String(tileSize)];
  if (compression === 'jpeg') return [...tiles, '--compression', 'jpeg', '--Q', String(quality)];
  return [...tiles, '--compression', 'deflate', '--predictor', 'horizontal'];
}

/** Options for the same tiles as those of the recipe's outputs. */
function dzsaveOptions({ tileSize, quality, outputs, deepzoom }: BenchmarkRecipe): string {
  if (outputs.includes('iiif')) return `--layout iiif3 --tile-size ${tileSize} --suffix .jpg[Q=${quality ?? 85}]`;
  const { tileSize: size = 254, overlap = 1, quality: q = 80 } = deepzoom ?? {};
  return `--tile-size ${size} --overlap ${overlap} --suffix .jpg[Q=${q}]`;
}

function gdal(): Contestant {
  const version = versionOf('gdal_translate', ['--version']);
  return {
    name: 'GDAL',
    version,
    absent: version === undefined ? 'apt-get install gdal-bin' : undefined,
    command: ({ input, out, recipe: { tileSize, compression, quality } }) => {
      const options = {
        BLOCKSIZE: tileSize,
        NUM_THREADS: 'ALL_CPUS',
        RESAMPLING: 'AVERAGE',
        ...(compression === 'jpeg'
          ? { COMPRESS: 'JPEG', QUALITY: quality }
          : { COMPRESS: 'DEFLATE', PREDICTOR: 'YES' }),
      };
      const creation = Object.entries(options).flatMap(([name, value]) => ['-co', `${name}=${String(value)}`]);
      const target = path.join(out, 'gdal.tif');
      return { program: 'gdal_translate', args: ['-q', '-of', 'COG', ...creation, input.path, target] };
    },
  };
}

/**
 * AssembleTiff alone: its memory must not grow with the image. Its output is counted, not written.
 */
function assembleTiff(): Contestant {
  const script = path.join(import.meta.dirname, 'assemble.ts');
  return {
    name: 'AssembleTiff',
    command: ({ input }) => ({ program: process.execPath, args: [script, String(input.pixels)] }),
  };
}

function versionOf(program: string, args: readonly string[]): string | undefined {
  try {
    const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore'];
    return execFileSync(program, [...args], { cwd: project, encoding: 'utf8', stdio }).trim();
  } catch {
    return undefined;
  }
}
