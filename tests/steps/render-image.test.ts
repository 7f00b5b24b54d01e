import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { InconsistentWorkError, SourceChangedError } from '../../src/errors.ts';
import { decodeLevels, pictureOf, singlePass } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const workBucket = 'stepwell-work';

async function workObjects(): Promise<string[]> {
  return [...(await steps.objects(workBucket)).keys()].map((key) => key.replace(/^work\/\w+\/\w+\//u, '')).sort();
}

describe('an image of one block', () => {
  test('has only its header, its plan and its TIFF in the work area', async () => {
    const { plan } = await steps.assembled('photo.jpg', await pictureOf(600, 500).jpeg().toBuffer());
    expect(plan).toMatchObject({ blocks: [0], oneBlock: true });
    expect(await workObjects()).toEqual([
      `${plan.ref.hash}/assembled.tif`,
      `${plan.ref.hash}/plan.json`,
      'header.json',
    ]);
  });

  test.each(['png', 'tiff'] as const)('has the same pixels as a single pass of libvips (%s)', async (format) => {
    const master = await pictureOf(600, 500).toFormat(format).toBuffer();
    const state = await steps.assembled(`photo.${format}`, master);
    await steps.verify(state);
    const bytes = Buffer.from(await steps.store.read({ bucket: workBucket, key: state.assembled.key }));
    expect(bytes.length).toBe(state.assembled.size);
    const levels = await decodeLevels(bytes);
    const expected = await singlePass(master, { tileSize: 256, compression: 'jpeg', quality: 80, colourspace: 'srgb' });
    expect(levels).toHaveLength(expected.length);
    levels.forEach(({ pixels }, level) => {
      expect(pixels.equals(expected[level]?.pixels ?? Buffer.alloc(0))).toBe(true);
    });
  });

  test('is rendered again to the same bytes', async () => {
    const planned = await steps.planned('photo.jpg', await pictureOf(600, 500).jpeg().toBuffer());
    const first = await steps.render(planned);
    const read = async () => Buffer.from(await steps.store.read({ bucket: workBucket, key: first.assembled.key }));
    const bytes = await read();
    const second = await steps.render(planned);
    expect(second.assembled.checksums).toEqual(first.assembled.checksums);
    expect((await read()).equals(bytes)).toBe(true);
  });

  test('is not written if its master is overwritten while it is read', async () => {
    const planned = await steps.planned('photo.jpg', await pictureOf(600, 500).jpeg().toBuffer());
    const ref = { bucket: steps.sourceBucket, key: 'photo.jpg' };
    steps.hooks.after = async (method) => {
      if (method !== 'materialise') return;
      steps.hooks.after = undefined;
      await steps.store.write(ref, await pictureOf(600, 500, 3, 7).jpeg().toBuffer());
    };
    await expect(steps.render(planned)).rejects.toThrow(SourceChangedError);
    expect((await workObjects()).filter((name) => name.endsWith('.tif'))).toEqual([]);
  });

  test.each(['header.json', 'plan.json'])('fails as inconsistent work without its %s', async (name) => {
    const planned = await steps.planned('photo.jpg', await pictureOf(60, 50).jpeg().toBuffer());
    const area = steps.workOf(planned);
    await steps.store.remove(name === 'header.json' ? area.header : area.plan(planned.plan.ref.hash));
    await expect(steps.render(planned)).rejects.toThrow(InconsistentWorkError);
  });
});
