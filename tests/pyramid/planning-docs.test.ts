import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as limits from '../../src/limits.ts';
import * as figures from '../../src/pyramid/cost-figures.ts';
import { encodings } from '../../src/recipe/encodings.ts';

const { small, standard } = limits.memoryLimits;
const page = readFileSync('docs/planning.md', 'utf8');
/** Cells of every table row of the page, by its first cell. */
const rows = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, name = '', ...cells]) => [name, cells.slice(0, -1)]),
);
const count = (value: number): string => value.toLocaleString('en');
const mebi = (value: number): string => count(value / 2 ** 20);

describe('docs/planning.md states', () => {
  test.each([
    ['blocks', count(limits.MAX_BLOCKS)],
    ['level-k raster', `${mebi(limits.MAX_SPLIT_LEVEL_PIXELS)} Mpx`],
    ['side of a block, unless the master is in strips', `${count(limits.MAX_BLOCK_SIDE)} px`],
    ['predicted memory of RenderBlock and of RenderTopLevels', `${mebi(standard.rendering)} MiB`],
    ['the same in a stage of small functions', `${mebi(small.rendering)} MiB`],
    ['predicted time of a block', `${limits.BLOCK_TIME_BUDGET / 1000} s`],
    ['predicted files of RenderBlock', `${mebi(limits.SCRATCH_BUDGET)} MiB`],
    ['functions at the same time on AWS', count(limits.MAP_CONCURRENCY)],
    ['start of a function', `${figures.INVOCATION} ms`],
    ['network of a function', `${figures.NETWORK / 1000} MB/s`],
    ['reading an uncompressed pixel', `${figures.DECODING.uncompressed} ns`],
    ['decoding a compressed pixel', `${figures.DECODING.compressed} ns`],
    ['converting a pixel by a profile', `${figures.CONVERTING.profile} ns`],
    ['converting a pixel of CMYK or L\\*a\\*b\\*', `${figures.CONVERTING.cmyk} ns`],
    ['memory while colours are converted', `${figures.CONVERTED} B/px`],
    ['reducing a pixel of the master', `${figures.REDUCING} ns`],
    ['memory of Node.js, sharp and the SDK', `${mebi(figures.BASE_MEMORY)} MiB`],
    ['pixels of all levels for one of level 0', figures.LEVELS.toFixed(2)],
  ])('%s: %s', (name, value) => {
    expect(rows.get(name)?.[0]).toBe(value);
  });

  test.each(Object.entries(encodings))('the row of the encoding %s', (name, properties) => {
    const { encodeTime, encodedShare } = properties;
    expect(rows.get(name)).toEqual([`${encodeTime}`, `${encodedShare * 100} %`]);
  });

  test.each([
    ['the weight of work', `critical path + ${figures.WEIGHT_OF_WORK} · work`],
    ['the sizes of parts', `${mebi(figures.PART_PIXELS)} Mpx (${mebi(standard.wholePartPixels)} Mpx where`],
    ['the size of parts of small functions', `${mebi(small.wholePartPixels)} Mpx in a stage of small functions`],
    ['the rows of an image that is reduced', `${count(figures.REDUCED_ROWS)} rows`],
    ['the largest slice in memory', `up to ${mebi(figures.HELD_SLICE_BYTES)} MiB`],
    ['the time of reducing', `take ${figures.DECODING.compressed + figures.REDUCING} ns a pixel`],
    ['the width of encoded columns', `columns of ${count(limits.ENCODED_WIDTH)} pixels`],
    ['the height of encoded columns', `at most ${count(limits.MAX_ENCODED_SIDE)} rows`],
    ['the largest image that is decoded in memory', `in memory up to ${mebi(figures.DECODED_IN_MEMORY)} Mpx`],
  ])('%s', (_, text) => {
    expect(page.replaceAll(/\s+/gu, ' ')).toContain(text);
  });

  test('one time for CMYK and L*a*b*', () => {
    expect(figures.CONVERTING.lab).toBe(figures.CONVERTING.cmyk);
  });
});
