import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** One file to take in: the folder that serves as its bucket, and its key there. */
export interface InputFile {
  readonly folder: string;
  /** Relative to the folder, with `/` between its parts on every system. */
  readonly key: string;
  /** As people know it. */
  readonly name: string;
}

export interface Inputs {
  readonly files: readonly InputFile[];
  /** What was typed and is not there. */
  readonly missing: readonly string[];
}

/**
 * What was typed, as files: a folder stands for every file below it but hidden ones and those in `excluded` folders.
 * A file that was named twice counts once.
 */
export async function findInputs(typed: readonly string[], excluded: readonly string[]): Promise<Inputs> {
  const files = new Map<string, InputFile>();
  const missing: string[] = [];
  for (const input of typed) {
    const found = await stat(input).catch(() => undefined);
    if (found?.isDirectory()) {
      const folder = await realpath(input);
      for await (const key of walk(folder, '', new Set(excluded))) {
        files.set(path.join(folder, key), { folder, key, name: path.join(input, key) });
      }
    } else if (found?.isFile()) {
      const folder = await realpath(path.dirname(input));
      const key = path.basename(input);
      files.set(path.join(folder, key), { folder, key, name: input });
    } else {
      missing.push(input);
    }
  }
  return { files: [...files.values()], missing };
}

async function* walk(folder: string, prefix: string, excluded: ReadonlySet<string>): AsyncGenerator<string> {
  const entries = await readdir(path.join(folder, prefix), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const key = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.name.startsWith('.') || excluded.has(path.join(folder, key))) continue;
    if (entry.isDirectory()) yield* walk(folder, key, excluded);
    else if (entry.isFile()) yield key;
  }
}
