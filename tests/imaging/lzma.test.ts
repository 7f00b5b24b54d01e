/** TIFF strips of LZMA, written by liblzma 5.4 as libtiff does: Delta, LZMA2, a stream of xz. */
import { describe, expect, test } from '@jest/globals';
import { decodeMaster, identifyBytes } from '../support/decode-master.ts';
import { strips } from '../support/odd-tiffs.ts';
import { short } from '../support/tiff-bytes.ts';

const [width, height] = [48, 40];

function sample(x: number, y: number): number {
  return (Math.floor(x / 12) + Math.floor(y / 10)) % 2 ? (x * 7 + y * 3) & 255 : ((x * y * 13) >> 3) & 63;
}

const pixels = Array.from({ length: width * height }, (_, at) => sample(at % width, Math.floor(at / width)));

/** Rows 0 to 19 and 20 to 39, with the filter Delta of distance 1. */
const packed = [
  '/Td6WFoAAAFpIt42AgEDAQAhARZ5IMTu4AO/ATddAABsSM9Te7q9zDwrak+hZ9zIeVnfKTdv1vhXARz7PAGKP1CxGlvvt8Lp9w0H' +
    'i4LtiwSu44zIsns5WifxiKUAhmjVxsV2IHmQmG2ufr6GSKD4o+0ox1x77+iShOaXr8NaiaSFgf1bEnzaLgxZ6jT3wXPeawlE9wb2' +
    'WiLoCVTOIgLRd9AaAfxZQkKStw4SphW/ydTq4NNFTK4KR5ZzmcTo/svUDJwBJbf05v2fxP0jnXVUo7wOB3u576RiZygS1aXizMNM' +
    'C26wkUmAK6ibTdOvAHPnYjjCOm4ycNXKFHIrQ8z5O1ghIKCDjge8eO115uZM3n2DlyLjpmYJDpyyI0LCviQlSIkPPQDlybLvQ6Ga' +
    '4x1GbtTWhTmp5HsXR9EB+UfTNxxY1SrVCV+Ji0Kr166DE9Z7qekLBAB6AAB9cj28AAHPAsAHAABf0ykqPjANiwIAAAAAAVla',
  '/Td6WFoAAAFpIt42AgEDAQAhARZ5IMTu4AO/AUhdAAAI4vgQAa36iZLb5xrx/pK5Q44PGc561DQNQ8NhddG2KlJjBQpb9KZDlpip' +
    'UT+sF+TSdrsAP57Bb7AZNm7yGfgY+oxrhyUw3wrXluA6jVseurkLGgBxBlSsZ5YwF4bHqiY9Mgwe7OegLYRKMvReC4RR6UqjOyHG' +
    'bcyMQEpc/JDpgKaSluLf6pdCT/QTUqqYnFMRQ+UMSvsP5YsqlkCe0LpzG/NKnJiEqstBXpkfurpp3k0E5VF/KzuHTq8CoElF/Ora' +
    'ByOCQJHyDrF4j3ra2sscD5C3DubkJg8LoqnoMguDeLxSoS7kia7583hGmwPLsgwJ1Dr0b9ZnvUSYQhYxu3nDnTxRX6Sx40rR2xij' +
    'VqEYaGncAYsurr/lR8uuQGt4KWVLWZH/dcoB76NEzlFJcwPU+yzFIXuodIs4qWbnoWvHpxyR/QnQJNkAjpz3EgAB4ALABwAAvGTT' +
    '3D4wDYsCAAAAAAFZWg==',
].map((text) => Buffer.from(text, 'base64'));

/** Rows 0 to 19 with other properties (lc 0, lp 2, pb 1) and without Delta. */
const other = Buffer.from(
  '/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4AO/Ask/AABsSNSI+suCrIWp3hezYSLHAvg9KEydgG+mcrAMaZenaS523SDLDcFSKx8N' +
    '7ox4I6dPyAKvm1PkomlZQpx2jrsbRFXkJgxV2Fybf4hJGTEIp26LFOAe8bdrZKj5/jckvAq0rZEyfS0vsK1ZkEd7ZcEfk0JqsW5a' +
    'roAKoJ9quQmHNfvfT8K/W91QbvAcqjTEWL9hz9IiLdHpwKXhUjGJqNUlrzD6Pu/QFlEodTcemHDeH/gL3xFe1H7P6/kHYn134GKb' +
    'Gw4DI6ihG2KwIAXqa8WAProrQFzn/i/TfF9YcViT4j4ssZZV7s3Wii/kgGPlHolv80YlWLKQ+PayzxHZbU9+H7FQ9A6eVyTQHGY2' +
    'CXiDflV92jX1f92nF/ECf4NmahWkKwFm3j3IfVvGDMacDZS48VXzLvjC03y3Ruqu34zpjnBedLCKpHnF84JtLkQr/kzJ2dJ0aPyH' +
    'WldcTGQwwnZuo+f/igeI/09a4gUYbXyVfPfMolbwVHVQgGn/aTgmccCF9b4cSFdsKFrRZux35qLhS8YEf7Ym1D6qx9QCMBVc28HE' +
    'CWljWXBDlp28M0DKK3Ee8xyXYd3EY5JAeiF4jHMrrxsVQEtWYtq0FtjYgeykAAtInmOtq32FpwT0rDWGRJ4M4bBPFfIUozVAB1VG' +
    'M5RLHRal4IYdQqmi+H99wOHRZ16gkqgYfSGBGZZPvMr+/uL4TDsLjqRLhgz+9UgNKo1LyP/uLFXwnSDljRUpxZ0+U6Je0thwyAN8' +
    '9m1S+PC2wccQNsCuaWJkJjiaLDByfoNJWnNK0SrHAGZZPEhQzMijb4ikZeHCQ/O/0Yiz2PWgFWSrrZ+4fFiXNeTg7XNbQtJGywvx' +
    'T/mNdUqS5KtgwYFzVs9SoLePW1RtM4I6s0TYjFKJOBtG57pRv7839YsJhRFJdkZYeDHWPftbHKgAthzajDDqyZnc1oBuAAAAAH1y' +
    'PbwAAeEFwAcAAAlrr6U+MA2LAgAAAAABWVo=',
  'base64',
);

const lzma = (chunks: readonly Uint8Array[], rows = height): Uint8Array =>
  strips({ width, height: rows, rows: 20, compression: 34_925, chunks });

describe('LZMA is decoded', () => {
  test('in strips with the filter Delta', async () => {
    const { samples, warnings } = await decodeMaster(lzma(packed));
    expect(samples).toEqual(pixels);
    expect(warnings).toEqual([]);
  });

  test('with other properties of its models', async () => {
    expect((await decodeMaster(lzma([other], 20))).samples).toEqual(pixels.slice(0, 20 * width));
  });

  test('with horizontal differences', async () => {
    const { samples } = await decodeMaster(
      strips({ width, height: 20, rows: 20, compression: 34_925, chunks: [other] }, short(317, 2)),
    );
    const sums: number[] = [];
    pixels.slice(0, 20 * width).forEach((value, at) => {
      sums.push(at % width === 0 ? value : (value + (sums[at - 1] ?? 0)) & 255);
    });
    expect(samples).toEqual(sums);
  });

  test('from stored chunks of LZMA2', async () => {
    const rows = Buffer.from(pixels.slice(0, 20 * width));
    const header = other.subarray(0, 24);
    const chunk = (control: number, data: Buffer): Buffer =>
      Buffer.concat([Buffer.of(control, (data.length - 1) >> 8, (data.length - 1) & 255), data]);
    const stored = Buffer.concat([header, chunk(1, rows.subarray(0, 500)), chunk(2, rows.subarray(500)), Buffer.of(0)]);
    expect((await decodeMaster(lzma([stored], 20))).samples).toEqual([...rows]);
  });
});

describe('LZMA is refused', () => {
  const damaged = (change: (bytes: Buffer) => Uint8Array): Uint8Array => lzma([change(Buffer.from(other))], 20);

  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['when it ends early', (bytes) => bytes.subarray(0, 200)],
    ['when it ends within the header', (bytes) => bytes.subarray(0, 14)],
    ['when a byte of its models is changed', (bytes) => bytes.fill(bytes.readUInt8(150) ^ 0x55, 150, 151)],
    ['when it is no stream of xz', (bytes) => bytes.fill(0, 0, 6)],
    ['when it has another filter', (bytes) => bytes.fill(4, 14, 15)],
    ['when its properties are impossible', (bytes) => bytes.fill(230, 29, 30)],
    ['when a chunk begins without models', (bytes) => bytes.fill(0x80, 24, 25)],
  ])('%s', async (_, change) => {
    await expect(decodeMaster(damaged(change))).rejects.toMatchObject({
      code: 'CORRUPT_PIXELS',
      message: expect.stringContaining('strip 0 is damaged'),
    });
  });

  test('when it has fewer rows than the image', async () => {
    const image = strips({ width, height, rows: height, compression: 34_925, chunks: [other] });
    await expect(decodeMaster(image)).rejects.toThrow('Expected 1920 bytes of LZMA data but received 960');
  });

  test('by name where no decoder reads the samples', async () => {
    const image = strips({ width, height: 20, rows: 20, compression: 34_712, chunks: [other] });
    await expect(identifyBytes(image)).rejects.toThrow('JPEG 2000 in TIFF (compression 34712) has no decoder here');
  });
});
