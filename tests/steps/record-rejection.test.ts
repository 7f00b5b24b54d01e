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

describe('the cause of a rejection', () => {
  test.each<[string, string, { code: string; detail: string }]>([
    [
      'as AWS reports it',
      JSON.stringify({
        errorType: 'RejectedImageError',
        errorMessage: 'TRUNCATED: tile 7 ends at byte 900, the file has 899',
        trace: ['RejectedImageError: …', '    at validate (index.js:1:2)'],
      }),
      { code: 'TRUNCATED', detail: 'tile 7 ends at byte 900, the file has 899; send it again, all of it' },
    ],
    [
      'as plain text',
      'MULTI_PAGE: 3 pages',
      { code: 'MULTI_PAGE', detail: '3 pages; send each picture as a file of its own' },
    ],
    [
      'that says itself what to do',
      'UNSUPPORTED_PIXELS: 12 bits; send 8',
      { code: 'UNSUPPORTED_PIXELS', detail: '12 bits; send 8' },
    ],
    ['of several lines', 'TARGET_TAKEN: one\ntwo: three', { code: 'TARGET_TAKEN', detail: 'one\ntwo: three' }],
    ['without a code', 'something else', { code: 'REJECTED', detail: 'something else' }],
    [
      'in JSON of another form',
      '{"message":"TRUNCATED: no"}',
      { code: 'REJECTED', detail: '{"message":"TRUNCATED: no"}' },
    ],
    ['in JSON that is cut', '{"errorMessage":"TRUNC', { code: 'REJECTED', detail: '{"errorMessage":"TRUNC' }],
    ['that is nothing', '', { code: 'REJECTED', detail: '' }],
    ['that is JSON but no object', '"TRUNCATED: no"', { code: 'REJECTED', detail: '"TRUNCATED: no"' }],
  ])('reaches the ledger %s', async (_, cause, rejection) => {
    expect(await reject(cause)).toMatchObject({ status: 'REJECTED', rejection });
  });

  test('that is a changed source supersedes the upload and rejects nothing', async () => {
    const entry = await reject(JSON.stringify({ errorMessage: 'photo.png was overwritten' }), 'SourceChangedError');
    expect(entry?.status).toBe('SUPERSEDED');
    expect(entry?.rejection).toBeUndefined();
  });
});

test('a rejected master gives its public key back, one whose key it is not takes nothing away', async () => {
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

test('an older upload that is rejected leaves the newer one as it is', async () => {
  const older = await steps.upload('photo.png', Buffer.from('not an image'));
  const newer = await steps.upload('photo.png', await pictureOf(9, 9).png().toBuffer());
  const error = { Error: 'RejectedImageError', Cause: 'UNSUPPORTED_FORMAT: text' };
  await makeRecordRejection(steps.ports)({ ...older, error }, quietCall);
  expect(await steps.ledger.get(newer.source.imageId)).toMatchObject({
    status: 'CLAIMED',
    sequence: newer.source.sequence,
  });
});
