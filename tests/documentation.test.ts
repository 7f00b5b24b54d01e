/** Compares what the documentation repeats with the code, the template and the tests. */
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { openState } from '../src/local/state.ts';
import { DECODING_TIME, MAX_PROFILE_BYTES } from '../src/limits.ts';
import * as bounds from '../src/metadata/bounds.ts';

const read = (file: string): string => readFileSync(file, 'utf8');
const inEnglish = (value: number): string => value.toLocaleString('en');

/** The cells of every row of every table in a page. */
function rowsOf(file: string): string[][] {
  return read(file)
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/u))
    .map((cells) => cells.map((cell) => cell.trim()));
}

/** The row of a page whose first cell is `name`, without that cell. */
function rowOf(file: string, name: string): string[] | undefined {
  return rowsOf(file)
    .find(([first]) => first === name)
    ?.slice(1);
}

describe('docs/output-profile.md', () => {
  const tests: Readonly<Record<string, string>> = {
    C: 'tests/imaging/colour.test.ts',
    S: 'tests/imaging/samples.test.ts',
    I: 'tests/formats/identify.test.ts',
    X: 'tests/imaging/extra-samples.test.ts',
    B: 'tests/imaging/old-jpeg.test.ts',
    LZ: 'tests/imaging/lzma.test.ts',
    Q: 'tests/imaging/deep-samples.test.ts',
    T: 'tests/imaging/measured-samples.test.ts',
    Y: 'tests/imaging/ycc.test.ts',
    A: 'tests/e2e/pages.test.ts',
    L: 'tests/e2e/documents.test.ts',
    E: 'tests/e2e/converted-exactness.test.ts',
    V: 'tests/steps/convert-source.test.ts',
    U: 'tests/steps/unreadable-metadata.test.ts',
    G: 'tests/formats/registry.test.ts',
    M: 'tests/formats/convert.test.ts',
    D: 'tests/formats/decoding.test.ts',
    R: 'tests/imaging/reduced.test.ts',
    K: 'tests/imaging/reduced-colours.test.ts',
    Z: 'tests/pyramid/size-cap.test.ts',
    P: 'tests/pyramid/plan.test.ts',
    F: 'tests/e2e/size-cap.test.ts',
    O: 'tests/imaging/odd-chunks.test.ts',
    H: 'tests/imaging/sparse.test.ts',
    J: 'tests/formats/jpeg/jpeg.test.ts',
    N: 'tests/formats/png/png.test.ts',
    W: 'tests/e2e/readable.test.ts',
    ...Object.fromEntries(
      ['jp2', 'pdf', 'bmp', 'heic', 'avif', 'gif', 'psd'].map((name) => [
        name,
        `tests/formats/${name}/${name}.test.ts`,
      ]),
    ),
  };
  /** References such as `C "grey with a profile", "CMYK"; E "CMYK"`, by label. */
  const references = rowsOf('docs/output-profile.md')
    .map((cells) => cells.at(-1) ?? '')
    .filter((cell) => cell.includes('"'))
    .flatMap((cell) => cell.split('; '));

  test('names the file of every label', () => {
    const page = read('docs/output-profile.md');
    for (const [label, file] of Object.entries(tests).filter(([name]) => name.length === 1)) {
      expect(page).toMatch(new RegExp(`\`${file}\`\\s+\\(${label}\\)`, 'u'));
    }
  });

  test('quotes tests that exist', () => {
    expect(references.length).toBeGreaterThan(40);
    const missing = references.flatMap((reference) => {
      const [label = ''] = reference.split(' ');
      const file = tests[label];
      const source = file === undefined ? '' : read(file);
      const quoted = [...reference.replaceAll('\\*', '*').matchAll(/"([^"]+)"/gu)].map(([, text = '']) => text);
      return quoted.filter((text) => !source.includes(text)).map((text) => `${label} "${text}"`);
    });
    expect(missing).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  const Service = z.object({
    functions: z.record(
      z.string(),
      z.object({
        memorySize: z.number(),
        timeout: z.number(),
        ephemeralStorageSize: z.number().default(512),
        layers: z.array(z.object({ Ref: z.string() })).default([]),
      }),
    ),
  });
  const { functions } = Service.parse(parse(read('serverless.yml'), { merge: true, logLevel: 'silent' }));

  test.each(Object.entries(functions))('states the memory and the disk of %s', (key, declared) => {
    const { memorySize, ephemeralStorageSize } = declared;
    const sizes = [memorySize, Math.min(memorySize, 3_008), ephemeralStorageSize];
    const row = rowOf('docs/operations.md', key) ?? rowOf('docs/operations.md', 'all others');
    expect(row?.slice(0, 3)).toEqual(sizes.map((size) => `${inEnglish(size)} MB`));
  });

  test('states the time of decoders, which ends before the time of ConvertSource', () => {
    const row = read('docs/operations.md').match(/^\| (?<seconds>\d+) s in the decoder .*`DECODING_TIME`/mu);
    expect(Number(row?.groups?.['seconds'])).toBe(DECODING_TIME / 1000);
    // Reading, hashing and storing take the rest.
    expect(2 * (DECODING_TIME / 1000)).toBeLessThanOrEqual(functions['convertSource']?.timeout ?? 0);
  });

  test('states how long work objects are kept', () => {
    const [, days] = /ExpirationInDays: (\d+)/u.exec(read('resources/storage.yml')) ?? [];
    expect(read('docs/operations.md')).toContain(`work objects are kept for ${days}.`);
  });

  test.each([
    ['`libvips`', 'LibvipsLambdaLayer'],
    ['`decoders`', 'DecodersLambdaLayer'],
  ])('lists the functions with the layer %s', (name, id) => {
    const having = Object.entries(functions).filter(([, { layers }]) => layers.some(({ Ref }) => Ref === id));
    expect(rowOf('docs/operations.md', name)?.[1]?.split(', ').sort()).toEqual(having.map(([key]) => key).sort());
  });
});

describe('docs/metadata.md states the bound', () => {
  const mebi = (bytes: number): string => `${bytes / 2 ** 20} MiB`;
  test.each([
    [
      'bytes read from one master',
      `${mebi(bounds.MAX_READ_BYTES)}, in at most ${inEnglish(bounds.MAX_READ_BYTES / bounds.MIN_CHARGE_BYTES)} requests`,
    ],
    ['segments of a JPEG, chunks of a PNG or WebP, item extents of a HEIC', inEnglish(bounds.MAX_CONTAINER_PARTS)],
    ['fields of a directory; numbers of a field', `${bounds.MAX_IFD_FIELDS}; ${bounds.MAX_FIELD_NUMBERS}`],
    ['a text', `${inEnglish(bounds.MAX_TEXT_LENGTH)} characters`],
    ['texts of one repeated property', inEnglish(bounds.MAX_REPEATED_VALUES)],
    [
      'an XMP packet',
      `${mebi(bounds.MAX_XMP_BYTES)}, ${inEnglish(bounds.MAX_XML_ELEMENTS)} elements, ${bounds.MAX_XML_DEPTH} deep`,
    ],
    ['an ICC profile', mebi(MAX_PROFILE_BYTES)],
    ['an IPTC record', `${bounds.MAX_IPTC_BYTES / 2 ** 10} KiB`],
    ['decompressed PNG chunks, in total', mebi(bounds.MAX_INFLATED_BYTES)],
    ['Photoshop resources read to find IPTC', inEnglish(bounds.MAX_PHOTOSHOP_RESOURCES)],
    ['warnings', `${bounds.MAX_WARNINGS}, and the number of further ones`],
    ['the sidecar', `${mebi(bounds.MAX_SIDECAR_BYTES)}; its largest texts are left out first`],
    ["a text of the ledger row's short form", `${bounds.MAX_SHORT_TEXT_LENGTH} characters`],
  ])('%s: %s', (name, value) => {
    expect(rowOf('docs/metadata.md', name)).toEqual([value]);
  });
});

describe('README.md', () => {
  const page = read('README.md');
  let workspace: string;

  beforeAll(() => {
    workspace = mkdtempSync(path.join(tmpdir(), 'stepwell-documentation-'));
  });

  afterAll(() => {
    rmSync(workspace, { recursive: true });
  });

  test('names every state but the end of the skipped checksum pass', () => {
    const states = [...read('state-machines/pyramid.asl.yml').matchAll(/^ +([A-Z][A-Za-z]+):\n +(?:Comment|Type):/gmu)];
    expect(states.length).toBeGreaterThan(15);
    const names = states.map(([, name = '']) => name).filter((name) => name !== 'ChecksumPassSkipped');
    expect(names.filter((name) => !page.includes(name))).toEqual([]);
  });

  test('explains every rejection code', () => {
    const explained = rowsOf('README.md').flatMap(([first = '']) => [...first.matchAll(/`([A-Z_]{6,})`/gu)]);
    const [, declared = ''] = /type RejectionCode =([^;]+);/u.exec(read('src/errors.ts')) ?? [];
    const codes = [...declared.matchAll(/'([A-Z_]+)'/gu)].map(([, code = '']) => code);
    expect(explained.map(([, code = '']) => code).sort()).toEqual(codes.sort());
  });

  test('lists every recipe', () => {
    const recipes = globSync('recipes/*.yml').map((file) => path.basename(file, '.yml'));
    expect(recipes.filter((name) => rowOf('README.md', `\`${name}\``) === undefined)).toEqual([]);
  });

  test('names every table and view of stepwell.db', () => {
    const { database, close } = openState(workspace);
    const tables = database.all("SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')");
    close();
    expect(tables.length).toBeGreaterThan(4);
    expect(tables.filter(({ name }) => !page.includes(`\`${String(name)}\``))).toEqual([]);
  });
});
