import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** One input file: the folder that serves as its bucket, and its key in that bucket. */
export interface InputFile {
  readonly folder: string;
  /** Path relative to the folder, with `/` as separator on every system. */
  readonly key: string;
  /** The path as given on the command line, for messages. */
  readonly name: string;
}

export interface Inputs {
  readonly files: readonly InputFile[];
  /** Arguments for which there is no file or folder. */
  readonly missing: readonly string[];
}

/**
 * Resolves arguments to files. A folder stands for all files below it, except hidden files and
 * folders and those in `excluded`. A file that is named several times is returned once.
 */
export async function findInputs(args: readonly string[], excluded: readonly string[]): Promise<Inputs> {
  const files = new Map<string, InputFile>();
  const missing: string[] = [];
  for (const input of args) {
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
