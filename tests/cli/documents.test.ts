import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { killCommands, runCommand } from '../support/command.ts';
import { everyPage, recipesForPages } from '../support/documents.ts';
import { tiffOfPages } from '../support/tiff-pages.ts';

/** So many that most are queued when the first of them ends. */
const PAGES = 40;
const numbers = Array.from({ length: PAGES }, (_, index) => index + 1);

let folder: string;
let argv: readonly string[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-documents-'));
  await mkdir(path.join(folder, 'in'));
  const book = tiffOfPages(numbers.map((seed) => ({ width: 300, height: 200 + seed, seed })));
  await writeFile(path.join(folder, 'in', 'book.tif'), book);
  argv = ['in', '--recipe', everyPage, '--recipes', await recipesForPages(folder)];
});
afterEach(async () => {
  killCommands();
  await rm(folder, { recursive: true, force: true });
});

/** The rows of the table of results, without the names. */
function rowsOf(out: string): string[] {
  return [...out.matchAll(/^in\/book\.tif page \d+ of 40 {2,}(?<row>.*)$/gmu)].map(
    ({ groups }) => groups?.['row'] ?? '',
  );
}

const published = async (): Promise<string[]> =>
  (await readdir(path.join(folder, 'published'))).filter((name) => name.endsWith('.tif')).sort();

test('the table has a row for every page, and a second run leaves them unchanged', async () => {
  const first = await runCommand(folder, argv);
  expect([first.code, first.err]).toEqual([0, '']);
  expect(first.out).toMatch(/^in\/book\.tif: 40 pages \(/mu);
  const rows = rowsOf(first.out);
  expect(rows).toHaveLength(PAGES);
  expect(rows[6]).toMatch(/^300 × 207 .* PUBLISHED +published\/book-0007\.tif$/u);
  expect(await published()).toEqual(numbers.map((number) => `book-${String(number).padStart(4, '0')}.tif`));
  const second = await runCommand(folder, argv);
  expect(second.code).toBe(0);
  expect(rowsOf(second.out).filter((row) => / unchanged +PUBLISHED /u.test(row))).toHaveLength(PAGES);
  // The work area of every page was removed.
  const left = await readdir(path.join(folder, '.stepwell'), { recursive: true });
  expect(left.filter((name) => /plan\.json$|header\.json$/u.test(name))).toEqual([]);
});

test('a command that is killed after the first pages publishes the others when it is repeated', async () => {
  const action = { line: ': published (', number: 3, signal: 'SIGKILL' } as const;
  const killed = await runCommand(folder, argv, { action });
  expect(killed.code).toBeNull();
  const before = await published();
  expect(before.length).toBeGreaterThanOrEqual(3);
  expect(before.length).toBeLessThan(PAGES);
  const again = await runCommand(folder, argv);
  expect(again.code).toBe(0);
  expect(rowsOf(again.out).filter((row) => row.includes(' PUBLISHED '))).toHaveLength(PAGES);
  expect(rowsOf(again.out).filter((row) => row.includes(' unchanged '))).not.toHaveLength(0);
  expect(await published()).toHaveLength(PAGES);
});
