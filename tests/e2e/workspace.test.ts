import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import type { TakenUpload } from '../../src/local/resume.ts';
import { Workspace } from '../../src/local/workspace.ts';
import { fileStore } from '../../src/storage/files/files.ts';
import { decodeLevels, pictureOf, singlePass } from '../support/pixels.ts';

const repository = process.cwd();
const ignore = (): void => undefined;

let folder: string;
let workspace: Workspace | undefined;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-e2e-'));
  await mkdir(path.join(folder, 'in'));
});
afterEach(async () => {
  await workspace?.stop();
  workspace = undefined;
  await rm(folder, { recursive: true, force: true });
});

async function start(project = repository): Promise<Workspace> {
  workspace = await Workspace.start({
    directory: path.join(folder, 'workspace'),
    out: path.join(folder, 'out'),
    recipe: 'iiif',
    project,
    // The same blocks on every machine.
    concurrency: 40,
  });
  // The planner plans for eight cores on every machine. Functions read the
  // environment when they are first called.
  process.env['CONCURRENCY'] = '8';
  return workspace;
}

async function takeIn(running: Workspace, name: string, bytes: Uint8Array): Promise<TakenUpload> {
  await writeFile(path.join(folder, 'in', name), bytes);
  return running.take(await running.bucketOf(path.join(folder, 'in')), name, ignore);
}

function client(running: Workspace): SFNClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return new SFNClient({ endpoint: running.endpoint, region: 'us-east-1', credentials });
}

/** A copy of the project in which one function is another module. */
async function projectWith(functionKey: string, handler: string, module: string): Promise<string> {
  const project = path.join(folder, 'project');
  await mkdir(project);
  for (const name of ['state-machines', 'recipes'])
    await symlink(path.join(repository, name), path.join(project, name));
  const yaml = await readFile(path.join(repository, 'serverless.yml'), 'utf8');
  const replaced = yaml
    .replace(`handler: src/steps/${handler}.handler`, `handler: ${path.join(project, functionKey)}.handler`)
    .replaceAll('handler: src/', `handler: ${repository}/src/`);
  expect(replaced).toContain(path.join(project, functionKey));
  await writeFile(path.join(project, 'serverless.yml'), replaced);
  await writeFile(path.join(project, `${functionKey}.mjs`), module);
  return project;
}

describe('images on one machine, through the same state machine', () => {
  test('are published exactly, and files that are not images are recorded as rejected', async () => {
    const running = await start();
    const master = await pictureOf(1500, 1100).jpeg().toBuffer();
    const image = await takeIn(running, 'photo.jpg', master);
    const text = await takeIn(running, 'notes.txt', Buffer.from('not an image at all'));
    const empty = await takeIn(running, 'empty.tif', new Uint8Array());
    await Promise.all([image, text, empty].map((upload) => running.ended(upload)));

    expect((await running.entry(image))?.status).toBe('PUBLISHED');
    const published = await decodeLevels(path.join(folder, 'out', 'photo.tif'));
    const expected = await singlePass(master, { tileSize: 256, compression: 'jpeg', quality: 80, colourspace: 'srgb' });
    expect(published.map(({ width, height }) => [width, height])).toEqual([
      [1500, 1100],
      [750, 550],
      [375, 275],
      [187, 137],
    ]);
    for (const [index, level] of published.entries()) {
      expect(level.pixels.equals(expected[index]?.pixels ?? Buffer.alloc(0))).toBe(true);
    }
    expect(await running.entry(text)).toMatchObject({
      status: 'REJECTED',
      rejection: { code: 'UNSUPPORTED_FORMAT', detail: expect.stringContaining('no image format') },
    });
    expect(await running.entry(empty)).toMatchObject({ status: 'REJECTED', rejection: { code: 'EMPTY_OBJECT' } });
    const listed = await client(running).send(
      new ListExecutionsCommand({ stateMachineArn: running.engine.stateMachine.arn, statusFilter: 'SUCCEEDED' }),
    );
    // A rejected image ends its execution as SUCCEEDED: there is nothing to redrive.
    expect(listed.executions?.length).toBe(3);
  });

  test('keep the state of an execution below 32 kB', async () => {
    const running = await start();
    const upload = await takeIn(running, 'photo.png', await pictureOf(3000, 2000).png().toBuffer());
    await running.ended(upload);
    const history = running.engine.history(running.engine.arnOf(upload.execution));
    const payloads = history.flatMap((event) =>
      Object.values(event).flatMap((details) =>
        typeof details === 'object'
          ? Object.values(details as object).filter((value) => typeof value === 'string')
          : [],
      ),
    );
    expect(payloads.length).toBeGreaterThan(20);
    expect(Math.max(...payloads.map((payload) => payload.length))).toBeLessThan(32_000);
  });

  test('are published with the same bytes every time', async () => {
    const running = await start();
    const master = await pictureOf(900, 700).png().toBuffer();
    const first = await takeIn(running, 'a.png', master);
    const second = await takeIn(running, 'b.png', master);
    await running.ended(first);
    await running.ended(second);
    const [a, b] = await Promise.all(['a.tif', 'b.tif'].map((name) => readFile(path.join(folder, 'out', name))));
    expect(a?.equals(b ?? Buffer.alloc(0))).toBe(true);
  });

  test('are left alone when they are unchanged and published again when they changed', async () => {
    const running = await start();
    const upload = await takeIn(running, 'a.png', await pictureOf(300, 200).png().toBuffer());
    await running.ended(upload);
    const bucket = await running.bucketOf(path.join(folder, 'in'));
    expect(await running.take(bucket, 'a.png', ignore)).toMatchObject({ how: 'unchanged', sequence: upload.sequence });

    const changed = await takeIn(running, 'a.png', await pictureOf(400, 200).png().toBuffer());
    await running.ended(changed);
    expect(changed.sequence > upload.sequence).toBe(true);
    expect((await decodeLevels(path.join(folder, 'out', 'a.tif')))[0]?.width).toBe(400);

    await rm(path.join(folder, 'out', 'a.tif'));
    const lost = await running.take(bucket, 'a.png', ignore);
    await running.ended(lost);
    expect(lost.how).toBe('started');
    expect((await decodeLevels(path.join(folder, 'out', 'a.tif')))[0]?.width).toBe(400);
  });

  test('with the same public name do not overwrite each other', async () => {
    const running = await start();
    const first = await takeIn(running, 'a.png', await pictureOf(300, 200).png().toBuffer());
    await running.ended(first);
    const second = await takeIn(running, 'a.jpg', await pictureOf(400, 200).jpeg().toBuffer());
    await running.ended(second);
    expect(await running.entry(second)).toMatchObject({ status: 'REJECTED', rejection: { code: 'TARGET_TAKEN' } });
    expect((await decodeLevels(path.join(folder, 'out', 'a.tif')))[0]?.width).toBe(300);
  });
});

describe('an execution that failed half-way', () => {
  const failsOnce = (step: string): string => `
    import { existsSync, writeFileSync } from 'node:fs';
    import { handler as step } from ${JSON.stringify(path.join(repository, 'src', 'steps', `${step}.ts`))};
    const mark = new URL('./failed', import.meta.url);
    export const handler = (event, context) => {
      if (existsSync(mark)) return step(event, context);
      writeFileSync(mark, '');
      throw new TypeError('a defect, since repaired');
    };`;

  test('is redriven through the API and finishes without rendering finished blocks again', async () => {
    const running = await start(
      await projectWith('renderTopLevels', 'render-top-levels', failsOnce('render-top-levels')),
    );
    // Large enough to be cut into blocks.
    const master = await pictureOf(9000, 8200, 1).tiff({ compression: 'lzw' }).toBuffer();
    const upload = await takeIn(running, 'big.tif', master);
    await running.ended(upload);
    expect(await running.entry(upload)).toMatchObject({ status: 'FAILED', failure: { error: 'TypeError' } });

    const executionArn = running.engine.arnOf(upload.execution);
    const sfn = client(running);
    const failed = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    expect(failed.status).toBe('FAILED');
    expect(failed.redriveStatus).toBe('REDRIVABLE');
    const store = fileStore(path.join(folder, 'workspace'));
    const work = async (): Promise<Map<string, string>> => {
      const objects = new Map<string, string>();
      for await (const { key, etag } of store.list('stepwell-work', 'work/')) {
        if (/\/blocks\/\d+\.(tiles|json|raster)$/u.test(key)) objects.set(key, etag);
      }
      return objects;
    };
    const before = await work();
    expect(before.size).toBeGreaterThanOrEqual(6);

    await sfn.send(new RedriveExecutionCommand({ executionArn }));
    await running.ended(upload);
    expect((await running.entry(upload))?.status).toBe('PUBLISHED');
    expect(await work()).toEqual(before);

    const { events = [] } = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
    const redriven = events.findIndex(({ type }) => type === 'ExecutionRedriven');
    expect(redriven).toBeGreaterThan(0);
    const entered = events.slice(redriven).map((event) => event.stateEnteredEventDetails?.name);
    expect(entered).toContain('RenderTopLevels');
    expect(entered).not.toContain('RenderBlock');
    const levels = await decodeLevels(path.join(folder, 'out', 'big.tif'));
    const expected = await singlePass(master, { tileSize: 256, compression: 'jpeg', quality: 80, colourspace: 'b-w' });
    expect(levels.map(({ pixels }, index) => pixels.equals(expected[index]?.pixels ?? Buffer.alloc(0)))).toEqual(
      expected.map(() => true),
    );
  });

  test('in one of many blocks renders only that block again', async () => {
    const project = await projectWith(
      'renderBlock',
      'render-block',
      failsOnce('render-block').replace('if (existsSync(mark))', 'if (event.block !== 3 || existsSync(mark))'),
    );
    const running = await start(project);
    const master = await pictureOf(9000, 8200, 1).tiff({ compression: 'lzw' }).toBuffer();
    const upload = await takeIn(running, 'big.tif', master);
    await running.ended(upload);
    expect((await running.entry(upload))?.status).toBe('FAILED');

    const again = await running.take(await running.bucketOf(path.join(folder, 'in')), 'big.tif', ignore);
    expect(again).toMatchObject({ how: 'resumed', execution: upload.execution });
    await running.ended(again);
    expect((await running.entry(upload))?.status).toBe('PUBLISHED');
    const history = running.engine.history(running.engine.arnOf(upload.execution));
    const redriven = history.findIndex(({ type }) => type === 'ExecutionRedriven');
    const count = (events: typeof history, type: string): number =>
      events.filter((event) => event.type === type && JSON.stringify(event).includes('"name":"RenderBlock"')).length;
    const finishedBefore = count(history.slice(0, redriven), 'TaskStateExited');
    const blocks = count(history, 'TaskStateExited');
    expect(blocks).toBeGreaterThanOrEqual(2);
    expect(finishedBefore).toBeGreaterThanOrEqual(1);
    expect(count(history.slice(redriven), 'TaskStateEntered')).toBe(blocks - finishedBefore);
  });
});
