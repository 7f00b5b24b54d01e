/**
 * Compares what is published of formats that libvips does not decode here, or not alone, with what
 * another program decodes from the same master: sample by sample, at full depth.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { print, publish } from './command-line.ts';
import { type DecodedMaster, decodedMasters } from './decoded-masters.ts';
import { run } from './programs.ts';

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly bits: 8 | 16;
  readonly samples: Uint8Array | Uint16Array;
}

/** Publishes the masters with the recipe `archival` and compares them with other decoders. */
export async function checkDecoders(folder: string): Promise<{ passed: number; failed: number }> {
  const [masters, out, scratch] = ['masters', 'out', 'scratch'].map((name) => path.join(folder, name));
  if (masters === undefined || out === undefined || scratch === undefined) throw new Error('Expected three folders');
  for (const name of [masters, scratch]) await mkdir(name, { recursive: true });
  for (const master of decodedMasters) await writeFile(fileOf(master, masters), await master.make());
  const ran = await publish(masters, out, ['--recipe', 'archival', '--workspace', path.join(folder, 'workspace')]);
  let failed = ran ? 0 : 1;
  for (const master of decodedMasters) {
    const complaint = await complaintAbout(master, { masters, out, scratch });
    if (complaint === undefined) continue;
    failed++;
    print(`${master.name}.${master.extension}, decoded by ${path.basename(master.program)}: ${complaint}`);
  }
  const count = decodedMasters.length + 1;
  print(`masters decoded by other programs: ${count - failed} of ${count} the same`);
  return { passed: count - failed, failed };
}

function fileOf({ name, extension }: DecodedMaster, folder: string): string {
  return path.join(folder, `${name}.${extension}`);
}

async function complaintAbout(
  master: DecodedMaster,
  { masters, out, scratch }: { masters: string; out: string; scratch: string },
): Promise<string | undefined> {
  const decoded = path.join(scratch, `${master.name}.${master.target}`);
  const { failure } = await run(master.program, master.args(fileOf(master, masters), decoded));
  if (failure !== undefined) return failure;
  try {
    const [published, expected] = await Promise.all([
      pixelsOf(path.join(out, `${master.name}.tif`)),
      pixelsOf(decoded),
    ]);
    return difference(published, expected, master.tolerance ?? 0);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function pixelsOf(file: string): Promise<Pixels> {
  const image = sharp(file, { ignoreIcc: true });
  const { depth, channels: bands } = await image.metadata();
  const isDeep = depth === 'ushort';
  const space = bands <= 2 ? (isDeep ? 'grey16' : 'b-w') : isDeep ? 'rgb16' : 'srgb';
  const raw = image.toColourspace(space).raw({ depth: isDeep ? 'ushort' : 'uchar' });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const samples = isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  return { width, height, channels, bits: isDeep ? 16 : 8, samples };
}

/**
 * Undefined when no sample differs by more than the tolerance. Programs may return grey as RGB, and
 * opaque alpha.
 */
function difference(published: Pixels, expected: Pixels, tolerance: number): string | undefined {
  const { width, height, channels, bits, samples } = published;
  if (expected.width !== width || expected.height !== height || expected.bits !== bits) {
    const [is, should] = [published, expected].map((each) => `${each.width} × ${each.height} of ${each.bits} bits`);
    return `${is} is published, ${should} is decoded`;
  }
  let worst = 0;
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let band = 0; band < channels; band++) {
      const other = expected.samples[pixel * expected.channels + Math.min(band, expected.channels - 1)] ?? NaN;
      const off = Math.abs((samples[pixel * channels + band] ?? NaN) - other);
      worst = Math.max(worst, Number.isNaN(off) ? Number.POSITIVE_INFINITY : off);
    }
  }
  return worst > tolerance ? `samples differ by up to ${worst}` : undefined;
}
