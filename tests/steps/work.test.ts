import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { InconsistentWorkError } from '../../src/errors.ts';
import type { AssembledState, PlannedState } from '../../src/work/execution-state.ts';
import type { ObjectRef } from '../../src/storage/object-store.ts';
import { decodeLevels, pictureOf, singlePass } from '../support/pixels.ts';
import { sixBlocks, startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
let master: Buffer;
beforeAll(async () => {
  master = await pictureOf(600, 500).png().toBuffer();
});
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const workBucket = 'stepwell-work';

async function alter(ref: ObjectRef, change: (bytes: Buffer) => Buffer): Promise<void> {
  await steps.store.write(ref, change(Buffer.from(await steps.store.read(ref))));
}

const flipped = (bytes: Buffer): Buffer => {
  const changed = Buffer.from(bytes);
  changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 0xff;
  return changed;
};

describe('a block', () => {
  let planned: PlannedState;
  let written: string[];
  beforeEach(async () => {
    planned = await steps.planned('photo.png', master, { cut: sixBlocks });
    await steps.renderBlock(planned, 3);
    written = [];
    steps.hooks.before = (method, ref) => {
      if (method === 'write' || method === 'compose') written.push(ref.key.slice(ref.key.lastIndexOf('/') + 1));
    };
  });
  const refs = () => {
    const area = steps.workOf(planned);
    return {
      tiles: area.tiles(planned.plan.ref, 3),
      raster: area.raster(planned.plan.ref, 3),
      index: area.index(planned.plan.ref, 3),
    };
  };

  test('that is complete is not rendered again, and its master is not read', async () => {
    await steps.store.remove({ bucket: steps.sourceBucket, key: 'photo.png' });
    await steps.renderBlock(planned, 3);
    expect(written).toEqual([]);
  });

  test('is completed by its index, which is written last', async () => {
    await steps.renderBlock(planned, 4);
    expect(written).toEqual(['4.tiles', '4.raster', '4.json']);
  });

  test.each<[string, (ref: ReturnType<typeof refs>) => Promise<void>]>([
    ['its index is missing', ({ index }) => steps.store.remove(index)],
    ['its tiles are missing', ({ tiles }) => steps.store.remove(tiles)],
    ['its raster is missing', ({ raster }) => steps.store.remove(raster)],
    ['its tiles are altered', ({ tiles }) => alter(tiles, flipped)],
    ['its tiles are truncated', ({ tiles }) => alter(tiles, (bytes) => bytes.subarray(0, -1))],
    ['its raster is altered', ({ raster }) => alter(raster, flipped)],
    [
      'its index names other tiles',
      ({ index }) =>
        alter(index, (bytes) => Buffer.from(bytes.toString().replace(/"etag":"[^"]+"/u, '"etag":"other"'))),
    ],
  ])('is rendered again, to the same bytes, when %s', async (_, damage) => {
    const contents = async () =>
      Promise.all(
        Object.values(refs()).map(async (ref) => Buffer.from(await steps.store.read(ref)).toString('base64')),
      );
    const [tiles, raster] = await contents();
    await damage(refs());
    await steps.renderBlock(planned, 3);
    expect(written).toEqual(['3.tiles', '3.raster', '3.json']);
    expect((await contents()).slice(0, 2)).toEqual([tiles, raster]);
    written.length = 0;
    await steps.renderBlock(planned, 3);
    expect(written).toEqual([]);
  });

  test('beyond the last one of the plan is refused', async () => {
    await expect(steps.renderBlock(planned, 6)).rejects.toThrow(RangeError);
    expect(written).toEqual([]);
  });

  test('without its plan fails as inconsistent work', async () => {
    await steps.store.remove({ bucket: workBucket, key: planned.plan.ref.key });
    await expect(steps.renderBlock(planned, 0)).rejects.toThrow(InconsistentWorkError);
  });
});

describe('the top levels', () => {
  test('are not rendered again if they are complete', async () => {
    const rendered = await steps.rendered('photo.png', master, { cut: sixBlocks });
    const before = await steps.objects(workBucket);
    await steps.renderTopLevels(rendered);
    expect(await steps.objects(workBucket)).toEqual(before);
  });

  test.each(['missing', 'altered'])('cannot be rendered when the raster of a block is %s', async (how) => {
    const planned = await steps.planned('photo.png', master, { cut: sixBlocks });
    for (const block of planned.plan.blocks) await steps.renderBlock(planned, block);
    const raster = steps.workOf(planned).raster(planned.plan.ref, 2);
    await (how === 'missing' ? steps.store.remove(raster) : alter(raster, flipped));
    await expect(steps.renderTopLevels(planned)).rejects.toThrow(InconsistentWorkError);
    expect([...(await steps.objects(workBucket)).keys()].filter((key) => key.includes('top-levels'))).toEqual([]);
  });

  test('cannot be rendered when a block is missing', async () => {
    const planned = await steps.planned('photo.png', master, { cut: sixBlocks });
    for (const block of planned.plan.blocks.slice(1)) await steps.renderBlock(planned, block);
    await expect(steps.renderTopLevels(planned)).rejects.toThrow(InconsistentWorkError);
  });
});

describe('assembly', () => {
  const target = (state: PlannedState): ObjectRef => steps.workOf(state).assembled(state.plan.ref);

  test.each<[string, number | 'top-levels', 'tiles' | 'index', 'remove' | 'alter' | 'cut']>([
    ['the tiles of a block are missing', 2, 'tiles', 'remove'],
    ['the tiles of a block are altered', 5, 'tiles', 'alter'],
    ['the tiles of a block are truncated', 0, 'tiles', 'cut'],
    ['the index of a block is missing', 4, 'index', 'remove'],
    ['the tiles of the top levels are missing', 'top-levels', 'tiles', 'remove'],
    ['the tiles of the top levels are altered', 'top-levels', 'tiles', 'alter'],
    ['the index of the top levels is missing', 'top-levels', 'index', 'remove'],
  ])('fails as inconsistent work and writes nothing when %s', async (_, bundle, kind, how) => {
    const rendered = await steps.rendered('photo.png', master, { cut: sixBlocks });
    const ref = steps.workOf(rendered)[kind](rendered.plan.ref, bundle);
    if (how === 'remove') await steps.store.remove(ref);
    else await alter(ref, how === 'alter' ? flipped : (bytes) => bytes.subarray(0, -7));
    await expect(steps.assemble(rendered)).rejects.toThrow(InconsistentWorkError);
    expect(await steps.objects(workBucket, target(rendered).key)).toEqual(new Map());
  });

  test.each<[string, (index: string) => string]>([
    ['a run twice', (index) => index.replace(/("runs":\[)(\{[^}]*\})/u, '$1$2,$2')],
    ['no runs', (index) => index.replace(/"runs":\[.*\]/u, '"runs":[]')],
    ['tiles of a level that does not exist', (index) => index.replace('"level":0', '"level":9')],
    ['tiles of another block', (index) => index.replace('"column":1', '"column":0')],
    ['another encoding', (index) => index.replace('"photometric":6', '"photometric":2')],
  ])('fails as inconsistent work when the index of a block names %s', async (_, change) => {
    const rendered = await steps.rendered('photo.png', master, { cut: sixBlocks });
    const ref = steps.workOf(rendered).index(rendered.plan.ref, 1);
    await alter(ref, (bytes) => {
      const changed = change(bytes.toString());
      expect(changed).not.toBe(bytes.toString());
      return Buffer.from(changed);
    });
    await expect(steps.assemble(rendered)).rejects.toThrow(InconsistentWorkError);
    expect(await steps.objects(workBucket, target(rendered).key)).toEqual(new Map());
  });

  test('gives the same bytes when it is repeated, and the pixels of a single pass', async () => {
    const rendered = await steps.rendered('photo.png', master, { cut: sixBlocks });
    const [first, second] = [await steps.assemble(rendered), await steps.assemble(rendered)];
    expect(second.assembled.size).toBe(first.assembled.size);
    const bytes = Buffer.from(await steps.store.read(target(rendered)));
    const levels = await decodeLevels(bytes);
    const expected = await singlePass(master, { tileSize: 256, compression: 'jpeg', quality: 80, colourspace: 'srgb' });
    expect(levels.map(({ pixels }, level) => pixels.equals(expected[level]?.pixels ?? Buffer.alloc(0)))).toEqual([
      true,
      true,
      true,
    ]);
  });
});

describe('verification', () => {
  let state: AssembledState;
  beforeEach(async () => {
    state = await steps.assembled('photo.png', master, {
      recipe: 'archival',
      cut: { splitLevel: 0, blocks: { columns: [0, 512, 600], rows: [0, 500] } },
    });
  });

  /** Replaces the assembled file by altered bytes, with a matching execution state. */
  async function verifyAltered(change: (file: Buffer, tiff: ClassicTiff) => Buffer | undefined): Promise<void> {
    const ref = { bucket: workBucket, key: state.assembled.key };
    const file = Buffer.from(await steps.store.read(ref));
    const changed = change(file, classicTiff(file)) ?? file;
    const { etag, size } = await steps.store.write(ref, changed);
    await steps.verify({ ...state, assembled: { ...state.assembled, etag, size } });
  }

  test('accepts an assembled file', async () => {
    await steps.verify(state);
    await verifyAltered(() => undefined);
  });

  test.each<[string, (file: Buffer, tiff: ClassicTiff) => Buffer | undefined]>([
    ['truncated by a byte', (file) => file.subarray(0, -1)],
    ['truncated to half', (file) => file.subarray(0, file.length >> 1)],
    ['truncated within its tables', (file) => file.subarray(0, 100)],
    ['that is empty', () => Buffer.alloc(0)],
    [
      'that is not a TIFF',
      (file) => {
        file.fill(0, 0, 4);
        return undefined;
      },
    ],
    [
      'of another width',
      (file, { fields }) => {
        file.writeUInt32LE(601, (fields[0]?.get(256) ?? 0) + 8);
        return undefined;
      },
    ],
    [
      'of another tile size',
      (file, { fields }) => {
        file.writeUInt32LE(256, (fields[0]?.get(322) ?? 0) + 8);
        return undefined;
      },
    ],
    [
      'without its last level',
      (file, { ends }) => {
        file.writeUInt32LE(0, ends[0] ?? 0);
        return undefined;
      },
    ],
    [
      'with a loop in its chain of directories',
      (file, { ends, places }) => {
        file.writeUInt32LE(places[0] ?? 0, ends[1] ?? 0);
        return undefined;
      },
    ],
    [
      'with a directory past the end',
      (file, { ends }) => {
        file.writeUInt32LE(0x7fff_fff0, ends[1] ?? 0);
        return undefined;
      },
    ],
    [
      'with two equal offsets',
      (file, { fields }) => {
        const at = file.readUInt32LE((fields[0]?.get(324) ?? 0) + 8);
        file.copy(file, at, at + 4, at + 8);
        return undefined;
      },
    ],
    [
      'with an offset past the end',
      (file, { fields }) => {
        file.writeUInt32LE(0xffff_0000, file.readUInt32LE((fields[0]?.get(324) ?? 0) + 8));
        return undefined;
      },
    ],
    [
      'with an offset that is wrong by one',
      (file, { fields }) => {
        const at = (fields[1]?.get(324) ?? 0) + 8;
        file.writeUInt32LE(file.readUInt32LE(at) - 1, at);
        return undefined;
      },
    ],
    [
      'with a byte count of zero',
      (file, { fields }) => {
        file.writeUInt32LE(0, (fields[1]?.get(325) ?? 0) + 8);
        return undefined;
      },
    ],
    [
      'with a tile of zeros',
      (file, { fields }) => {
        const at = file.readUInt32LE((fields[1]?.get(324) ?? 0) + 8);
        file.fill(0, at, at + 40);
        return undefined;
      },
    ],
    [
      'with bytes flipped in a tile',
      (file, { fields }) => {
        const at = file.readUInt32LE((fields[1]?.get(324) ?? 0) + 8) + 200;
        for (let i = at; i < at + 64; i++) file[i] = (file[i] ?? 0) ^ 0xff;
        return undefined;
      },
    ],
    [
      'with another compression',
      (file, { fields }) => {
        file.writeUInt16LE(5, (fields[0]?.get(259) ?? 0) + 8);
        return undefined;
      },
    ],
    [
      'without compression',
      (file, { fields }) => {
        file.writeUInt16LE(1, (fields[0]?.get(259) ?? 0) + 8);
        return undefined;
      },
    ],
  ])('refuses a file %s', async (_, change) => {
    await expect(verifyAltered(change)).rejects.toThrow(InconsistentWorkError);
  });

  test('refuses a file that was replaced after assembly', async () => {
    const ref = { bucket: workBucket, key: state.assembled.key };
    await alter(ref, flipped);
    await expect(steps.verify(state)).rejects.toThrow(InconsistentWorkError);
    await steps.store.remove(ref);
    await expect(steps.verify(state)).rejects.toThrow(InconsistentWorkError);
  });
});

interface ClassicTiff {
  /** Offsets of each directory, of its link to the next one, and of the entry of each tag. */
  readonly places: number[];
  readonly ends: number[];
  readonly fields: Map<number, number>[];
}

function classicTiff(file: Buffer): ClassicTiff {
  const tiff: ClassicTiff = { places: [], ends: [], fields: [] };
  for (let place = file.readUInt32LE(4); place !== 0;) {
    const count = file.readUInt16LE(place);
    tiff.places.push(place);
    tiff.fields.push(
      new Map(
        Array.from({ length: count }, (_, index) => [
          file.readUInt16LE(place + 2 + 12 * index),
          place + 2 + 12 * index,
        ]),
      ),
    );
    tiff.ends.push(place + 2 + 12 * count);
    place = file.readUInt32LE(place + 2 + 12 * count);
  }
  return tiff;
}
