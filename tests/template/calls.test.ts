import { createHash } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { lambdaFunctions } from '../support/cloudformation.ts';
import { RolePolicy } from '../support/iam.ts';
import { floatTiff } from '../support/deep-tiff.ts';
import { testDocuments } from '../support/documents.ts';
import { packaged, PACKAGING_MS } from '../support/packaged-template.ts';
import { pdf } from '../support/pdf-fixtures.ts';
import { picture, pictureOf } from '../support/pixels.ts';
import { permissionsOf } from '../support/recorded-calls.ts';
import { type RecordedStage, regionAndAccount, sourceBucket, startRecordedStage } from '../support/recorded-stage.ts';
import { functionKeys } from '../support/service-definition.ts';
import { writePlainTiff } from '../support/tiff-writer.ts';

const [region = '', account = ''] = regionAndAccount.split(':');

/** The values of the references in the policies, as the stage has them. */
const values: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::AccountId': account,
  SourceBucket: sourceBucket,
  SourceBucketName: sourceBucket,
  [`${sourceBucket}|${sourceBucket}`]: sourceBucket,
  'WorkBucket.Arn': 'arn:aws:s3:::work',
  'PublishedBucket.Arn': 'arn:aws:s3:::published',
  'LedgerTable.Arn': `arn:aws:dynamodb:${regionAndAccount}:table/ledger`,
  'UploadQueue.Arn': `arn:aws:sqs:${regionAndAccount}:uploads`,
  'OutcomeDeadLetters.Arn': `arn:aws:sqs:${regionAndAccount}:outcome-dead-letters`,
  ...Object.fromEntries(
    functionKeys().map((key) => [
      `${key.charAt(0).toUpperCase()}${key.slice(1)}LogGroup.Arn`,
      `arn:aws:logs:${regionAndAccount}:log-group:/aws/lambda/${key}`,
    ]),
  ),
};

let stage: RecordedStage;
let outcomes: Awaited<ReturnType<typeof processImages>>;
let policies: Map<string, RolePolicy>;

beforeAll(async () => {
  const { template } = await packaged();
  policies = new Map(lambdaFunctions(template).map(({ key, role }) => [key, new RolePolicy(template, role, values)]));
  stage = await startRecordedStage();
  outcomes = await processImages();
}, PACKAGING_MS);
afterAll(() => stage.stop());

/** Every way through the state machine, and every use of a permission in it. Returns the outcomes. */
async function processImages(): Promise<(readonly [key: string, status: string | undefined])[]> {
  const outcomes: (readonly [key: string, status: string | undefined])[] = [];
  const upload = async (...parameters: Parameters<RecordedStage['upload']>): Promise<void> => {
    outcomes.push([parameters[0], (await stage.upload(...parameters))?.status]);
  };
  const jpeg = (seed: number): Promise<Buffer> => pictureOf(300, 200, 3, seed).jpeg().toBuffer();
  const rows = { width: 1_200, height: 1_000, samples: 3, bits: 8, rowsPerStrip: 16 };
  const pixels = picture(rows.width, rows.height, 3);
  const strips = writePlainTiff(rows, (x, y, band) => pixels[(y * rows.width + x) * 3 + band] ?? 0);
  const md5 = createHash('md5').update(strips).digest('hex');
  const page = pdf({ pages: [{ width: 72, height: 48, content: '' }] });
  const first = await jpeg(1);

  // One block, the same event twice, then a newer upload.
  await upload('a.jpg', first, { deliveries: 2 });
  await upload('a.jpg', await jpeg(2));
  await upload('b.jpg', first, { versionId: 'v1' });
  // Several blocks: digests in a pass of their own, or compared before.
  await upload('lossless/strips.tif', strips, { versionId: 'v2' });
  await upload('lossless/digest.tif', strips, { metadata: { md5 } });
  // Samples whose range is found in the pixels.
  const heights = floatTiff(Float32Array.of(1, 2, 3, 4), { width: 2, height: 2, rows: 1 });
  await upload('heights.tif', heights);
  await upload('heights.tif', heights, { versionId: 'v5' });
  // A PDF, which is published beside its pyramid until it is marked as copyrighted.
  await upload('marble/atlas.pdf', page, { versionId: 'v3' });
  stage.s3.tag(sourceBucket, 'marble/atlas.pdf', { copyrighted: 'yes' });
  await upload('marble/atlas.pdf', page);
  await upload('lossless/leaf.pdf', page);
  // Documents, of which every page is an image.
  for (const { name, whole } of testDocuments) {
    const key = keyOf(name);
    await upload(key, whole, name === 'big.tif' ? { versionId: 'v4' } : {});
    for (const page of [1, 2, 3]) outcomes.push([`${key} ${page}`, (await stage.pageEntry(key, page))?.status]);
  }
  // Tiles as files, and then fewer of them.
  await upload('zoom/map.png', await pictureOf(600, 300).png().toBuffer());
  await upload('zoom/map.png', await pictureOf(300, 200).png().toBuffer());
  // Delivery of an image, and of one that is not published.
  outcomes.push(['b', String(await stage.deliver('/iiif/3/b/full/60,/0/default.jpg'))]);
  outcomes.push(['b auto', String(await stage.deliver('/thumbnails/b_auto.jpg'))]);
  outcomes.push(['none', String(await stage.deliver('/iiif/3/none/info.json'))]);
  // The name of an image whose pyramid was removed goes to another image.
  await stage.unpublish('b.tif');
  await upload('b.png', await pictureOf(30, 20).png().toBuffer());
  // Rejections: of no image, of a name that is taken, of pixels after the name was reserved.
  await upload('notes.txt', Buffer.from('no image'));
  await upload('a.png', await pictureOf(30, 20).png().toBuffer());
  await upload('cut.jpg', first.subarray(0, first.length / 2));
  // A failure, its record, and a redrive.
  stage.s3.failNext(7, { matching: ({ method, url }) => method === 'GET' && url.includes('assembled.tif') });
  await upload('redriven.jpg', first);
  outcomes.push(['redriven.jpg', (await stage.redrive('redriven.jpg'))?.status]);
  return outcomes;
}

/** Documents of other extensions have other folders, so that their pages have other names. */
function keyOf(name: string): string {
  return `books/${path.extname(name).slice(1)}/${name}`;
}

test('the images end as expected', () => {
  expect(outcomes).toEqual([
    ['a.jpg', 'PUBLISHED'],
    ['a.jpg', 'PUBLISHED'],
    ['b.jpg', 'PUBLISHED'],
    ['lossless/strips.tif', 'PUBLISHED'],
    ['lossless/digest.tif', 'PUBLISHED'],
    ['heights.tif', 'PUBLISHED'],
    ['heights.tif', 'PUBLISHED'],
    ['marble/atlas.pdf', 'PUBLISHED'],
    ['marble/atlas.pdf', 'PUBLISHED'],
    ['lossless/leaf.pdf', 'PUBLISHED'],
    ...testDocuments.flatMap(({ name }) => [
      [keyOf(name), 'DIVIDED'],
      ...[1, 2, 3].map((page) => [`${keyOf(name)} ${page}`, 'PUBLISHED']),
    ]),
    ['zoom/map.png', 'PUBLISHED'],
    ['zoom/map.png', 'PUBLISHED'],
    ['b', '200'],
    ['b auto', '301'],
    ['none', '404'],
    ['b.png', 'PUBLISHED'],
    ['notes.txt', 'REJECTED'],
    ['a.png', 'REJECTED'],
    ['cut.jpg', 'REJECTED'],
    ['redriven.jpg', 'FAILED'],
    ['redriven.jpg', 'PUBLISHED'],
  ]);
});

describe.each(functionKeys())('%s', (key) => {
  test('makes only calls that its role allows', () => {
    const policy = policies.get(key);
    const calls = stage.calls.get(key) ?? [];
    expect(calls).not.toEqual([]);
    const denied = calls
      .flatMap((call) => permissionsOf(call, regionAndAccount).map((needed) => ({ ...needed, by: call.command })))
      .filter((needed) => policy?.allowing(needed).length === 0);
    expect(denied).toEqual([]);
  });
});

/** Actions that the images above need not cause, and who uses them or when. */
const seldomUsed: Readonly<Record<string, string>> = {
  'logs:CreateLogStream': 'Lambda',
  'logs:PutLogEvents': 'Lambda',
  'xray:PutTraceSegments': 'Lambda',
  'xray:PutTelemetryRecords': 'Lambda',
  'sqs:ReceiveMessage': 'Lambda, for the event source of startPyramid',
  'sqs:DeleteMessage': 'Lambda, for the event source of startPyramid',
  'sqs:GetQueueAttributes': 'Lambda, for the event source of startPyramid',
  'sqs:SendMessage': 'Lambda, for the dead letters of recordOutcome',
  's3:AbortMultipartUpload': 'an upload of several parts that fails',
  's3:ListBucket': 'an object that does not exist, which S3 otherwise reports as forbidden',
};

test('every grant is used by a call, unless it is used by Lambda or after a failure', () => {
  const unused = functionKeys().flatMap((key) => {
    const policy = policies.get(key);
    const used = new Set(
      (stage.calls.get(key) ?? [])
        .flatMap((call) => permissionsOf(call, regionAndAccount))
        .flatMap((needed) => policy?.allowing(needed) ?? []),
    );
    return (policy?.grants ?? [])
      .filter((grant) => !used.has(grant) && !(grant.action in seldomUsed))
      .map(({ sid, action, resource }) => `${key}: ${sid} allows ${action} on ${resource}`);
  });
  expect(unused).toEqual([]);
});
