/**
 * Bundles the command: one CommonJS file with all that `npm start` loads, and one for every worker.
 * CommonJS, because an ES module that imports a module of Node.js evaluates all of its exports:
 * node:http loads its HTTP client then, which takes 25 ms.
 *
 *     node src/cli/bundle/build.ts PROJECT FOLDER
 *
 * Writes a new folder inside FOLDER and prints JSON: `program`, relative to FOLDER; `inputs` and
 * `outputs`, relative to PROJECT. Removes folders of earlier bundles. The exit code is 1 when a
 * file cannot be bundled.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';

/** Earlier bundles that remain for processes that started from them. */
const KEPT_BUNDLES = 3;

/** A worker is started from `new URL('./<file>.ts', import.meta.url)`, written like this. */
const workerUrl = /new URL\('(?<file>[\w./-]+\.ts)', import\.meta\.url\)/gu;

interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** The source files that depend on where they are: they name `import.meta`. */
function locatedSources(project: string): SourceFile[] {
  const folder = path.join(project, 'src');
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }))
    .filter(({ text }) => text.includes('import.meta'));
}

function workersOf({ file, text }: SourceFile): string[] {
  return [...text.matchAll(workerUrl)].map(({ groups }) => path.resolve(path.dirname(file), groups?.['file'] ?? ''));
}

/** File name of a program in the bundle. */
function programName(project: string, source: string): string {
  return `${path.relative(path.join(project, 'src'), source).replaceAll(path.sep, '-').slice(0, -'.ts'.length)}.cjs`;
}

/**
 * Replaces `import.meta` by what it is in the source, so that files and packages are found beside
 * the source as before; workers are started from the bundle while it exists.
 */
function keepLocation(project: string, { file, text }: SourceFile): string {
  return text
    .replaceAll(workerUrl, (_, name: string) => {
      const source = path.resolve(path.dirname(file), name);
      const bundled = JSON.stringify(programName(project, source));
      return `__workerUrl(${bundled}, ${JSON.stringify(pathToFileURL(source).href)})`;
    })
    .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(file).href))
    .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file)));
}

const workerUrlHelper = `function __workerUrl(name, source) {
  const file = require('node:path').join(__dirname, name);
  return require('node:fs').existsSync(file) ? require('node:url').pathToFileURL(file) : new URL(source);
}`;

/** esbuild evaluates filters as patterns of Go, which has no flag `u`. */
function literalPattern(files: readonly string[]): RegExp {
  return new RegExp(`^(?:${files.map((file) => file.replace(/[^\w/-]/gu, '\\$&')).join('|')})$`);
}

/** sharp searches for its libraries from `import.meta.url`. */
const locatedPackages = /[\\/]node_modules[\\/]sharp[\\/].*\.mjs$/;

function located(project: string, sources: readonly SourceFile[]): Plugin {
  const texts = new Map(sources.map((source) => [source.file, keepLocation(project, source)]));
  return {
    name: 'located',
    setup(bundler) {
      bundler.onLoad({ filter: literalPattern([...texts.keys()]) }, ({ path: file }) => {
        return { loader: 'ts', contents: texts.get(file) ?? '' };
      });
      bundler.onLoad({ filter: locatedPackages }, ({ path: file }) => {
        return { loader: 'js', contents: keepLocation(project, { file, text: readFileSync(file, 'utf8') }) };
      });
    },
  };
}

/** Modules of the functions in serverless.yml. Others are imported from their sources. */
function functionModules(project: string): string[] {
  const service = readFileSync(path.join(project, 'serverless.yml'), 'utf8');
  return [...service.matchAll(/^ +handler: *(?<module>[\w./-]+)\.\w+ *$/gmu)].map(({ groups }) =>
    path.resolve(project, `${groups?.['module'] ?? ''}.ts`),
  );
}

/** Replaces `src/local/import-module.ts`. */
function functionsInside(project: string): Plugin {
  const file = path.join(project, 'src', 'local', 'import-module.ts');
  const cases = functionModules(project).map((module) => {
    const literal = JSON.stringify(module);
    return `[${literal}, () => import(${literal})]`;
  });
  const contents = `import { pathToFileURL } from 'node:url';
const bundled = new Map([${cases.join(',')}]);
const importModule = (file) => bundled.get(file)?.() ?? import(pathToFileURL(file).href);
export { importModule };`;
  return {
    name: 'functions-inside',
    setup(bundler) {
      bundler.onLoad({ filter: literalPattern([file]) }, () => ({ loader: 'js', contents }));
    },
  };
}

/** Removes all bundles but the newest. */
function removeEarlierBundles(folder: string): void {
  const bundles = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => path.join(folder, entry.name))
    .map((bundle) => ({ bundle, time: statSync(bundle).mtimeMs }));
  bundles.sort((one, other) => other.time - one.time);
  for (const { bundle } of bundles.slice(KEPT_BUNDLES + 1)) rmSync(bundle, { recursive: true, force: true });
}

async function main(project: string, folder: string): Promise<void> {
  const sources = locatedSources(project);
  const command = path.join(project, 'src', 'cli', 'main.ts');
  const programs = [command, ...new Set(sources.flatMap(workersOf))];
  const { metafile, outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: programs.map((file) => ({ in: file, out: programName(project, file).slice(0, -'.cjs'.length) })),
    write: false,
    // Source maps are relative to a folder beside those that are written.
    outdir: path.join(folder, 'bundle'),
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    sourcemap: 'linked',
    sourcesContent: false,
    tsconfigRaw: {},
    // One machine has no use for the AWS SDK, which is imported when a function in AWS needs it.
    external: ['@aws-sdk/*'],
    inject: [path.join(import.meta.dirname, 'stack-traces.ts')],
    banner: { js: workerUrlHelper },
    plugins: [located(project, sources), functionsInside(project)],
    metafile: true,
    logLevel: 'silent',
  });
  const own = ['serverless.yml', 'package-lock.json', 'src/cli/bundle/build.ts', 'node_modules/esbuild/package.json'];
  const inputs = [...own, ...Object.keys(metafile.inputs)];
  const target = path.join(folder, `bundle-${Date.now()}-${process.pid}`);
  mkdirSync(target);
  const outputs = outputFiles.map(({ path: file, contents }) => {
    const written = path.join(target, path.basename(file));
    writeFileSync(written, contents);
    return path.relative(project, written);
  });
  const program = path.join(path.basename(target), programName(project, command));
  process.stdout.write(JSON.stringify({ program, inputs, outputs }));
  removeEarlierBundles(folder);
}

const [project = '', folder = ''] = process.argv.slice(2);
await main(project, folder);
