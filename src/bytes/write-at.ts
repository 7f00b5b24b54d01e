import type { FileHandle } from 'node:fs/promises';

/**
 * Writes all of `bytes` at `position`, in bytes. Repeats short writes: on a full disk the first
 * write may be short and only the next one fails.
 */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written);
    written += bytesWritten;
  }
}
