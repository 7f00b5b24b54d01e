import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { SourceChangedError } from '../../src/errors.ts';
import { makeRecordMetadata } from '../../src/steps/record-metadata.ts';
import { quietCall } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';
import { sixBlocks, startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const key = 'caf\u00e9 100%+#?.png';

describe('validating a master', () => {
  test('returns its image fields and writes its header to the work area', async () => {
    const master = await pictureOf(64, 48).withIccProfile('p3').png().toBuffer();
    const input = await steps.upload(key, master);
    const { image } = await steps.validate(input);
    expect(image).toMatchObject({
      format: 'png',
      width: 64,
      height: 48,
      bands: 3,
      bitDepth: 8,
      fileSize: master.length,
    });
    const header = JSON.parse(Buffer.from(await steps.store.read(steps.workOf(input).header)).toString()) as object;
    expect(Object.keys(header)).toContain('iccProfile');
  });

  test('rejects a missing object as SOURCE_GONE', async () => {
    const input = await steps.upload(key, await pictureOf(9, 9).png().toBuffer());
    await steps.store.remove({ bucket: steps.sourceBucket, key });
    await expect(steps.validate(input)).rejects.toMatchObject({ name: 'RejectedImageError', code: 'SOURCE_GONE' });
  });

  test('throws SourceChangedError for an object that was overwritten, whatever its new content', async () => {
    const input = await steps.upload(key, await pictureOf(9, 9).png().toBuffer());
    await steps.store.write({ bucket: steps.sourceBucket, key }, new Uint8Array());
    await expect(steps.validate(input)).rejects.toThrow(SourceChangedError);
  });

  test('throws SourceChangedError for an object that is overwritten between two reads, and writes nothing', async () => {
    // The directory of the TIFF is at its end, beyond the first read.
    const input = await steps.upload(key, await pictureOf(600, 500).tiff({ compression: 'none' }).toBuffer());
    let reads = 0;
    steps.hooks.after = async (method, ref) => {
      if (ref.bucket !== steps.sourceBucket || method !== 'read' || reads++ > 0) return;
      await steps.store.write(
        { bucket: steps.sourceBucket, key },
        await pictureOf(600, 500, 3, 2).tiff({ compression: 'none' }).toBuffer(),
      );
    };
    await expect(steps.validate(input)).rejects.toThrow(SourceChangedError);
    expect((await steps.objects('stepwell-work')).size).toBe(0);
  });

  test('rejects an empty object as EMPTY_OBJECT', async () => {
    const input = await steps.upload(key, new Uint8Array());
    await expect(steps.validate(input)).rejects.toMatchObject({ name: 'RejectedImageError', code: 'EMPTY_OBJECT' });
  });
});

describe('a source that changes while blocks are rendered', () => {
  test.each(['png', 'tiff'] as const)(
    'is detected by the block that reads it, which writes nothing (%s)',
    async (format) => {
      const master = await pictureOf(600, 500).toFormat(format).toBuffer();
      const planned = await steps.planned(`photo.${format}`, master, { cut: sixBlocks });
      await steps.renderBlock(planned, 0);
      await steps.store.write(
        { bucket: steps.sourceBucket, key: `photo.${format}` },
        await pictureOf(600, 500, 3, 9).toFormat(format).toBuffer(),
      );
      await expect(steps.renderBlock(planned, 1)).rejects.toThrow(SourceChangedError);
      const keys = [...(await steps.objects('stepwell-work')).keys()];
      expect(keys.filter((name) => name.includes('/blocks/1.'))).toEqual([]);
      expect(keys.filter((name) => name.includes('/blocks/0.'))).toHaveLength(3);
    },
  );

  test.each(['png', 'tiff'] as const)(
    'is detected or has no effect between the last read and the first written tile (%s)',
    async (format) => {
      const master = await pictureOf(600, 500).toFormat(format).toBuffer();
      const planned = await steps.planned(`photo.${format}`, master, { cut: sixBlocks });
      let changed = false;
      steps.hooks.after = async (method, ref) => {
        if (changed || ref.bucket !== steps.sourceBucket || !['read', 'materialise'].includes(method)) return;
        changed = true;
        await steps.store.write(
          { bucket: steps.sourceBucket, key: `photo.${format}` },
          await pictureOf(600, 500, 3, 9).toFormat(format).toBuffer(),
        );
      };
      const outcome = await steps.renderBlock(planned, 0).then(
        () => 'rendered',
        (error: unknown) => (error as Error).name,
      );
      expect(changed).toBe(true);
      if (outcome === 'rendered') {
        // All bytes were read from the pinned version, so the tiles equal those of the unchanged
        // object.
        const tiles = steps.workOf(planned).tiles(planned.plan.ref, 0);
        const rendered = Buffer.from(await steps.store.read(tiles));
        steps.hooks.after = undefined;
        const other = await steps.planned(`again.${format}`, master, { cut: sixBlocks });
        await steps.renderBlock(other, 0);
        const again = steps.workOf(other).tiles(other.plan.ref, 0);
        expect(rendered.equals(Buffer.from(await steps.store.read(again)))).toBe(true);
      } else {
        expect(outcome).toBe('SourceChangedError');
      }
    },
  );
});

describe('the public key', () => {
  const record = makeRecordMetadata;

  test('is reserved for the first master; the rejection of the second names the first', async () => {
    const first = await steps.validate(await steps.upload('scans/photo.png', await pictureOf(9, 8).png().toBuffer()));
    const second = await steps.validate(await steps.upload('scans/photo.jpg', await pictureOf(9, 8).jpeg().toBuffer()));
    await record(steps.ports)(first, quietCall);
    await expect(record(steps.ports)(second, quietCall)).rejects.toThrow(
      'TARGET_TAKEN: scans/photo.tif is the pyramid of scans/photo.png; give one of them another name',
    );
    // The same master as in a retry, and a newer upload of it.
    await record(steps.ports)(first, quietCall);
    const newer = await steps.validate(await steps.upload('scans/photo.png', await pictureOf(10, 8).png().toBuffer()));
    await record(steps.ports)(newer, quietCall);
    expect(await steps.ledger.get(newer.source.imageId)).toMatchObject({
      status: 'PROCESSING',
      metadata: { width: 10 },
    });
  });

  test('is rejected as KEY_TOO_LONG only if the key of the sidecar has more than 1,024 bytes', async () => {
    const master = await pictureOf(9, 8).png().toBuffer();
    const fits = await steps.validate(await steps.upload(`${'\u00e9'.repeat(507)}a`, master));
    await record(steps.ports)(fits, quietCall);
    const tooLong = await steps.validate(await steps.upload('\u00e9'.repeat(508), master));
    await expect(record(steps.ports)(tooLong, quietCall)).rejects.toMatchObject({ code: 'KEY_TOO_LONG' });
  });

  test('is reserved with a summary of the header, in which the size has the orientation applied', async () => {
    const master = await pictureOf(40, 30)
      .jpeg()
      .withMetadata({ orientation: 6, exif: { IFD0: { Artist: 'Ada Muster', Copyright: 'CC0' } } })
      .toBuffer();
    const state = await steps.validate(await steps.upload('upright.jpg', master));
    await record(steps.ports)(state, quietCall);
    expect((await steps.ledger.get(state.source.imageId))?.metadata).toEqual({
      format: 'jpeg',
      width: 30,
      height: 40,
      bands: 3,
      bitDepth: 8,
      fileSize: master.length,
      about: { creator: 'Ada Muster', copyright: 'CC0', iccName: 'sRGB', resolution: '25.4 × 25.4 per inch' },
    });
  });

  test('is not reserved for an upload that was superseded', async () => {
    const master = await pictureOf(9, 8).png().toBuffer();
    const older = await steps.validate(await steps.upload('photo.png', master));
    await steps.upload('photo.png', await pictureOf(10, 8).png().toBuffer());
    await expect(record(steps.ports)(older, quietCall)).rejects.toThrow(SourceChangedError);
  });
});
