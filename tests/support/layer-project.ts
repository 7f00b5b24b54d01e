/** A project with the real layer build and the real lock files, but a fake npm. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import { projectRoot } from './packaged-template.ts';

const Lock = z.object({ packages: z.record(z.string(), z.looseObject({ version: z.string().optional() })) });

/** The files that npm would install for each layer, besides the package.json of each dependency. */
const contents: Readonly<Record<string, readonly string[]>> = {
  libvips: ['@img/sharp-linux-arm64/package.json', '@img/sharp-libvips-linux-arm64/package.json'],
  decoders: [
    '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.js',
    '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm',
    '@hyzyla/pdfium/dist/index.cjs',
    '@hyzyla/pdfium/dist/pdfium.wasm',
    'libheif-js/libheif-wasm/libheif.js',
    'libheif-js/libheif-wasm/libheif.wasm',
  ],
};

/** Empties node_modules, as `npm ci` does, and fills it from the folder `registry`. */
const npm = `#!/bin/sh
root=$(cd "$PWD/../../.." && pwd)
layer=$(basename "$(dirname "$PWD")")
echo "$layer: npm $*" >>"$root/npm-calls"
rm -rf node_modules
cp -R "$root/registry/$layer" node_modules
`;

export class LayerProject {
  readonly root = mkdtempSync(join(tmpdir(), 'stepwell-layers-'));

  constructor() {
    for (const file of ['build.ts', 'layer.ts', 'layers.ts']) this.#take(join('layers', file));
    this.#take('package.json');
    for (const layer of Object.keys(contents)) {
      for (const file of ['package.json', 'package-lock.json']) this.#take(join('layers', layer, 'nodejs', file));
    }
    symlinkSync(join(projectRoot, 'node_modules'), join(this.root, 'node_modules'));
    this.#write('bin/npm', npm, 0o755);
    for (const [layer, files] of Object.entries(contents)) this.#publish(layer, files);
  }

  /** Runs `layers/build.ts` and returns what it printed. Throws when it fails. */
  build(): string {
    const PATH = `${join(this.root, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`;
    return execFileSync(process.execPath, [join(this.root, 'layers', 'build.ts')], {
      encoding: 'utf8',
      env: { ...process.env, PATH },
      stdio: 'pipe',
    });
  }

  /** All calls of npm so far. */
  npmCalls(): string[] {
    const file = join(this.root, 'npm-calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Changes a file of the project. Throws when nothing changes. */
  change(file: string, from: string | RegExp, to: string): void {
    const before = readFileSync(join(this.root, file), 'utf8');
    const after = before.replace(from, to);
    if (after === before) throw new Error(`Expected ${String(from)} in ${file}`);
    writeFileSync(join(this.root, file), after);
  }

  /** Removes a file or a folder. Throws when it does not exist. */
  remove(file: string): void {
    rmSync(join(this.root, file), { recursive: true });
  }

  dispose(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #publish(layer: string, files: readonly string[]): void {
    for (const file of files) this.#write(`registry/${layer}/${file}`, file.endsWith('.json') ? '{}' : '');
    const lock: unknown = JSON.parse(
      readFileSync(join(this.root, 'layers', layer, 'nodejs', 'package-lock.json'), 'utf8'),
    );
    for (const [path, { version }] of Object.entries(Lock.parse(lock).packages)) {
      if (path === '') continue;
      this.#write(`registry/${layer}/${path.replace('node_modules/', '')}/package.json`, JSON.stringify({ version }));
    }
  }

  #take(file: string): void {
    cpSync(join(projectRoot, file), join(this.root, file));
  }

  #write(file: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), content, { mode });
  }
}
