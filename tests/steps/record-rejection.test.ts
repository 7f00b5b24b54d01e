import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeRecordMetadata } from '../../src/steps/record-metadata.ts';
import { makeRecordRejection } from '../../src/steps/record-rejection.ts';
import { quietCall } from '../support/pipeline.ts';
import { pictureOf } from '../support/pixels.ts';
import { startSteps, type Steps } from '../support/steps.ts';

let steps: Steps;
beforeEach(async () => {
  steps = await startSteps();
});
afterEach(() => steps.stop());

const reject = async (cause: string, error = 'RejectedImageError', key = 'photo \u{1f5fa}.png') => {
  const input = await steps.upload(key, Buffer.from('anything'));
  await makeRecordRejection(steps.ports)({ ...input, error: { Error: error, Cause: cause } }, quietCall);
  return steps.ledger.get(input.source.imageId);
};

describe('the cause of a failed step is recorded', () => {
  test.each<[string, string, { code: string; detail: string }]>([
    [
      'as a rejection when it is the JSON that AWS reports',
      JSON.stringify({
        errorType: 'RejectedImageError',
        errorMessage: 'TRUNCATED: tile 7 ends at byte 900, the file has 899',
        trace: ['RejectedImageError: …', '    at validate (index.js:1:2)'],
      }),
      {
        code: 'TRUNCATED',
        detail: 'tile 7 ends at byte 900, the file has 899; the file is incomplete: send the whole file again',
      },
    ],
    [
      'as a rejection when it is a code and a detail',
      'MULTI_PAGE: 3 pages',
      { code: 'MULTI_PAGE', detail: '3 pages; send each picture as a separate file' },
    ],
    [
      'without further advice when its detail gives some',
      'UNSUPPORTED_PIXELS: 12 bits; send 8',
      { code: 'UNSUPPORTED_PIXELS', detail: '12 bits; send 8' },
    ],
    [
      'as a rejection when it has several lines',
      'TARGET_TAKEN: one\ntwo: three',
      { code: 'TARGET_TAKEN', detail: 'one\ntwo: three' },
    ],
    ['as REJECTED when it has no code', 'something else', { code: 'REJECTED', detail: 'something else' }],
    [
      'as REJECTED when it is other JSON',
      '{"message":"TRUNCATED: no"}',
      { code: 'REJECTED', detail: '{"message":"TRUNCATED: no"}' },
    ],
    [
      'as REJECTED when its JSON is truncated',
      '{"errorMessage":"TRUNC',
      { code: 'REJECTED', detail: '{"errorMessage":"TRUNC' },
    ],
    ['as REJECTED when it is empty', '', { code: 'REJECTED', detail: '' }],
    ['as REJECTED when it is a JSON string', '"TRUNCATED: no"', { code: 'REJECTED', detail: '"TRUNCATED: no"' }],
  ])('%s', async (_, cause, rejection) => {
    expect(await reject(cause)).toMatchObject({ status: 'REJECTED', rejection });
  });

  test('as SUPERSEDED when the source has changed', async () => {
    const entry = await reject(JSON.stringify({ errorMessage: 'photo.png was overwritten' }), 'SourceChangedError');
    expect(entry?.status).toBe('SUPERSEDED');
    expect(entry?.rejection).toBeUndefined();
  });
});

test('a rejection releases the public key only when the rejected master owns it', async () => {
  const record = makeRecordMetadata(steps.ports);
  const refuse = makeRecordRejection(steps.ports);
  const error = { Error: 'RejectedImageError', Cause: 'TRUNCATED: cut' };
  const png = await steps.validate(await steps.upload('photo.png', await pictureOf(9, 9).png().toBuffer()));
  const jpeg = await steps.validate(await steps.upload('photo.jpg', await pictureOf(9, 9).jpeg().toBuffer()));
  await record(png, quietCall);
  await refuse({ ...jpeg, error }, quietCall);
  await expect(record({ ...jpeg, source: { ...jpeg.source } }, quietCall)).rejects.toThrow();
  await refuse({ ...png, error }, quietCall);
  const again = await steps.validate(await steps.upload('photo.jpg', await pictureOf(9, 9).jpeg().toBuffer()));
  await record(again, quietCall);
  expect(await steps.ledger.get(again.source.imageId)).toMatchObject({ status: 'PROCESSING' });
});

test('the rejection of an older upload does not change the entry of a newer one', async () => {
  const older = await steps.upload('photo.png', Buffer.from('not an image'));
  const newer = await steps.upload('photo.png', await pictureOf(9, 9).png().toBuffer());
  const error = { Error: 'RejectedImageError', Cause: 'UNSUPPORTED_FORMAT: text' };
  await makeRecordRejection(steps.ports)({ ...older, error }, quietCall);
  expect(await steps.ledger.get(newer.source.imageId)).toMatchObject({
    status: 'CLAIMED',
    sequence: newer.source.sequence,
  });
});
