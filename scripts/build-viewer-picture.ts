/**
 * Makes docs/viewer.png, the picture of the viewer in README.md: the sample image in Debian's
 * chromium.
 *
 *     node scripts/build-viewer-picture.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { serveViewer, startChromium } from '../tests/interop/served-viewer.ts';

const viewport = { width: 1_120, height: 640 };
/** A part of the sample image: x, y, width and height in pixels. */
const REGION = '2900,1500,3800,2280';

const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-picture-'));
const viewer = await serveViewer(['--out', path.join(folder, 'out'), '--workspace', path.join(folder, 'workspace')]);
const browser = await startChromium();
try {
  const page = await browser.newPage({ viewport, reducedMotion: 'reduce' });
  await page.goto(`${viewer.origin}/view/julia-9600x6400#xywh=${REGION}`);
  await page.locator('#image[aria-busy=false]').waitFor();
  const taken = await page.screenshot();
  // 40 colours keep the file below 300 kB.
  await sharp(taken).png({ palette: true, colours: 40, effort: 10 }).toFile('docs/viewer.png');
} finally {
  await browser.close();
  await viewer.stop();
  await rm(folder, { recursive: true, force: true });
}
