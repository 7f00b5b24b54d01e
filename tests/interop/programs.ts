/** Runs third-party programs. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

export interface Ran {
  /** Why it could not be started or did not exit with code 0; otherwise undefined. */
  readonly failure: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Never rejects; failures are in the result. */
export function run(program: string, args: readonly string[], cwd?: string): Promise<Ran> {
  return new Promise((resolve) => {
    const options = { encoding: 'utf8', maxBuffer: 2 ** 28, ...(cwd === undefined ? {} : { cwd }) } as const;
    const child = execFile(program, [...args], options, (error, stdout, stderr) => {
      const failure = error ? `${program} ${ending(error)}: ${lastLine(stderr) || error.message}` : undefined;
      resolve({ failure, stdout, stderr });
    });
    child.stdin?.end();
  });
}

function ending(error: { code?: number | string | null; signal?: NodeJS.Signals | null }): string {
  return error.signal ? `was ended by ${error.signal}` : `exited with ${String(error.code)}`;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}

/** Returns undefined for exit code 0 and an empty stderr, else a complaint: warnings count too. */
export function complaintOf(program: string, ran: Ran): string | undefined {
  if (ran.failure !== undefined) return ran.failure;
  return ran.stderr.trim() === '' ? undefined : `${program} says: ${ran.stderr.trim()}`;
}

/** The stdout of a program. Rejects with the complaint, if there is one. */
export async function outputOf(program: string, args: readonly string[]): Promise<string> {
  const ran = await run(program, args);
  const complaint = complaintOf(program, ran);
  if (complaint !== undefined) throw new Error(complaint);
  return ran.stdout;
}

/** Debian's Python by its full path: another one on PATH does not have Debian's modules. */
export const python = '/usr/bin/python3';
export const cogValidator = 'osgeo_utils.samples.validate_cloud_optimized_geotiff';

/** ImageMagick by its full path: other programs are called convert too. */
export const imageMagick = '/usr/bin/convert';

/** Debian's browser by its full path: playwright-core has none of its own. */
export const chromiumProgram = '/usr/bin/chromium';

/** Debian's path of IIPImage, which is not on PATH. */
export const iipServer = '/usr/lib/iipimage-server/iipsrv.fcgi';

const tools: readonly { readonly program: string; readonly aptPackage: string }[] = [
  { program: 'tiffinfo', aptPackage: 'libtiff-tools' },
  { program: 'tiffcp', aptPackage: 'libtiff-tools' },
  { program: 'tiff2rgba', aptPackage: 'libtiff-tools' },
  { program: 'vips', aptPackage: 'libvips-tools' },
  { program: 'vipsheader', aptPackage: 'libvips-tools' },
  { program: 'gdalinfo', aptPackage: 'gdal-bin' },
  { program: 'gdal_translate', aptPackage: 'gdal-bin' },
  { program: 'avifdec', aptPackage: 'libavif-bin' },
  { program: 'heif-convert', aptPackage: 'libheif-examples' },
  { program: 'opj_decompress', aptPackage: 'libopenjp2-tools' },
];

/** The apt packages of tools that are not installed. */
export async function missingPackages(searchPath: string): Promise<string[]> {
  const folders = searchPath.split(path.delimiter);
  const missing = tools.filter(({ program }) => !folders.some((folder) => existsSync(path.join(folder, program))));
  const { failure } = await run(python, ['-c', `import ${cogValidator}`]);
  return [
    ...new Set(missing.map(({ aptPackage }) => aptPackage)),
    ...(failure ? ['python3-gdal'] : []),
    ...(existsSync(chromiumProgram) ? [] : ['chromium']),
    ...(existsSync(iipServer) ? [] : ['iipimage-server']),
    ...(existsSync(imageMagick) ? [] : ['imagemagick']),
  ];
}

/** One line per program: its name and version. */
export async function versions(): Promise<string[]> {
  const [libtiff, vips, gdal, iipImage] = await Promise.all([
    run('tiffinfo', ['-h']),
    run('vips', ['--version']),
    run('gdalinfo', ['--version']),
    run('dpkg-query', ['--show', 'iipimage-server']),
  ]);
  const tiffVersion = /LIBTIFF, Version [\d.]+/u.exec(libtiff.stdout + libtiff.stderr)?.[0] ?? 'libtiff';
  return [tiffVersion, vips.stdout.trim(), gdal.stdout.trim(), iipImage.stdout.trim().replace('\t', ' ')];
}
