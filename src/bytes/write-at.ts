import type { FileHandle } from 'node:fs/promises';

/** Writes all of the bytes. A full disk takes part of them first, and fails only when it is asked again. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
