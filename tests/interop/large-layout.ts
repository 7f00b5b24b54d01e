/** Checks the tile offsets of a large file as libtiff reads them. */
import { open } from 'node:fs/promises';
import type { Case } from './readers.ts';
import { outputOf } from './programs.ts';
import { levelSizes } from './recipes.ts';

const FOUR_GIB = 2 ** 32;

/**
 * Checks for one chain of BigTIFF directories, for tiles inside the file, and for tiles of level 0
 * both below and above 4 GiB.
 */
export async function checkBigTiff({ file, master, expectedOutput }: Case): Promise<string[]> {
  const dump = await outputOf('tiffdump', ['-m', '1', file]);
  const found = dump.includes('<BigTIFF>') ? [] : [`not a BigTIFF: ${dump.split('\n')[1] ?? ''}`];
  const levels = levelSizes(master, expectedOutput.tileSize).length;
  const directories = dump.match(/^Directory \d+: /gmu)?.length ?? 0;
  if (directories !== levels) found.push(`${directories} directories, not ${levels}`);
  const tiles = await tilesOf(file);
  const beyond = tiles.map((level) => level.filter(({ offset }) => offset >= FOUR_GIB).length);
  if (!beyond[0] || beyond[0] === tiles[0]?.length) found.push(`${beyond[0] ?? 0} tiles of full size lie beyond 4 GiB`);
  const handle = await open(file);
  const { size } = await handle.stat().finally(() => handle.close());
  const outside = tiles.flat().filter(({ offset, bytes }) => offset + bytes > size);
  if (outside.length > 0) found.push(`${outside.length} tiles end beyond the file`);
  return found;
}

/** Tiles beyond 4 GiB and all tiles, for each level. */
export async function tilesBeyond(file: string): Promise<string> {
  const levels = await tilesOf(file);
  return levels
    .map((tiles) => `${tiles.filter(({ offset }) => offset >= FOUR_GIB).length} of ${tiles.length}`)
    .join(', ');
}

interface TilePlace {
  readonly offset: number;
  readonly bytes: number;
}

async function tilesOf(file: string): Promise<TilePlace[][]> {
  const text = await outputOf('tiffinfo', ['-s', file]);
  return text
    .split(/^=== TIFF directory \d+ ===$/mu)
    .slice(1)
    .map((directory) =>
      [...directory.matchAll(/^ +\d+: \[ *(\d+), *(\d+)\]$/gmu)].map((match) => ({
        offset: Number(match[1]),
        bytes: Number(match[2]),
      })),
    );
}
