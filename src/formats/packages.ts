/**
 * Decoders that stand in packages of their own, loaded when the first image needs them and never part of a bundle: their
 * WebAssembly lies beside their code, and libheif stays a library that anyone may replace.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

// A CommonJS bundle has no module URL: there Node looks beside the function and where NODE_PATH says, as in a layer.
const base = (import.meta as { url?: string }).url ?? `${process.cwd()}/`;
const requireFrom = createRequire(base);

/** The exports of a CommonJS package. */
export function loadPackage(name: string): unknown {
  return requireFrom(name);
}

/** The bytes of a file of a package, read from disk: no decoder looks for its own. */
export async function readPackageFile(name: string): Promise<Uint8Array<ArrayBuffer>> {
  return Uint8Array.from(await readFile(requireFrom.resolve(name)));
}
