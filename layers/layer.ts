/**
 * One Lambda layer: packages below `nodejs/node_modules`, where Lambda finds modules
 * (https://docs.aws.amazon.com/lambda/latest/dg/nodejs-layers.html), at the versions of the root
 * package.json.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type LayerName, layers } from './layers.ts';

const Versions = z.record(z.string(), z.string());
const Manifest = z.object({ dependencies: Versions });
const Installed = z.object({ version: z.string() });
const Lock = z.object({ packages: z.record(z.string(), Installed.partial()) });

/** Package names and their versions. */
type Versions = z.infer<typeof Versions>;

/**
 * Installs a layer below `root`. npm options state the platform, nothing is compiled and no install
 * script runs, so any machine can build it. A layer that is up to date is left as it is. Throws
 * when the lock file and the root package.json name different versions.
 */
export function buildLayer(root: string, name: LayerName): { versions: Versions; installed: boolean } {
  const versions = agreedVersions(root, name);
  const modules = modulesOf(root, name);
  const isStamped = readStamp(root, name) === stampOf(root, name);
  if (!isStamped) {
    execFileSync('npm', npmArguments(name), { cwd: join(modules, '..'), stdio: ['ignore', 'ignore', 'inherit'] });
  }
  assertWhole(modules, name, versions);
  if (!isStamped) writeFileSync(stampFile(root, name), stampOf(root, name));
  return { versions, installed: !isStamped };
}

/**
 * Throws, naming the command to run, unless the layer below `root` is built from its current lock
 * file.
 */
export function assertBuilt(root: string, name: LayerName): void {
  assertWhole(modulesOf(root, name), name, agreedVersions(root, name));
  if (readStamp(root, name) !== stampOf(root, name)) {
    throw new Error(
      `Expected a layer ${name} made from its package-lock.json but received another. Run: npm run layer`,
    );
  }
}

/** The versions that the code, the layer and the layer's lock file agree on. */
function agreedVersions(root: string, name: LayerName): Versions {
  const wanted = readJson(Manifest, root, 'package.json').dependencies;
  const directory = `layers/${name}/nodejs`;
  const { dependencies } = readJson(Manifest, root, directory, 'package.json');
  const { packages } = readJson(Lock, root, directory, 'package-lock.json');
  for (const [dependency, version] of Object.entries(dependencies)) {
    const agreed = wanted[dependency];
    if (agreed === undefined) throw new Error(`Expected ${dependency} of the layer ${name} in package.json too`);
    const found = { 'package.json': version, 'package-lock.json': packages[`node_modules/${dependency}`]?.version };
    for (const [file, received = 'none'] of Object.entries(found)) {
      if (received === agreed) continue;
      throw new Error(
        `Expected ${dependency} ${agreed}, as in package.json, for ${directory}/${file} but received ${received}. ` +
          `Run: npm install --package-lock-only --save-exact --prefix ${directory} ${dependency}@${agreed}`,
      );
    }
  }
  return dependencies;
}

/** Throws unless a layer holds these versions and every file that functions load. */
function assertWhole(modules: string, name: LayerName, versions: Versions): void {
  const missing = (what: string, received: string): Error =>
    new Error(`Expected ${what} in the layer ${name} but received ${received}. Run: npm run layer`);
  for (const [dependency, version] of Object.entries(versions)) {
    const manifest = join(modules, dependency, 'package.json');
    const found = existsSync(manifest) ? readJson(Installed, manifest).version : 'none';
    if (found !== version) throw missing(`${dependency} ${version}`, found);
  }
  for (const file of layers[name].files) {
    if (!existsSync(join(modules, file))) throw missing(file, 'none');
  }
}

function npmArguments(name: LayerName): string[] {
  return ['ci', ...layers[name].platform, '--omit=dev', '--ignore-scripts'];
}

/** The inputs of a layer: its lock file and the npm options. */
function stampOf(root: string, name: LayerName): string {
  const lock = readFileSync(join(root, 'layers', name, 'nodejs', 'package-lock.json'));
  return createHash('sha256').update(lock).update(npmArguments(name).join(' ')).digest('hex');
}

function readStamp(root: string, name: LayerName): string | undefined {
  const file = stampFile(root, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** In node_modules, so that npm removes it together with the packages whose state it records. */
function stampFile(root: string, name: LayerName): string {
  return join(modulesOf(root, name), '.layer-stamp');
}

function modulesOf(root: string, name: LayerName): string {
  return join(root, 'layers', name, 'nodejs', 'node_modules');
}

function readJson<T>(type: z.ZodType<T>, ...path: string[]): T {
  return type.parse(JSON.parse(readFileSync(join(...path), 'utf8')));
}
