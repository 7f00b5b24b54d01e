/**
 * A model of the time and price of one image on many functions. Not a measurement of AWS: block
 * times are measured on this machine, everything else is assumed and printed first.
 *
 *     npm run bench:model -- [--megapixels 300]… [--runs 3]
 */
import { parseArgs } from 'node:util';
import { assumptions } from './model/assumptions.ts';
import { type BlockTimes, measureBlock } from './model/block-times.ts';
import { type Estimate, fannedOut, oneBig, type Work, workOf } from './model/critical-path.ts';
import { planFor } from './model/planned.ts';

const functionCounts = [1, 2, 4, 8, 16, 40, 100, 400, 1000];
const block = { width: 8192, height: 4096 };
/** Levels of the measured block. Each further level would add less than half a percent. */
const LEVELS = 5;

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
  const times = await measureBlock(block, LEVELS, Number(values.runs));
  printTimes(times);
  for (const megapixels of sizes) printImage(workOf(planFor(megapixels * 1e6), times));
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
  const sizes = `${work.blocks.length} blocks that halve ${work.splitLevel} times, ${(work.outputBytes / 1e9).toFixed(2)} GB out`;
  print(`### ${Math.round(work.pixels / 1e6).toLocaleString('en')} megapixels: ${sizes}`);
  print();
  print('| | rendering s | faster than 1 | event to published s | faster than 1 | all functions cold s | $ |');
  print('|---|---:|---:|---:|---:|---:|---:|');
  const one = fannedOut(work, 1);
  for (const count of functionCounts.filter((each) => each <= assumptions.mapConcurrency.value)) {
    print(`| ${count} ${count === 1 ? 'function' : 'functions'} | ${cells(fannedOut(work, count), one)} |`);
  }
  for (const count of functionCounts.filter((each) => each > assumptions.mapConcurrency.value)) {
    print(`| ${count.toLocaleString('en')}, if the Map had no limit | ${cells(fannedOut(work, count), one)} |`);
  }
  for (const [cores, what] of [
    [assumptions.bigCores.value, 'all cores busy'],
    [1, 'one core busy, as in one pass of libvips'],
  ] as const) {
    const big = oneBig(work, cores);
    const says = big.fits ? cells(big, one) : `over ${assumptions.lambdaLimit.value} s: cannot | | | | |`;
    print(`| one large function, ${what} | ${says} |`);
  }
  print();
}

function cells({ rendering, warm, cold, dollars }: Estimate, one: Estimate): string {
  const faster = (than: number, seconds: number): string => (than / seconds).toFixed(1);
  return [
    rendering.toFixed(1),
    faster(one.rendering, rendering),
    warm.toFixed(1),
    faster(one.warm, warm),
    cold.toFixed(1),
    dollars.toFixed(dollars < 0.1 ? 4 : 2),
  ].join(' | ');
}

function amount(value: number): string {
  return value >= 1 ? value.toLocaleString('en') : value.toFixed(10).replace(/0+$/u, '');
}

await main();
