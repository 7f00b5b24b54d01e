/**
 * Assembles the WebAssembly text files of src/imaging into TypeScript modules: `npm run
 * build:webassembly`. A test compares the modules with their sources.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import loadWabt from 'wabt';

const imaging = path.join(import.meta.dirname, '..', 'src', 'imaging');

/** `<name>.wat` is assembled into `<name>-module.ts`, which exports `<name>Module`. */
export const webAssemblyNames = ['halve', 'predict'] as const;

/** The binary module assembled from `<name>.wat`, in base64. */
export async function assembleWebAssembly(name: string): Promise<string> {
  const wabt = await loadWabt();
  const file = `${name}.wat`;
  const parsed = wabt.parseWat(file, readFileSync(path.join(imaging, file), 'utf8'), { simd: true });
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  return Buffer.from(buffer).toString('base64');
}

async function writeModule(name: string): Promise<void> {
  const lines = (await assembleWebAssembly(name)).match(/.{1,110}/gu) ?? [];
  const source = `/** WebAssembly with SIMD in base64, assembled from ${name}.wat by \`npm run build:webassembly\`. */
export const ${name}Module =
  ${lines.map((line) => `'${line}'`).join(' +\n  ')};
`;
  writeFileSync(path.join(imaging, `${name}-module.ts`), source);
}

if (import.meta.main) for (const name of webAssemblyNames) await writeModule(name);
