import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { Workspace } from '../../src/local/workspace.ts';
import { type CarrierFormat, keptTexts, privateMasters, privateTexts } from '../support/private-masters.ts';

let folder: string;
let logged = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-privacy-'));
  await mkdir(path.join(folder, 'in'));
  const stderr = jest.spyOn(process.stderr, 'write').mockImplementation((line) => {
    logged += String(line);
    return true;
  });
  const workspace = await Workspace.start({
    directory: path.join(folder, 'workspace'),
    out: path.join(folder, 'out'),
    recipe: 'archival',
    project: process.cwd(),
    logLevel: 'info',
  });
  try {
    const bucket = await workspace.bucketOf(path.join(folder, 'in'));
    for (const [format, master] of Object.entries(await privateMasters())) {
      await writeFile(path.join(folder, 'in', `of-${format}.${format}`), master);
      const upload = await workspace.take(bucket, `of-${format}.${format}`, () => undefined);
      await workspace.ended(upload);
      expect([format, await workspace.entry(upload)]).toEqual([
        format,
        expect.objectContaining({ status: 'PUBLISHED' }),
      ]);
    }
  } finally {
    await workspace.stop();
    stderr.mockRestore();
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The paths of all files below a folder. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** The bytes as text in three encodings, and what stands in them in base64. */
function readings(bytes: Buffer): string {
  const texts = [bytes.toString('latin1'), bytes.toString('utf8'), bytes.toString('utf16le')];
  const quoted = (texts[0] ?? '').match(/[A-Za-z0-9+/]{40,}={0,2}/gu) ?? [];
  return [...texts, ...quoted.map((base64) => Buffer.from(base64, 'base64').toString('utf8'))].join('\n');
}

describe('what is removed from a master', () => {
  test('stands in no object, no database and no log of the workspace', async () => {
    const files = [...(await filesIn(path.join(folder, 'workspace'))), ...(await filesIn(path.join(folder, 'out')))];
    const names = files.map((file) => path.basename(file));
    expect(names).toEqual(
      expect.arrayContaining(['stepwell.db', 'header.json', 'plan.json', 'of-jpg.tif', 'of-heic.tif.json']),
    );
    const contents = await Promise.all(files.map(async (file) => [file, readings(await readFile(file))] as const));
    expect(logged).toContain('"event":"object.validated"');
    for (const [file, content] of [...contents, ['log', logged] as const]) {
      const found = privateTexts.filter((secret) => content.includes(secret));
      expect([path.relative(folder, file), found]).toEqual([path.relative(folder, file), []]);
    }
  });

  test.each<CarrierFormat>(['jpg', 'png', 'tiff', 'jp2'])(
    'is cut out of the texts of a %s that are kept',
    async (format) => {
      const sidecar = await readFile(path.join(folder, 'out', `of-${format}.tif.json`), 'utf8');
      for (const text of keptTexts) expect(sidecar).toContain(text);
      expect(sidecar).toContain('North pier, [removed]; lens [removed], body [removed]');
    },
  );
});
