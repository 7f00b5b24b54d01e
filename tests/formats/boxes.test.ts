import { describe, expect, test } from '@jest/globals';
import { memoryReader } from '../../src/bytes/range-reader.ts';
import { readBoxes, readContent } from '../../src/formats/boxes.ts';

function box(type: string, content: number, stated = content + 8): Buffer {
  const bytes = Buffer.alloc(8 + content);
  bytes.writeUInt32BE(stated, 0);
  bytes.write(type, 4, 'latin1');
  return bytes;
}

async function messageOf(bytes: Buffer, end = bytes.length): Promise<string> {
  return readBoxes(memoryReader(bytes), 0, end).then(
    () => 'read',
    (error: unknown) => (error as Error).message,
  );
}

describe('a message about a box has words for it', () => {
  test('when its length is impossible', async () => {
    expect(await messageOf(Buffer.concat([box('ftyp', 4), box('iprp', 4, 3)]))).toBe(
      'CORRUPT_HEADER: Expected a length for the item properties box at byte 12 but received 3',
    );
  });

  test('when it ends after the file, or after the box that it is in', async () => {
    expect(await messageOf(box('meta', 4, 99))).toBe('TRUNCATED: the metadata box ends at byte 99, the file has 12');
    expect(await messageOf(Buffer.concat([box('jp2h', 10), Buffer.alloc(9)]), 14)).toBe(
      'CORRUPT_HEADER: Expected the JP2 header box to end by byte 14 but received 18',
    );
  });

  test('when it has too few bytes', async () => {
    const bytes = box('pitm', 2);
    const [primary = { type: '', start: 0, end: 0 }] = await readBoxes(memoryReader(bytes), 0, bytes.length);
    await expect(readContent(memoryReader(bytes), primary, 6)).rejects.toThrow(
      'CORRUPT_HEADER: Expected 6 bytes in the primary item box but received 2',
    );
  });

  test('and none of its characters where it is not known', async () => {
    expect(await messageOf(box('\x1b[2J', 4, 99))).toBe(
      'TRUNCATED: a box of another type ends at byte 99, the file has 12',
    );
  });
});
