/** Checks converted colours: creates masters, converts them and prints the results. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { type ColourResult, checkColours } from './colour-difference.ts';
import { writeColourMasters } from './colour-masters.ts';
import { print, publish } from './command-line.ts';

/** Compares converted colours with the conversion of another build of Little CMS. */
export async function checkConvertedColours(
  folder: string,
  concurrency: number,
): Promise<{ passed: number; failed: number }> {
  const folders = {
    masters: path.join(folder, 'masters'),
    published: path.join(folder, 'published'),
    scratch: path.join(folder, 'scratch'),
  };
  await mkdir(folders.masters, { recursive: true });
  const masters = await writeColourMasters(folders.masters);
  const recipe = ['--recipes', path.join(import.meta.dirname, 'recipes'), '--recipe', 'srgb-lossless'];
  const ran = await publish(folders.masters, folders.published, [
    ...recipe,
    '--workspace',
    path.join(folder, 'workspace'),
  ]);
  const results = await checkColours(masters, folders, concurrency);
  printColours(results);
  const failed = results.filter(({ complaint }) => complaint !== undefined).length + (ran ? 0 : 1);
  return { passed: results.length + 1 - failed, failed };
}

function printColours(results: readonly ColourResult[]): void {
  print(`${'colours, CIEDE2000'.padEnd(24)}  mean   worst`);
  for (const { master, difference, complaint } of results) {
    const numbers = difference ? `${difference.mean.toFixed(3)}  ${difference.worst.toFixed(3)}` : '';
    const name = `${master.name}.${master.extension}`;
    print(`${name.padEnd(24)}  ${numbers}  ${complaint === undefined ? 'ok' : `FAILED: ${complaint}`}`);
  }
}
