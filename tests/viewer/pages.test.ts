import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { assetTypes } from '../../src/viewer/assets.ts';
import { type StartedViewer, startViewer } from './started-viewer.ts';

const folder = path.resolve('src/viewer/page');
const files = readdirSync(folder).filter((name) => name !== 'tsconfig.json');
const textOf = (name: string): string => readFileSync(path.join(folder, name), 'utf8');

let viewer: StartedViewer;
beforeAll(async () => {
  viewer = await startViewer();
});
afterAll(() => viewer.stop());

describe.each(['/', '/view/maps%2Fblaeu'])('the page %s', (address) => {
  test('is HTML whose policy allows nothing from other origins and no inline code', async () => {
    const response = await viewer.app.request(address);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self';");
    expect(policy).not.toMatch(/unsafe|https?:|\*/u);
  });

  test('refers to files that the viewer serves, and has no inline scripts and styles', async () => {
    const html = await (await viewer.app.request(address)).text();
    const references = [...html.matchAll(/(?:src|href)="(?<address>[^"]+)"/gu)].map(
      ({ groups }) => groups?.['address'],
    );
    expect(references).toContain('/viewer/viewer.css');
    for (const reference of references) expect((await viewer.app.request(reference ?? '')).status).toBe(200);
    expect(html).not.toMatch(/<style|style=|<script(?![^>]* src=)| on\w+=/u);
  });
});

test('every file of the pages is served with its type, and so is OpenSeadragon', async () => {
  expect([...files, 'openseadragon.min.js'].sort()).toEqual(Object.keys(assetTypes).sort());
  for (const [name, type] of Object.entries(assetTypes)) {
    const response = await viewer.app.request(`/viewer/${name}`);
    expect([name, response.status, response.headers.get('content-type')]).toEqual([name, 200, type]);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  }
  expect(await (await viewer.app.request('/viewer/openseadragon.min.js')).text()).toContain('openseadragon 6.1.1');
});

test.each(['other.js', '..%2Fviewer.ts', 'constructor', '__proto__'])('the file %j is not served', async (name) => {
  const response = await viewer.app.request(`/viewer/${name}`);
  expect([response.status, await response.json()]).toEqual([
    404,
    { error: expect.stringMatching(/^The viewer has no/u) },
  ]);
});

test('an unchanged file is not sent again', async () => {
  const first = await viewer.app.request('/viewer/openseadragon.min.js');
  const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
  expect((await viewer.app.request('/viewer/openseadragon.min.js', { headers })).status).toBe(304);
});

test('the scripts insert text as text and request nothing from other origins', () => {
  for (const name of files.filter((file) => file.endsWith('.js') || file.endsWith('.css'))) {
    expect([
      name,
      textOf(name).match(/innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|https?:\/\//gu),
    ]).toEqual([name, null]);
  }
});
