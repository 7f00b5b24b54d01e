import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { z } from 'zod';
import { pictureOf } from '../support/pixels.ts';
import { declaredFunctions } from '../support/service-definition.ts';

/** Longer than the start distrusts the time stamps of a changed file. */
const SETTLED_MS = 200;

let folder: string;
let project: string;
/** A copy of the bundle of the unchanged project, which most tests begin with. */
let built: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-start-'));
  project = path.join(folder, 'project');
  built = path.join(folder, 'built');
  await makeProject();
  await start('--help');
  await cp(bundles(), built, { recursive: true });
});
beforeEach(async () => {
  await rm(project, { recursive: true, force: true });
  await makeProject();
  await cp(built, bundles(), { recursive: true });
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function makeProject(): Promise<void> {
  await mkdir(project);
  for (const name of ['package.json', 'package-lock.json', 'serverless.yml', 'src', 'recipes', 'state-machines']) {
    await cp(name, path.join(project, name), { recursive: true });
  }
  await mkdir(path.join(project, 'node_modules'));
  const packages = (await readdir('node_modules')).filter((name) => !name.startsWith('.'));
  for (const name of packages) {
    await symlink(path.resolve('node_modules', name), path.join(project, 'node_modules', name));
  }
  await setTimeout(SETTLED_MS);
}

const bundles = (): string => path.join(project, 'node_modules', '.cache', 'stepwell');
const bundleFolders = async (): Promise<string[]> =>
  (await readdir(bundles())).filter((name) => name.startsWith('bundle-'));

const recordSchema = z.object({
  program: z.string(),
  files: z.array(z.tuple([z.string(), z.string(), z.string()])),
});

async function record(): Promise<z.infer<typeof recordSchema>> {
  return recordSchema.parse(JSON.parse(await readFile(path.join(bundles(), 'bundle.json'), 'utf8')));
}

const failedRun = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() });

/** Runs `npm start` without npm. */
async function start(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' };
  delete env['NODE_COMPILE_CACHE'];
  const command = [path.join(project, 'src', 'cli', 'start.cjs'), ...argv];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, { cwd: project, env });
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = failedRun.parse(error);
    return { code, out: stdout, err: stderr };
  }
}

/** Replaces text in a file of the project. */
async function edit(file: string, text: string | RegExp, replacement: string): Promise<void> {
  const before = await readFile(path.join(project, file), 'utf8');
  const after = before.replace(text, replacement);
  expect(after).not.toBe(before);
  await writeFile(path.join(project, file), after);
  await setTimeout(SETTLED_MS);
}

test('the command starts from a bundle with every function, and the next start uses the same bundle', async () => {
  await rm(bundles(), { recursive: true });
  await writeFile(path.join(project, 'photo.png'), await pictureOf(300, 200).png().toBuffer());
  const first = await start('photo.png');
  expect([first.code, first.out]).toEqual([0, expect.stringMatching(/photo\.png .* PUBLISHED /u)]);
  const { program, files } = await record();
  const names = files.map(([name]) => name);
  const functions = [...declaredFunctions().values()].map((handler) => handler.replace(/\.handler$/u, '.ts'));
  expect(names).toEqual(expect.arrayContaining(functions));
  // V8's compiled code lies beside the program that ran.
  const compiled = await readdir(path.join(bundles(), path.dirname(program), 'compiled'), { recursive: true });
  expect(compiled.length).toBeGreaterThan(1);
  const second = await start('photo.png');
  expect(second.out).toMatch(/ unchanged +PUBLISHED /u);
  expect(await bundleFolders()).toEqual([path.dirname(program)]);
});

test('the bundle has a program for every worker, and a master whose decoder needs one is published', async () => {
  await writeFile(path.join(project, 'drawing.gif'), await pictureOf(30, 20).gif().toBuffer());
  expect((await start('drawing.gif')).out).toMatch(/drawing\.gif .* PUBLISHED /u);
  const { program, files } = await record();
  const programs = files.map(([name]) => name).filter((name) => name.includes(path.dirname(program)));
  expect(programs.map((name) => path.basename(name))).toEqual(
    expect.arrayContaining(['cli-sample-worker.cjs', 'formats-decoding-process.cjs']),
  );
});

test('a start after an edit runs the edited code, also if the edit keeps the size of the file', async () => {
  const before = await start('--list-recipes');
  expect(before.out).toContain('archival');
  await edit('src/cli/main.ts', 'name.padEnd(12)', 'name.padEnd(33)');
  const after = await start('--list-recipes');
  expect(after.out).toContain(`archival${' '.repeat(27)}`);
  await edit('src/cli/main.ts', 'name.padEnd(33)', 'name.padEnd(12)');
  expect(await start('--list-recipes')).toEqual(before);
});

test.each(['serverless.yml', 'package-lock.json', 'src/recipe/recipe.ts'])(
  'a start after %s changed builds the bundle again',
  async (file) => {
    await start('--help');
    const { program } = await record();
    await edit(file, /$/u, '\n');
    await start('--help');
    expect((await record()).program).not.toBe(program);
  },
);

test('a file that was touched but not changed leaves the bundle as it is', async () => {
  await start('--help');
  const { program } = await record();
  const file = path.join(project, 'src', 'cli', 'main.ts');
  await writeFile(file, await readFile(file));
  await setTimeout(SETTLED_MS);
  await start('--help');
  expect((await record()).program).toBe(program);
  expect(await bundleFolders()).toHaveLength(1);
});

test('a bundle that is incomplete or was copied from another project is not used', async () => {
  const help = await start('--help');
  const { program } = await record();
  await truncate(path.join(bundles(), program), 1000);
  expect(await start('--help')).toEqual(help);
  const rebuilt = await record();
  expect(rebuilt.program).not.toBe(program);
  await writeFile(path.join(bundles(), 'bundle.json'), JSON.stringify({ ...rebuilt, project: '/elsewhere' }));
  expect(await start('--help')).toEqual(help);
  expect((await record()).program).not.toBe(rebuilt.program);
});

test('concurrent starts without a bundle all run, and leave one that is recorded', async () => {
  await rm(bundles(), { recursive: true });
  const results = await Promise.all(Array.from({ length: 4 }, () => start('--list-recipes')));
  expect(new Set(results.map(({ code, out }) => `${code} ${out}`)).size).toBe(1);
  expect(results[0]).toMatchObject({ code: 0, err: '' });
  const { program } = await record();
  expect(await bundleFolders()).toContain(path.dirname(program));
});

test('the command runs from its sources where no bundle can be written', async () => {
  await rm(bundles(), { recursive: true });
  await writeFile(bundles(), 'not a folder');
  const { code, out } = await start('--list-recipes');
  expect([code, out]).toEqual([0, expect.stringContaining('archival')]);
});

test('the command runs from its sources without esbuild', async () => {
  await rm(bundles(), { recursive: true });
  await rm(path.join(project, 'node_modules', 'esbuild'));
  const { code, out } = await start('--list-recipes');
  expect([code, out]).toEqual([0, expect.stringContaining('archival')]);
  expect(await readdir(path.join(project, 'node_modules', '.cache'))).not.toContain('stepwell');
});

test('stack traces name files and lines of the sources', async () => {
  await edit(
    'src/cli/main.ts',
    "if (options.action === 'help') {",
    "if (options.action === 'help') { throw new TypeError('here');",
  );
  const lines = (await readFile(path.join(project, 'src', 'cli', 'main.ts'), 'utf8')).split('\n');
  const line = lines.findIndex((text) => text.includes("throw new TypeError('here')")) + 1;
  const { code, err } = await start('--help');
  expect(code).toBe(1);
  expect(err).toContain('TypeError: here\n');
  expect(err).toMatch(new RegExp(`at main \\(file:///\\S+/src/cli/main\\.ts:${line}:\\d+\\)`, 'u'));
  expect((await record()).program).toMatch(/cli-main\.cjs$/u);
});
