import { isUtf8 } from 'node:buffer';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isObjectPath } from '../local/folders.ts';

/** One input file: the folder that serves as its bucket, and its key in that bucket. */
export interface InputFile {
  readonly folder: string;
  /** Path relative to the folder, with `/` as separator on every system. */
  readonly key: string;
  /** The path as given on the command line, for messages. */
  readonly name: string;
}

/** A file or folder that is not converted. */
export interface SkippedInput {
  /** Path for messages; bytes that are not UTF-8 are escaped. */
  readonly name: string;
  readonly reason: string;
  /** False for an entry of a folder that is left out by rule, such as a link. */
  readonly isError: boolean;
}

export interface Inputs {
  readonly files: readonly InputFile[];
  /** Arguments for which there is no file or folder. */
  readonly missing: readonly string[];
  readonly skipped: readonly SkippedInput[];
}

const notUtf8 = 'its name is not UTF-8; rename it';
const noObjectPath = 'its name has a control character or a backslash, begins with %~ or is too long; rename it';

/**
 * Resolves arguments to files. A folder stands for all files below it, except hidden files and
 * folders and those in `excluded`. Links in a folder are skipped; as arguments they are followed. A
 * file that is named several times is returned once.
 */
export async function findInputs(args: readonly string[], excluded: readonly string[]): Promise<Inputs> {
  const files = new Map<string, InputFile>();
  const missing: string[] = [];
  const skipped: SkippedInput[] = [];
  const add = (file: InputFile): void => {
    if (isObjectPath(file.key)) files.set(path.join(file.folder, file.key), file);
    else skipped.push({ name: file.name, reason: noObjectPath, isError: true });
  };
  for (const input of args) {
    const found = await stat(input).catch(() => undefined);
    if (found?.isDirectory()) {
      const folder = await realpath(input);
      const skip = (key: string, reason: string, isError: boolean): void => {
        skipped.push({ name: path.join(input, key), reason, isError });
      };
      for await (const key of walk(folder, '', { excluded: new Set(excluded), skip })) {
        add({ folder, key, name: path.join(input, key) });
      }
    } else if (found?.isFile()) {
      add({ folder: await realpath(path.dirname(input)), key: path.basename(input), name: input });
    } else if (found) {
      skipped.push({ name: input, reason: 'it is neither a file nor a folder', isError: true });
    } else if (input.includes('\ufffd')) {
      // Node.js replaces the bytes of arguments that are not UTF-8.
      skipped.push({ name: input, reason: notUtf8, isError: true });
    } else {
      missing.push(input);
    }
  }
  return { files: [...files.values()], missing, skipped };
}

interface WalkOptions {
  readonly excluded: ReadonlySet<string>;
  readonly skip: (key: string, reason: string, isError: boolean) => void;
}

async function* walk(folder: string, prefix: string, options: WalkOptions): AsyncGenerator<string> {
  const { excluded, skip } = options;
  const keyOf = (name: string): string => (prefix === '' ? name : `${prefix}/${name}`);
  const directory = path.join(folder, prefix);
  const entries = await readdir(directory, { withFileTypes: true, encoding: 'buffer' }).catch((error: unknown) => {
    skip(prefix, `it cannot be read: ${error instanceof Error ? error.message : String(error)}`, true);
    return [];
  });
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const key = keyOf(nameOf(entry.name));
    if (key.startsWith('.', key.lastIndexOf('/') + 1) || excluded.has(path.join(folder, key))) continue;
    if (!isUtf8(entry.name)) skip(key, notUtf8, true);
    else if (entry.isDirectory()) yield* walk(folder, key, options);
    else if (entry.isFile()) yield key;
    else if (entry.isSymbolicLink()) skip(key, 'it is a link; name it on the command line to follow it', false);
    else skip(key, 'it is neither a file nor a folder', false);
  }
}

/** A file name; in one that is not UTF-8, bytes other than ASCII are escaped. */
function nameOf(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  return bytes.toString('latin1').replace(/[^ -~]/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
