/** TIFFs whose samples are measured before their pyramid is planned, through the steps. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { SourceChangedError } from '../../src/errors.ts';
import { makeMeasureSamples } from '../../src/steps/measure-samples.ts';
import { makeValidateObject } from '../../src/steps/validate-object.ts';
import { cutInto } from '../support/exactness.ts';
import { quietCall } from '../support/pipeline.ts';
import { decodeLevels } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';
import { floatTiff } from '../support/deep-tiff.ts';

const [width, height] = [600, 1_100];
/** The least value is in the first block only, the greatest in the last one only. */
const values = Float32Array.from({ length: width * height }, (_, at) => {
  const [x, y] = [at % width, Math.floor(at / width)];
  if (x === 3 && y === 2) return -40.5;
  if (x === 590 && y === 1_090) return 87.25;
  return x === 300 ? NaN : Math.sin(x / 30) * 20 + y / 20;
});
const master = floatTiff(values, { width, height, rows: 16 });

let steps: Steps;
beforeAll(async () => {
  steps = await startSteps();
});
afterAll(() => steps.stop());

async function validated(key: string) {
  const input = await steps.upload(key, master, 'archival');
  const image = await makeValidateObject(steps.ports)(input, quietCall);
  if (!('format' in image)) throw new Error('Expected a master that is read as it is');
  return { ...input, image };
}

describe('floating-point samples without a range', () => {
  test('have one mapping in all blocks, which the sidecar states', async () => {
    const cut = cutInto(width, height, 0, 512, 512);
    const planned = await steps.planned('heights.tif', master, { recipe: 'archival', cut });
    expect(planned.plan.blocks.length).toBeGreaterThan(4);
    await steps.checksum(planned);
    const state = await steps.render(planned);
    await steps.verify(state);
    const published = await steps.publish(state);
    const [full] = await decodeLevels(Buffer.from(await steps.store.read(published)));
    const expected = Array.from(values, (value) =>
      Number.isNaN(value) ? 0 : Math.round(((value + 40.5) / 127.75) * 65_535),
    );
    expect(full?.pixels.equals(Buffer.from(Uint16Array.from(expected).buffer))).toBe(true);
    await steps.publishSidecar(state, published);
    const { source, metadata } = await steps.sidecarOf(published.key);
    expect(source.mappedRange).toEqual({
      ...{ format: 'float', bits: 32, min: -40.5, max: 87.25, from: 'pixels', withoutValue: 1_100 },
    });
    expect(metadata.warnings).toEqual([
      'floating-point samples of 32 bits: -40.5 to 87.25, the least and the greatest of the image, are published as ' +
        '0 to 65535',
      "1100 samples have no value (not a number, or GDAL's value for no data) and are published as 0",
    ]);
  });

  test('are measured to the same result when the step is repeated', async () => {
    const state = await validated('again.tif');
    expect(state.image.unmeasured).toBe(true);
    const measured = await makeMeasureSamples(steps.ports)(state, quietCall);
    expect(JSON.parse(JSON.stringify(measured))).not.toHaveProperty('unmeasured');
    expect(await makeMeasureSamples(steps.ports)(state, quietCall)).toEqual(measured);
  });

  test('are not measured if the master was overwritten', async () => {
    const state = await validated('replaced.tif');
    await steps.store.write({ bucket: steps.sourceBucket, key: 'replaced.tif' }, Buffer.from('another'));
    await expect(makeMeasureSamples(steps.ports)(state, quietCall)).rejects.toThrow(SourceChangedError);
  });
});
