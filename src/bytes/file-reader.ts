import { open } from 'node:fs/promises';
import type { RangeReader } from './range-reader.ts';

/** Runs `use` with a range reader over a file, which must not change meanwhile. */
export async function withFileReader<Result>(
  path: string,
  use: (reader: RangeReader) => Promise<Result>,
): Promise<Result> {
  await using handle = await open(path);
  const { size } = await handle.stat();
  return await use({
    size,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, size - offset));
      const buffer = Buffer.allocUnsafeSlow(wanted);
      let filled = 0;
      while (filled < wanted) {
        const { bytesRead } = await handle.read(buffer, filled, wanted - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.subarray(0, filled);
    },
  });
}
