/** Who is measured, and the command that makes the same pyramid. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import type { Input } from './inputs.ts';
import type { Command } from './measure.ts';
import { pipelineSeconds } from './pipeline-time.ts';

export type Encoding = 'jpeg' | 'deflate';
export type ContestantName = 'Stepwell' | 'sharp' | 'vips' | 'GDAL' | 'AssembleTiff';

export interface Job {
  readonly input: Input;
  readonly encoding: Encoding;
  /** An empty folder of this run's own. */
  readonly folder: string;
  /** Where the pyramids go, inside it. */
  readonly out: string;
}

export interface Contestant {
  readonly name: ContestantName;
  /** Why it cannot take part; undefined when it can. */
  readonly absent?: string | undefined;
  readonly version: string;
  command(job: Job): Command;
  /** Seconds of the run that the pipeline itself took, where a contestant is more than that. */
  pipelineSeconds?(job: Job): number;
}

const project = path.resolve(import.meta.dirname, '..');
const TILE = 512;

/** The recipes of `bench/recipes`, where the command line can be told of them; the shipped ones of the same kind if not. */
function chooseRecipes(): { quality: number; jpeg: readonly string[]; deflate: readonly string[] } {
  const help = execFileSync(process.execPath, ['src/cli/main.ts', '--help'], { cwd: project, encoding: 'utf8' });
  if (!help.includes('--recipes DIR')) {
    return { quality: 85, jpeg: ['--recipe', 'default'], deflate: ['--recipe', 'archival'] };
  }
  const recipes = ['--recipes', path.join(project, 'bench', 'recipes')];
  return { quality: 75, jpeg: [...recipes, '--recipe', 'jpeg-75'], deflate: [...recipes, '--recipe', 'deflate'] };
}

export function makeContestants(): readonly Contestant[] {
  const recipes = chooseRecipes();
  return [stepwell(recipes), singlePass(recipes.quality), vips(recipes.quality), gdal(recipes.quality), assembleTiff()];
}

function stepwell(recipes: ReturnType<typeof chooseRecipes>): Contestant {
  return {
    name: 'Stepwell',
    version: `node ${process.version}, JPEG quality ${recipes.quality}`,
    command: ({ input, encoding, folder, out }) => ({
      program: process.execPath,
      args: [
        // What `npm start` runs.
        ...[path.join(project, 'src', 'cli', 'start.ts'), input.path, '--out', out],
        ...['--workspace', path.join(folder, 'workspace'), ...recipes[encoding]],
      ],
    }),
    pipelineSeconds: ({ folder }) => pipelineSeconds(path.join(folder, 'workspace')),
  };
}

function singlePass(quality: number): Contestant {
  return {
    name: 'sharp',
    version: `${sharp.versions.sharp}, libvips ${sharp.versions.vips}`,
    command: ({ input, encoding, out }) => ({
      program: process.execPath,
      args: [
        ...[path.join(import.meta.dirname, 'single-pass.ts'), input.path, out, String(TILE), encoding],
        ...(encoding === 'jpeg' ? [String(quality)] : []),
      ],
    }),
  };
}

function vips(quality: number): Contestant {
  const version = versionOf('vips', ['--version']);
  const options = (encoding: Encoding): string[] => [
    ...['--tile', '--pyramid', '--tile-width', String(TILE), '--tile-height', String(TILE), '--compression', encoding],
    ...(encoding === 'jpeg' ? ['--Q', String(quality)] : ['--predictor', 'horizontal']),
  ];
  return {
    name: 'vips',
    version: version ?? '',
    absent: version === undefined ? 'apt-get install libvips-tools' : undefined,
    command: ({ input, encoding, out }) => {
      if (input.files === 1) {
        const target = path.join(out, 'vips.tif');
        return { program: 'vips', args: ['tiffsave', input.path, target, ...options(encoding)] };
      }
      const each = ['vips', 'tiffsave', '{}', `${out}/{}.tif`, ...options(encoding)];
      const script = 'printf "%s\\0" *.jpg | xargs -0 -P 2 -I {} "$@"';
      return { program: 'sh', args: ['-c', script, 'sh', ...each], cwd: input.path };
    },
  };
}

function gdal(quality: number): Contestant {
  const version = versionOf('gdal_translate', ['--version']);
  return {
    name: 'GDAL',
    version: version ?? '',
    absent: version === undefined ? 'apt-get install gdal-bin' : undefined,
    command: ({ input, encoding, out }) => {
      const options = {
        BLOCKSIZE: TILE,
        NUM_THREADS: 'ALL_CPUS',
        RESAMPLING: 'AVERAGE',
        ...(encoding === 'jpeg' ? { COMPRESS: 'JPEG', QUALITY: quality } : { COMPRESS: 'DEFLATE', PREDICTOR: 'YES' }),
      };
      const creation = Object.entries(options).flatMap(([name, value]) => ['-co', `${name}=${value}`]);
      const target = path.join(out, 'gdal.tif');
      return { program: 'gdal_translate', args: ['-q', '-of', 'COG', ...creation, input.path, target] };
    },
  };
}

/** Not a pyramid from a master, but the one step that must not grow with the image: its file is counted, not written. */
function assembleTiff(): Contestant {
  const script = path.join(import.meta.dirname, 'assemble.ts');
  return {
    name: 'AssembleTiff',
    version: '',
    absent: existsSync(script) ? undefined : 'bench/assemble.ts',
    command: ({ input }) => ({ program: process.execPath, args: [script, String(input.pixels)] }),
  };
}

function versionOf(program: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(program, [...args], {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}
