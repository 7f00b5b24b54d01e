/** Assembles src/imaging/halve.wat into src/imaging/halve-module.ts. `npm run build:halve`; a test compares the two. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import loadWabt from 'wabt';

const imaging = path.join(import.meta.dirname, '..', 'src', 'imaging');

/** The module's source file, as it must be. */
export async function halveModuleSource(): Promise<string> {
  const wabt = await loadWabt();
  const parsed = wabt.parseWat('halve.wat', readFileSync(path.join(imaging, 'halve.wat'), 'utf8'), { simd: true });
  const { buffer } = parsed.toBinary({});
  parsed.destroy();
  const base64 = Buffer.from(buffer).toString('base64');
  const lines = base64.match(/.{1,110}/gu) ?? [];
  return `/** Assembled from halve.wat by \`npm run build:halve\`; do not edit. WebAssembly with SIMD, base64. */
export const halveModule =
  ${lines.map((line) => `'${line}'`).join(' +\n  ')};
`;
}

if (import.meta.main) writeFileSync(path.join(imaging, 'halve-module.ts'), await halveModuleSource());
