/**
 * Reads a zip by its central directory (APPNOTE.TXT 6.3.10, sections 4.3.12 and 4.3.16). No zip64,
 * no encryption.
 */
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

/** The files of a zip, by name, decompressed. Throws when there are none. */
export function readZip(path: string): Map<string, Buffer> {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error(`Expected a zip for ${path} but received none`);
  const count = bytes.readUInt16LE(end + 10);
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < count; index++) {
    const [method, packed] = [bytes.readUInt16LE(at + 10), bytes.readUInt32LE(at + 20)];
    const [name, extra, comment] = [at + 28, at + 30, at + 32].map((offset) => bytes.readUInt16LE(offset));
    if (name === undefined || extra === undefined || comment === undefined) throw new Error('Expected three lengths');
    const local = bytes.readUInt32LE(at + 42);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    const data = bytes.subarray(start, start + packed);
    files.set(bytes.toString('utf8', at + 46, at + 46 + name), method === 0 ? data : inflateRawSync(data));
    at += 46 + name + extra + comment;
  }
  if (files.size === 0) throw new Error(`Expected files in ${path} but received none`);
  return files;
}
