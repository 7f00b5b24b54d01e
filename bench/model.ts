/**
 * What fanning out buys, and what it costs: a model, not a measurement of AWS. Block times are measured here; all else
 * is assumed and listed first.
 *
 *     npm run bench:model -- [--megapixels 300]… [--runs 3]
 */
import { parseArgs } from 'node:util';
import { assumptions } from './model/assumptions.ts';
import { type BlockTimes, measureBlock } from './model/block-times.ts';
import { type Estimate, fannedOut, oneBig, type Work, workOf } from './model/critical-path.ts';

const functionCounts = [1, 2, 4, 8, 16, 40, 100, 400, 1000];
const block = { width: 8192, height: 4096 };

function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      megapixels: { type: 'string', multiple: true, default: ['300', '10000', '100000'] },
      runs: { type: 'string', default: '3' },
    },
  });
  const sizes = values.megapixels.map(Number);
  if (!sizes.every((size) => size > 0)) throw new Error('Expected numbers above 0 for --megapixels');
  print('### Assumed');
  print();
  for (const { value, unit, says } of Object.values(assumptions)) print(`* ${amount(value)} ${unit}: ${says}`);
  print('* not counted: storage, DynamoDB, EventBridge, SQS, logs and traces; retries; a queue before the first step');
  print();
  const times = await measureBlock(block, assumptions.splitLevel.value + 1, Number(values.runs));
  printTimes(times);
  for (const megapixels of sizes) printImage(workOf(megapixels * 1e6, times));
}

function printTimes(times: BlockTimes): void {
  print(`### Measured on this machine: a block of ${block.width} × ${block.height}, JPEG quality 75, one core`);
  print();
  print('| | CPU s | ns a pixel |');
  print('|---|---:|---:|');
  for (const name of ['decode', 'halve', 'encode', 'write'] as const) {
    print(`| ${name} | ${times[name].toFixed(3)} | ${((times[name] / times.pixels) * 1e9).toFixed(1)} |`);
  }
  print();
  const bytesIn = times.pixels * assumptions.bytesPerPixel.value;
  print(`${(bytesIn / 1e6).toFixed(0)} MB in, ${(times.tileBytes / 1e6).toFixed(1)} MB of tiles out.`);
  print();
}

function printImage(work: Work): void {
  print(
    `### ${(work.pixels / 1e6).toLocaleString('en')} megapixels: ${work.blocks} blocks, ${(work.outputBytes / 1e9).toFixed(2)} GB out`,
  );
  print();
  print(`| | at most ${assumptions.mapConcurrency.value} at once: s | $ | if the Map had no limit: s | $ |`);
  print('|---|---:|---:|---:|---:|');
  for (const count of functionCounts) {
    const limited = fannedOut(work, Math.min(count, assumptions.mapConcurrency.value));
    const free = fannedOut(work, count);
    print(`| ${count} ${count === 1 ? 'function' : 'functions'} | ${cells(limited)} | ${cells(free)} |`);
  }
  for (const [cores, what] of [
    [assumptions.bigCores.value, 'all its cores busy'],
    [1, 'one core busy, as one pass of libvips keeps it'],
  ] as const) {
    const big = oneBig(work, cores);
    print(
      `| one big function, ${what} | ${big.fits ? cells(big) : `over ${assumptions.lambdaLimit.value} s: cannot |`} | | |`,
    );
  }
  print();
}

function cells({ seconds, dollars }: Estimate): string {
  return `${seconds.toFixed(1)} | ${dollars.toFixed(dollars < 0.1 ? 4 : 2)}`;
}

function amount(value: number): string {
  return value >= 1 ? value.toLocaleString('en') : value.toFixed(10).replace(/0+$/u, '');
}

await main();
