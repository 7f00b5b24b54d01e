import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { DirectEvent, readEvent, readMessage } from '../../src/intake/upload-events.ts';
import { hostileKeys } from '../support/hostile-keys.ts';
import { bridgeEvent, formEncoded, s3Record, testEvent } from '../support/upload-events.ts';

const keysOf = (body: unknown): string[] => {
  const { uploads, malformed } = readMessage(JSON.stringify(body));
  expect(malformed).toEqual([]);
  return uploads.map(({ key }) => key);
};

describe('an upload event', () => {
  const expected = {
    imageId: expect.stringMatching(/^[0-9a-f]{32}$/u),
    sequence: '0055AED6DCD90281E500000000000000',
    bucket: 'masters',
    key: 'a b.tif',
    etag: 'd41d8cd98f00b204e9800998ecf8427e',
    size: 4_096,
  };

  test.each([
    ['S3 notification', { Records: [s3Record({ key: 'a b.tif' })] }],
    ['EventBridge event', bridgeEvent({ key: 'a b.tif' })],
  ])('gives the same upload when it is an %s', (_shape, event) => {
    expect(readMessage(JSON.stringify(event))).toEqual({ uploads: [expected], malformed: [] });
    expect(readEvent(DirectEvent.parse(event))).toEqual({ uploads: [expected], malformed: [] });
  });

  test.each([
    ['S3 notification', { Records: [s3Record({ key: 'a b.tif', versionId: 'v1' })] }],
    ['EventBridge event', bridgeEvent({ key: 'a b.tif', versionId: 'v1' })],
  ])('gives the version of the object when it is an %s', (_shape, event) => {
    expect(readMessage(JSON.stringify(event)).uploads).toEqual([{ ...expected, versionId: 'v1' }]);
  });

  test('gives no version when the bucket is not versioned', () => {
    for (const versionId of [null, '']) {
      const [upload] = readMessage(JSON.stringify({ Records: [s3Record({ key: 'a.tif', versionId })] })).uploads;
      expect(upload).not.toHaveProperty('versionId');
    }
  });
});

describe('the key of an upload event is decoded exactly once', () => {
  test.each(hostileKeys.map((key) => [key]))('into %j', (key) => {
    // A folder marker is ignored only if it is empty.
    expect(keysOf({ Records: [s3Record({ key })] })).toEqual([key]);
    expect(keysOf(bridgeEvent({ key }))).toEqual([key]);
  });

  // Encoded as by S3: which characters stay unencoded differs between encoders.
  test.each([
    ['a+b.tif', 'a b.tif'],
    ['a%2Bb.tif', 'a+b.tif'],
    ['a%2520b.tif', 'a%20b.tif'],
    ['100%25.tif', '100%.tif'],
    ['caf%C3%A9.tif', 'caf\u00e9.tif'],
    ['cafe%CC%81.tif', 'cafe\u0301.tif'],
    ['maps/%F0%9F%97%BA.tif', 'maps/\u{1F5FA}.tif'],
    ['maps/1662*(2)!.tif', 'maps/1662*(2)!.tif'],
  ])('from %s, as S3 encodes it, into %s', (encoded, key) => {
    const record = JSON.stringify({ Records: [s3Record({ key: 'KEY' })] }).replace('KEY', encoded);
    expect(readMessage(record).uploads[0]?.key).toBe(key);
  });

  test('for any Unicode string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (key) => {
        expect(keysOf({ Records: [s3Record({ key })] })).toEqual([key]);
        expect(keysOf(bridgeEvent({ key }))).toEqual([key]);
      }),
    );
  });

  test('and not at all in an EventBridge event', () => {
    expect(keysOf(bridgeEvent({ key: 'a+b%20c.tif' }))).toEqual(['a+b%20c.tif']);
    expect(formEncoded('a+b%20c.tif')).toBe('a%2Bb%2520c.tif');
  });
});

describe('among the events of a bucket', () => {
  test('folder markers are ignored', () => {
    expect(keysOf({ Records: [s3Record({ key: 'maps/', size: 0 })] })).toEqual([]);
    expect(keysOf(bridgeEvent({ key: 'maps/', size: 0 }))).toEqual([]);
  });

  test('objects with the key of a folder marker but with content are uploads', () => {
    expect(keysOf(bridgeEvent({ key: 'maps/', size: 7 }))).toEqual(['maps/']);
  });

  test('empty objects are uploads, so that their rejection is recorded', () => {
    expect(keysOf({ Records: [s3Record({ key: 'empty.tif', size: 0 })] })).toEqual(['empty.tif']);
    expect(keysOf(bridgeEvent({ key: 'empty.tif', size: 0 }))).toEqual(['empty.tif']);
  });

  test('the test event of S3 is ignored', () => {
    expect(keysOf(testEvent)).toEqual([]);
  });

  test('events other than ObjectCreated are ignored', () => {
    expect(keysOf({ ...bridgeEvent({ key: 'a.tif' }), 'detail-type': 'Object Deleted' })).toEqual([]);
    expect(keysOf({ Records: [{ ...s3Record({ key: 'a.tif' }), eventName: 'ObjectRemoved:Delete' }] })).toEqual([]);
  });

  const record = s3Record({ key: 'a.tif' });
  test.each<[string, unknown]>([
    ['no text', ''],
    ['invalid JSON', '{"Records":['],
    ['null', null],
    ['a number', 7],
    ['an object that is not an event', { hello: 'world' }],
    ['a record of another service', { Records: [{ eventSource: 'aws:sns', eventName: 'x' }] }],
    ['a record without an object', { Records: [{ ...record, s3: { bucket: { name: 'masters' } } }] }],
    ['a record that is null', { Records: [null] }],
    ['a broken percent escape', JSON.stringify({ Records: [record] }).replace('a.tif', 'a%zz.tif')],
    ['bytes that are not UTF-8', JSON.stringify({ Records: [record] }).replace('a.tif', 'a%ff.tif')],
    ['an empty key', bridgeEvent({ key: '' })],
    ['a negative size', bridgeEvent({ key: 'a.tif', size: -1 })],
    ['a sequencer that is not hexadecimal', bridgeEvent({ key: 'a.tif', sequencer: 'later' })],
    ['an Object Created without detail', { ...bridgeEvent({ key: 'a.tif' }), detail: {} }],
  ])('a malformed event is reported as one error and not thrown: %s', (_name, body) => {
    const event = readMessage(typeof body === 'string' ? body : JSON.stringify(body));
    expect(event.uploads).toEqual([]);
    expect(event.malformed).toHaveLength(1);
  });

  test('the error of a malformed event names what was expected', () => {
    const { malformed } = readMessage(JSON.stringify(bridgeEvent({ key: 'a.tif', sequencer: 'later' })));
    expect(malformed[0]?.message).toBe('Expected 1 to 32 hex digits for sequencer but received "later"');
  });
});

test('a malformed record does not affect the other records of its event', () => {
  const event = { Records: [s3Record({ key: 'a.tif' }), { eventSource: 'aws:s3' }, s3Record({ key: 'c.tif' })] };
  const { uploads, malformed } = readMessage(JSON.stringify(event));
  expect(uploads.map(({ key }) => key)).toEqual(['a.tif', 'c.tif']);
  expect(malformed).toHaveLength(1);
});
