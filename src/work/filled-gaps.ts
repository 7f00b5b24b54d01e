import { randomUUID } from 'node:crypto';
import { constants, copyFile, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { writeAt } from '../bytes/write-at.ts';
import type { SourceImage } from '../pyramid/source-image.ts';

/** Byte that decoders of JPEG skip before a marker (ITU-T T.81, section B.1.1.2). */
const FILL = 0xff;

/**
 * Calls `use` with a copy of the file that has fill bytes in the gaps, or with the file itself if
 * it has no gaps. The copy is removed when `use` settles.
 */
export async function withFilledGaps<Result>(
  file: string,
  gaps: SourceImage['gaps'],
  use: (file: string) => Promise<Result>,
): Promise<Result> {
  if (!gaps) return use(file);
  const copy = path.join(os.tmpdir(), `stepwell-filled-${randomUUID()}`);
  try {
    await copyFile(file, copy, constants.COPYFILE_FICLONE);
    await using handle = await open(copy, 'r+');
    for (const { offset, length } of gaps) await writeAt(handle, new Uint8Array(length).fill(FILL), offset);
    await handle.close();
    return await use(copy);
  } finally {
    await rm(copy, { force: true });
  }
}
