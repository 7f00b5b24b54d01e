/**
 * Builds the libvips Lambda layer: sharp for linux-arm64 under `nodejs/node_modules`, where Lambda looks for modules
 * (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-layers.html). Run it as `npm run layer`, on any machine: npm is
 * told the platform, nothing is compiled and no install script runs. A second run finds its stamp and is done.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const root = join(import.meta.dirname, '..', '..');
const layer = join(import.meta.dirname, 'nodejs');
const modules = join(layer, 'node_modules');
const stampFile = join(modules, '.layer-stamp');

const install = ['ci', '--os=linux', '--cpu=arm64', '--libc=glibc', '--omit=dev', '--ignore-scripts'];

/** What sharp loads on linux-arm64 with glibc. npm leaves optional packages out silently when it takes them for another's. */
const binaries = ['@img/sharp-linux-arm64', '@img/sharp-libvips-linux-arm64'];

const Manifest = z.object({ dependencies: z.object({ sharp: z.string() }) });
const Installed = z.object({ version: z.string() });
const Lock = z.object({ packages: z.object({ 'node_modules/sharp': Installed }) });

function readJson<T>(type: z.ZodType<T>, ...path: string[]): T {
  return type.parse(JSON.parse(readFileSync(join(...path), 'utf8')));
}

/** The one sharp version that the code, the layer and the layer's lock file agree on. Throws when they do not. */
function agreedVersion(): string {
  const wanted = readJson(Manifest, root, 'package.json').dependencies.sharp;
  const found = {
    'layers/libvips/nodejs/package.json': readJson(Manifest, layer, 'package.json').dependencies.sharp,
    'layers/libvips/nodejs/package-lock.json': readJson(Lock, layer, 'package-lock.json').packages['node_modules/sharp']
      .version,
  };
  for (const [file, version] of Object.entries(found)) {
    if (version === wanted) continue;
    throw new Error(
      `Expected sharp ${wanted}, as in package.json, for ${file} but received ${version}. ` +
        `Run: npm install --package-lock-only --save-exact --prefix layers/libvips/nodejs sharp@${wanted}`,
    );
  }
  return wanted;
}

/** Throws unless the layer holds this version of sharp and its binaries. */
function verify(version: string): void {
  const found = readJson(Installed, modules, 'sharp', 'package.json').version;
  if (found !== version) throw new Error(`Expected sharp ${version} for the layer but received ${found}`);
  for (const name of binaries) readJson(Installed, modules, name, 'package.json');
}

const version = agreedVersion();
const stamp = createHash('sha256')
  .update(readFileSync(join(layer, 'package-lock.json')))
  .update(install.join(' '))
  .digest('hex');

if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
  verify(version);
  console.log(`layer libvips: sharp ${version} for linux-arm64 is there`);
} else {
  execFileSync('npm', install, { cwd: layer, stdio: ['ignore', 'ignore', 'inherit'] });
  verify(version);
  writeFileSync(stampFile, stamp);
  console.log(`layer libvips: sharp ${version} for linux-arm64 installed`);
}
