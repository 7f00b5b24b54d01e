/**
 * Places of unfinished files. They are in the folder `unfinished` of the workspace and are renamed
 * to their targets, so that a killed process leaves nothing in the folders of published files.
 * Where a bucket is on another file system, an unfinished file is beside its target, and
 * `unfinished` has a symbolic link to it.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { hasCode, isMissing } from './errors.ts';
import { TEMPORARY_PREFIX } from './key-paths.ts';
import { namesIn } from './listing.ts';

/** The folder of unfinished files of a workspace. */
export function unfinishedFolder(workspace: string): string {
  return join(workspace, 'unfinished');
}

/** A file beside its target, and the link to it. */
export interface FileBeside {
  readonly path: string;
  readonly link: string;
}

export class UnfinishedFiles {
  readonly #folder: string;
  /** Folders of buckets to which files cannot be renamed from `unfinished`. */
  readonly #foreign = new Set<string>();

  constructor(workspace: string) {
    this.#folder = unfinishedFolder(workspace);
  }

  /** A path in `unfinished` that no file has. */
  path(): string {
    return join(this.#folder, randomUUID());
  }

  /** Whether unfinished files of a bucket's folder are beside their targets. */
  isForeign(root: string): boolean {
    return this.#foreign.has(root);
  }

  noteForeign(root: string): void {
    this.#foreign.add(root);
  }

  /** A path beside a target that no file has, to which there is a link until `forget`. */
  async beside(target: string): Promise<FileBeside> {
    const link = this.path();
    const path = join(dirname(target), `${TEMPORARY_PREFIX}${basename(link)}`);
    await mkdir(this.#folder, { recursive: true });
    await symlink(path, link);
    return { path, link };
  }

  /** Removes the link to a file beside its target. */
  async forget({ link }: FileBeside): Promise<void> {
    await rm(link, { force: true });
  }
}

/**
 * Removes the files that a killed process left unfinished. The caller ensures that no process
 * writes to the workspace.
 */
export async function removeUnfinished(workspace: string): Promise<void> {
  const folder = unfinishedFolder(workspace);
  for (const name of await namesIn(folder)) {
    const target = await targetOf(join(folder, name));
    // Only files of this store have this prefix.
    if (target !== undefined && basename(target).startsWith(TEMPORARY_PREFIX)) await rm(target, { force: true });
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function targetOf(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (hasCode(error, 'EINVAL') || isMissing(error)) return undefined;
    throw error;
  }
}
