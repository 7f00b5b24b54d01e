import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RejectedImageError } from '../../src/errors.ts';
import { memoryLimits } from '../../src/limits.ts';
import { blockCount } from '../../src/pyramid/blocks.ts';
import { estimate } from '../../src/pyramid/cost-model.ts';
import { planningJob } from '../../src/pyramid/planning-job.ts';
import { makePlan, type Plan, reducedSize } from '../../src/pyramid/plan.ts';
import type { Description } from '../../src/tiff/pyramid-fields.ts';
import { Recipe } from '../../src/recipe/recipe.ts';
import type { SourceImage } from '../../src/pyramid/source-image.ts';

const jpeg = Recipe.parse({
  name: 'test',
  version: 1,
  description: 'for tests',
  tileSize: 512,
  encoding: { compression: 'jpeg', quality: 75 },
  colour: 'keep',
  depth: 'keep',
  background: '#ffffff',
});
const deflate: Recipe = { ...jpeg, encoding: { compression: 'deflate', level: 6 } };

function striped(width: number, height: number, more: Partial<SourceImage> = {}): SourceImage {
  return {
    format: 'tiff',
    width,
    height,
    model: 'rgb',
    profile: 'none',
    bands: 3,
    alpha: false,
    bitDepth: 8,
    orientation: 1,
    progressive: false,
    uncompressed: true,
    chunks: { kind: 'strips', width, height: 16 },
    fileSize: width * height * 3,
    ...more,
  };
}

const tiled = (width: number, height: number, more: Partial<SourceImage> = {}): SourceImage =>
  striped(width, height, { uncompressed: false, chunks: { kind: 'tiles', width: 512, height: 512 }, ...more });

const whole = (width: number, height: number, fileSize: number, more: Partial<SourceImage> = {}): SourceImage =>
  striped(width, height, { format: 'jpeg', uncompressed: false, chunks: null, fileSize, ...more });

const { small, standard } = memoryLimits;
const onLambda = { concurrency: 40, memory: standard };

/** Split level, columns × rows of blocks, size of the first block, access. */
function summary({ splitLevel, blocks, access }: Plan): string {
  const grid = `${blocks.columns.length - 1}×${blocks.rows.length - 1}`;
  return `k${splitLevel} ${grid} of ${blocks.columns[1]}×${blocks.rows[1]} ${access}`;
}

test.each([
  [100, 40, 512, 256],
  [128, 128, 512, 256],
  [129, 1, 512, 512],
  [300, 200, 1024, 768],
  [1000, 10, 512, 512],
  [10, 10, 64, 64],
])(
  'a master of %i × %i px under tiles of %i gets tiles that libvips opens: %i',
  (width, height, tileSize, expected) => {
    const plan = makePlan(whole(width, height, 1000), { ...jpeg, tileSize }, {});
    expect([plan.recipe.tileSize, blockCount(plan.blocks)]).toEqual([expected, 1]);
  },
);

describe('the planner chooses', () => {
  const choices: readonly [string, SourceImage, Recipe, string][] = [
    ['one block for an image of one pixel', whole(1, 1, 100), jpeg, 'k0 1×1 of 1×1 whole'],
    ['one block for a camera’s JPEG', whole(4000, 3000, 5e6), jpeg, 'k3 1×1 of 4000×3000 whole'],
    ['bands for strips', striped(9600, 6400), jpeg, 'k2 1×4 of 9600×2048 slices'],
    ['bands for many strips', striped(20_480, 14_400), jpeg, 'k2 1×8 of 20480×2048 slices'],
    ['as many bands for deflate', striped(20_480, 14_400), deflate, 'k2 1×8 of 20480×2048 slices'],
    ['squares for tiles', tiled(20_480, 14_400), jpeg, 'k3 5×4 of 4096×4096 slices'],
    [
      'one block for a JPEG, which must be decoded from its start',
      whole(11_000, 9091, 30e6),
      jpeg,
      'k5 1×1 of 11000×9091 whole',
    ],
    [
      'one block for a huge JPEG, which is decoded once',
      whole(20_480, 14_400, 90e6),
      jpeg,
      'k6 1×1 of 20480×14400 whole',
    ],
    ['few bands for a huge JPEG under deflate', whole(20_480, 14_400, 90e6), deflate, 'k3 1×4 of 20480×4096 whole'],
    [
      'several blocks for a JPEG that is wider than a block may be',
      whole(40_000, 10_000, 120e6),
      jpeg,
      'k5 3×1 of 16384×10000 whole',
    ],
    ['larger squares for a gigapixel', tiled(32_000, 32_000), jpeg, 'k4 4×4 of 8192×8192 slices'],
    ['the limit of the top levels for ten gigapixels', tiled(100_000, 100_000), jpeg, 'k4 13×13 of 8192×8192 slices'],
    ['full-width bands for strips of any width', striped(100_000, 100_000), jpeg, 'k4 1×13 of 100000×8192 slices'],
    ['a deeper split for a hundred gigapixels', tiled(316_000, 316_000), jpeg, 'k6 10×10 of 32768×32768 slices'],
    ['one block for an image one pixel wide', striped(1, 1_000_000), jpeg, 'k11 1×1 of 1×1000000 slices'],
    [
      'columns for strips rotated by 90°',
      striped(20_480, 14_400, { orientation: 6 }),
      jpeg,
      'k2 8×1 of 2048×20480 slices',
    ],
  ];
  test.each(choices)('%s', (_, image, recipe, expected) => {
    expect(summary(makePlan(image, recipe, {}))).toBe(expected);
  });
});

describe('the planner chooses by the number of concurrent functions:', () => {
  const jpegMaster = whole(20_480, 14_648, 90e6);
  const strips = striped(20_480, 14_648);
  test.each([
    [2, 'one block for a JPEG of 300 megapixels', jpegMaster, jpeg, 'k6 1×1 of 20480×14648 whole'],
    [4, 'few bands for the same JPEG', jpegMaster, jpeg, 'k3 1×4 of 20480×4096 whole'],
    [2, 'two bands for the same JPEG with deflate', jpegMaster, deflate, 'k4 1×2 of 20480×8192 whole'],
    [2, 'two bands for strips', strips, jpeg, 'k4 1×2 of 20480×8192 slices'],
    [4, 'four bands for strips', strips, jpeg, 'k3 1×4 of 20480×4096 slices'],
    [1, 'one block for a smaller image in strips', striped(9600, 6400), jpeg, 'k5 1×1 of 9600×6400 slices'],
    [1, 'no block larger than the limits', tiled(100_000, 100_000), jpeg, 'k4 13×13 of 8192×8192 slices'],
  ])('with %i, %s', (concurrency, _, image, recipe, expected) => {
    expect(summary(makePlan(image, recipe, {}, { concurrency }))).toBe(expected);
  });

  test('only the cut depends on that number', () => {
    const [two, forty] = [2, 40].map((concurrency) => makePlan(strips, jpeg, {}, { concurrency }));
    const cut = { splitLevel: 0, blocks: { columns: [], rows: [] } };
    expect({ ...two, ...cut }).toEqual({ ...forty, ...cut });
  });
});

describe('a recipe with a cap on the size', () => {
  const marble: Recipe = {
    ...deflate,
    sizeCap: { width: 4000, height: 4000, copyrighted: { width: 843, height: 560 } },
  };
  const choices: readonly [string, SourceImage, string][] = [
    ['one block for strips', striped(20_480, 14_400), 'k3 1×1 of 4000×2813 slices'],
    ['one block for tiles', tiled(14_400, 20_480), 'k3 1×1 of 2813×4000 slices'],
    ['one block for a JPEG, which is decoded from its start', whole(20_480, 14_400, 90e6), 'k3 1×1 of 4000×2813 whole'],
    [
      'one block for a JPEG rotated by 90°',
      whole(20_480, 14_400, 90e6, { orientation: 6 }),
      'k3 1×1 of 2813×4000 whole',
    ],
    ['one block for an image one pixel high', striped(1_000_000, 1), 'k3 1×1 of 4000×1 slices'],
    [
      'one block for five gigapixels',
      striped(100_000, 50_000, { uncompressed: false, fileSize: 8e9 }),
      'k3 1×1 of 4000×2000 slices',
    ],
    [
      'the same bands as without a cap for an image that fits in the box',
      striped(4000, 4000),
      'k1 1×4 of 4000×1024 slices',
    ],
  ];
  test.each(choices)('plans %s', (_, image, expected) => {
    const plan = makePlan(image, marble, {});
    expect(summary(plan)).toBe(expected);
  });

  test('makes a copyrighted work smaller still, in tiles that libvips opens', () => {
    const plan = makePlan(striped(6000, 4500), marble, {}, { copyrighted: true });
    expect(summary(plan)).toBe('k1 1×1 of 747×560 slices');
    expect(reducedSize(plan)).toEqual({ width: 747, height: 560 });
    const line = makePlan(striped(6000, 40), { ...marble, sizeCap: { width: 100, height: 100 } }, {});
    expect([line.width, line.height, line.recipe.tileSize]).toEqual([100, 1, 256]);
  });

  test('does not reduce an image that fits in the box', () => {
    expect(reducedSize(makePlan(striped(4000, 4000), marble, {}))).toBeUndefined();
    expect(reducedSize(makePlan(whole(3000, 4000, 1e6, { orientation: 5 }), marble, {}))).toBeUndefined();
  });

  test('scales the resolution with the size, so that the physical size stays the same', () => {
    const description: Description = {
      resolution: { x: [600, 1], y: [300, 1], unit: 2 },
      iccProfile: 'AAAA',
    };
    expect(makePlan(striped(8000, 2000), marble, description).description).toEqual({
      resolution: { x: [300, 1], y: [150, 1], unit: 2 },
      iccProfile: 'AAAA',
    });
    expect(makePlan(striped(4000, 2000), marble, description).description).toEqual(description);
  });

  describe('counts as memory of the reduction', () => {
    const size = { width: 4000, height: 3200 };
    const memoryOf = (image: SourceImage, wanted = size): number => {
      const blocks = { columns: [0, wanted.width], rows: [0, wanted.height] };
      const access = image.chunks ? 'slices' : 'whole';
      return estimate(planningJob(image, jpeg, wanted, onLambda), { splitLevel: 3, blocks, access }).blockMemory;
    };
    const master = (more: Partial<SourceImage> = {}): SourceImage => whole(10_000, 8000, 20e6, more);
    const alone = memoryOf(master());

    test.each([
      ['nothing for an image rotated by 90°, which is reduced before it is rotated', master({ orientation: 6 }), 0],
      ['a progressive JPEG as coefficients of 16 bits', master({ progressive: true }), 480_000_000],
      ['an interlaced PNG', master({ format: 'png', progressive: true }), 240_000_000],
      ['a WebP as two frames of RGBA', master({ format: 'webp' }), 640_000_000],
    ])('%s', (_, image, expected) => {
      expect(memoryOf(image) - alone).toBe(expected);
    });

    test('a TIFF of up to half a gibibyte, because a larger one is read into a file', () => {
      const small = tiled(10_000, 8000);
      const held = memoryOf({ ...small, fileSize: 536_870_912 });
      expect(held - memoryOf({ ...small, fileSize: 1 })).toBe(536_870_911);
      expect(memoryOf({ ...small, fileSize: 536_870_913 })).toBe(held - 536_870_912);
    });

    test('both colour spaces of L*a*b*, which is converted before it is reduced', () => {
      const lab = striped(10_000, 8000, { model: 'lab' });
      // Both images are held whole in 8 bits; the 12.8 Mpx of the part count 8 bytes more each
      // where colours are converted.
      expect(memoryOf(lab) - memoryOf(striped(10_000, 8000))).toBe(480_000_000 + 102_400_000);
    });
  });

  describe('refuses', () => {
    test.each([
      ['a progressive JPEG', whole(20_000, 20_000, 90e6, { progressive: true }), 'jpeg', '20000 × 20000'],
      ['an interlaced PNG', whole(28_000, 28_000, 90e6, { format: 'png', progressive: true }), 'png', '28000 × 28000'],
    ])('%s of more memory than there is', (_, image, format, size) => {
      expect(() => makePlan(image, marble, {})).toThrow(
        new RegExp(
          `^OVER_BUDGET: one function cannot reduce ${size} pixels of ${format} to 4000 × 4000: it needs 2[6-9]\\d\\d MiB of memory, of 2600 MiB$`,
          'u',
        ),
      );
    });

    test('an image whose slice exceeds the file space of a function', () => {
      expect(() => makePlan(striped(100_000, 40_000, { fileSize: 12e9 }), marble, {})).toThrow(
        'OVER_BUDGET: one function cannot reduce 100000 × 40000 pixels of tiff to 4000 × 1600: it needs 11445 MiB of files, of 10000 MiB',
      );
    });

    test('an image that takes longer than the time limit of a block', () => {
      expect(() => makePlan(striped(200_000, 140_000, { uncompressed: false, fileSize: 2e9 }), marble, {})).toThrow(
        /it needs 36\d s, of 300 s$/u,
      );
    });
  });
});

describe('functions of 3,008 MB', () => {
  const turned16 = whole(20_480, 14_400, 90e6, { format: 'png', bitDepth: 16, profile: 'other' });
  const archival: Recipe = { ...deflate, colour: 'srgb' };

  test('get smaller blocks where a block of the standard plan needs more memory than they have', () => {
    expect(summary(makePlan(turned16, archival, {}))).toBe('k4 3×2 of 8192×8192 whole');
    const plan = makePlan(turned16, archival, {}, { memory: small });
    expect(summary(plan)).toBe('k2 1×8 of 20480×2048 whole');
    const { blockMemory } = estimate(planningJob(turned16, archival, plan, { ...onLambda, memory: small }), plan);
    expect(blockMemory).toBeLessThanOrEqual(2_070 * 1_048_576);
  });

  test('get the standard plan where it fits', () => {
    for (const image of [whole(4000, 3000, 5e6), striped(20_480, 14_400), tiled(316_000, 316_000, { bitDepth: 16 })]) {
      expect(makePlan(image, jpeg, {}, { memory: small })).toEqual(
        expect.objectContaining({ blocks: makePlan(image, jpeg, {}).blocks }),
      );
    }
  });

  test('decode 96 Mpx of a master that is read from its beginning at a time, others 128 Mpx', () => {
    const master = whole(20_480, 14_400, 90e6);
    expect([makePlan(master, deflate, {}, { memory: small }), makePlan(master, deflate, {})]).toMatchObject([
      { partPixels: 100_663_296 },
      { partPixels: 134_217_728 },
    ]);
  });

  test('refuse a reduction that needs more memory than they have, and the message states how much that is', () => {
    const progressive = whole(19_000, 18_000, 90e6, { progressive: true });
    const recipe: Recipe = { ...jpeg, sizeCap: { width: 4000, height: 4000 } };
    expect(() => makePlan(progressive, recipe, {})).not.toThrow();
    expect(() => makePlan(progressive, recipe, {}, { memory: small })).toThrow(
      /^OVER_BUDGET: one function cannot reduce 19000 × 18000 pixels of jpeg .* needs 2[1-5]\d\d MiB of memory, of 2070 MiB$/u,
    );
  });
});

test('uncompressed rows take more time and memory where their colours are converted', () => {
  const candidate = {
    splitLevel: 4,
    blocks: { columns: [0, 10_000], rows: [0, 10_000] },
    access: 'slices',
  } as const;
  const size = { width: 10_000, height: 10_000 };
  const image = striped(10_000, 10_000, { profile: 'other' });
  const kept = estimate(planningJob(image, jpeg, size, onLambda), candidate);
  const converted = estimate(planningJob(image, { ...jpeg, colour: 'srgb' }, size, onLambda), candidate);
  // 100 Mpx take 8 and 25 ns a pixel instead of 0.5 ns; each of the 12 Mi pixels of a part takes 8
  // bytes more.
  expect(converted.work - kept.work).toBeCloseTo(3250);
  expect(converted.blockMemory - kept.blockMemory).toBe(100_663_296);
});

describe('the planner refuses', () => {
  test('more than 100,000,000,000 pixels, whatever else the header states', () => {
    expect(() => makePlan(striped(1_000_000, 1_000_000), jpeg, {})).toThrow(
      new RejectedImageError('TOO_MANY_PIXELS', '1000000 × 1000000 is more than 100000000000 pixels'),
    );
  });

  test('a progressive JPEG that exceeds the memory of a function, because it is decoded as a whole', () => {
    const giant = whole(65_000, 65_000, 2e9, { progressive: true });
    expect(() => makePlan(giant, jpeg, {})).toThrow(/OVER_BUDGET: 65000 × 65000 pixels of jpeg/u);
  });
});

test('every plan is within the limits, and its blocks cover the image once', () => {
  const size = fc.integer({ min: 1, max: 300_000 });
  const image = fc
    .tuple(size, size, fc.constantFrom('strips', 'tiles'), fc.integer({ min: 1, max: 8 }), fc.constantFrom(1, 3))
    .filter(([width, height]) => width * height < 20e9)
    .map(([width, height, kind, orientation, bands]) => ({
      ...(kind === 'tiles' ? tiled(width, height) : striped(width, height)),
      orientation,
      bands: bands === 1 ? (1 as const) : (3 as const),
    }));
  fc.assert(
    fc.property(image, fc.constantFrom(jpeg, deflate), fc.constantFrom(small, standard), (master, recipe, memory) => {
      const plan = makePlan(master, recipe, {}, { memory });
      const needed = estimate(planningJob(master, recipe, plan, { ...onLambda, memory }), plan);
      expect(Math.max(needed.blockMemory, needed.topLevelsMemory)).toBeLessThanOrEqual(memory.rendering);
      const unit = 512 * 2 ** plan.splitLevel;
      const { columns, rows } = plan.blocks;
      expect(blockCount(plan.blocks)).toBeLessThanOrEqual(2000);
      expect([columns[0], columns.at(-1), rows[0], rows.at(-1)]).toEqual([0, plan.width, 0, plan.height]);
      for (const edge of [...columns.slice(0, -1), ...rows.slice(0, -1)]) expect(edge % unit).toBe(0);
      const isOneBlock = blockCount(plan.blocks) === 1;
      const topLevels = Math.floor(plan.width / 2 ** plan.splitLevel) * Math.floor(plan.height / 2 ** plan.splitLevel);
      expect(isOneBlock || topLevels <= 67_108_864).toBe(true);
    }),
    { numRuns: 150, seed: 5 },
  );
});
