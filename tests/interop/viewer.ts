/** Checks the viewer in chromium: the list, search, keys, tiles, links, themes and touch. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import sharp from 'sharp';
import { print } from './command-line.ts';
import { serveViewer, startChromium } from './served-viewer.ts';

/** A name that would be markup, were it not inserted as text. */
const HOSTILE = '<img src=x onerror=alert(1)> "quoted" & \u{1f5fa}';
const LARGE = 'a large map';
const WIDTH = 2_400;
/** Longest wait for a condition, in milliseconds. */
const LONG = 60_000;
/** Whether every thumbnail is shown. */
const THUMBNAILS = '[...document.images].every((image) => image.complete && image.naturalWidth > 0)';

interface Session {
  readonly origin: string;
  readonly page: Page;
  /** Addresses and statuses of all requests. */
  readonly requests: { readonly url: string; readonly status: number }[];
}

interface Check {
  readonly name: string;
  readonly options?: BrowserContextOptions;
  readonly run: (session: Session) => Promise<void>;
}

/** Publishes pictures, and checks the viewer that shows them. Prints what is wrong. */
export async function checkViewer(folder: string): Promise<{ passed: number; failed: number }> {
  const begun = performance.now();
  const masters = path.join(folder, 'masters');
  await mkdir(masters, { recursive: true });
  await writePicture(path.join(masters, `${LARGE}.png`), WIDTH, 1_600);
  await writePicture(path.join(masters, `${HOSTILE}.png`), 60, 40);
  const folders = ['--out', path.join(folder, 'out'), '--workspace', path.join(folder, 'workspace')];
  const viewer = await serveViewer([masters, ...folders]);
  const browser = await startChromium();
  let failed = 0;
  try {
    for (const check of checks) {
      const complaint = await complaintOf(browser, viewer.origin, check);
      if (complaint === undefined) continue;
      failed += 1;
      print(`viewer: ${check.name}: ${complaint}`);
    }
  } finally {
    await browser.close();
    await viewer.stop();
  }
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  print(`viewer in chromium: ${checks.length - failed} of ${checks.length} checks passed, ${seconds} s`);
  return { passed: checks.length - failed, failed };
}

async function writePicture(file: string, width: number, height: number): Promise<void> {
  const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
  const small = sharp({ create: { width: 40, height: 30, channels: 3, background: '#777777', noise } });
  await sharp(await small.png().toBuffer())
    .resize(width, height, { fit: 'fill' })
    .png()
    .toFile(file);
}

/** Runs one check in a browser of its own. Every failed request and every error counts. */
async function complaintOf(browser: Browser, origin: string, { options, run }: Check): Promise<string | undefined> {
  const context = await browser.newContext(options);
  const errors: string[] = [];
  try {
    const page = await context.newPage();
    const requests: Session['requests'] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('response', (response) => {
      requests.push({ url: response.url(), status: response.status() });
      if (response.status() >= 400) errors.push(`status ${response.status()} of ${response.url()}`);
      if (!response.url().startsWith(`${origin}/`)) errors.push(`a request to ${response.url()}`);
    });
    await run({ origin, page, requests });
    return errors.length === 0 ? undefined : errors.join('; ');
  } catch (error) {
    return [error instanceof Error ? error.message : String(error), ...errors].join('; ');
  } finally {
    await context.close();
  }
}

const view = ({ origin }: Session, name: string): string => `${origin}/view/${encodeURIComponent(name)}`;
const scaleOf = (page: Page): Promise<string | null> => page.locator('#scale').textContent();

/** Waits until a condition of the page holds. */
async function until(expected: string, condition: () => Promise<boolean>): Promise<void> {
  for (const start = Date.now(); !(await condition());) {
    if (Date.now() - start > LONG) throw new Error(`expected ${expected}`);
    await delay(50);
  }
}

/** Waits until the scale is shown and has another text than `before`. Returns it. */
async function changedScale(page: Page, before = ''): Promise<string> {
  let scale = '';
  await until(`another scale than ${before}`, async () => {
    scale = (await scaleOf(page)) ?? '';
    return scale !== before;
  });
  return scale;
}

/** Waits until this scale is shown. */
function shownScale(page: Page, scale: string): Promise<void> {
  return until(`the scale ${scale}`, async () => (await scaleOf(page)) === scale);
}

function expect(condition: boolean, expected: string): void {
  if (!condition) throw new Error(`expected ${expected}`);
}

const checks: readonly Check[] = [
  {
    name: 'the list shows every image with its thumbnail and its name as text',
    async run({ origin, page }) {
      await page.goto(origin);
      await page.locator('.card').nth(1).waitFor();
      await until('every thumbnail', () => page.evaluate<boolean>(THUMBNAILS));
      const names = await page.locator('.card .name').allTextContents();
      expect(
        JSON.stringify(names.sort()) === JSON.stringify([HOSTILE, LARGE].sort()),
        `both names but received ${names.join(', ')}`,
      );
    },
  },
  {
    name: 'the search lists the images whose names contain a word, and says when there is none',
    async run({ origin, page }) {
      await page.goto(origin);
      await page.getByRole('searchbox').fill('MAP large');
      await page.getByText('1 image found').waitFor();
      expect((await page.locator('.card .name').textContent()) === LARGE, 'the large map');
      await page.getByRole('searchbox').fill('<b>');
      await page.getByText('No image has “<b>” in its name.').waitFor();
      expect((await page.locator('.card').count()) === 0, 'no images');
    },
  },
  {
    name: 'an image opens from the list by the keyboard, zooms to level 0, and every tile is there',
    async run({ origin, page, requests }) {
      await page.goto(`${origin}/?q=large`);
      await page.getByText('1 image found').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      const whole = await changedScale(page);
      await page.keyboard.press('1');
      await shownScale(page, '100 %');
      // The visible region is kept in the address.
      await page.waitForURL(/#xywh=/u);
      await page.locator('#image[aria-busy=false]').waitFor();
      const levelZero = requests.filter(({ url }) => /\/\d+,\d+,512,512\/512,512\/0\/default\.jpg$/u.test(url));
      expect(whole !== '100 %' && levelZero.length > 0, 'tiles of level 0');
    },
  },
  {
    name: 'keys zoom, rotate, show the whole image and the details',
    options: { viewport: { width: 800, height: 600 } },
    async run(session) {
      const { page } = session;
      await page.goto(view(session, LARGE));
      const whole = await changedScale(page);
      await page.keyboard.press('+');
      await page.waitForURL(/#xywh=/u);
      expect((await scaleOf(page)) !== whole, 'a larger scale after +');
      await page.keyboard.press('r');
      await page.keyboard.press('0');
      await page.waitForURL((url) => url.hash === '');
      await page.keyboard.press('i');
      await page.getByRole('heading', { level: 2, name: LARGE }).waitFor();
      await page.getByRole('button', { name: '1,200 × 800' }).click();
      await shownScale(page, '50 %');
    },
  },
  {
    name: 'the links of an image with a hostile name can be copied and lead to it',
    options: { permissions: ['clipboard-read', 'clipboard-write'], viewport: { width: 1_400, height: 800 } },
    async run(session) {
      const { page } = session;
      await page.goto(view(session, HOSTILE));
      await changedScale(page);
      for (const label of [
        'IIIF Image API 3',
        'IIIF Image API 2',
        'IIIF manifest',
        'Deep Zoom',
        'Pyramid TIFF',
        'Description, JSON',
      ]) {
        await page.getByRole('button', { name: `Copy the address: ${label}` }).click();
        await page.getByText(/^Copied: /u).waitFor({ state: 'attached' });
        const address = await page.evaluate<string>('navigator.clipboard.readText()');
        const { status } = await fetch(address);
        expect(status === 200, `${label} at ${address} but received status ${status}`);
      }
    },
  },
  {
    name: 'a dark scheme has a dark page, and touch works on a phone',
    options: { colorScheme: 'dark', viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    async run(session) {
      const { page } = session;
      await page.goto(view(session, LARGE));
      const whole = await changedScale(page);
      const background = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(background === 'rgb(21, 20, 19)', `a dark background but received ${background}`);
      await page.getByRole('button', { name: 'Zoom in' }).tap();
      await changedScale(page, whole);
      await page.getByRole('button', { name: 'Details' }).tap();
      await page.getByRole('heading', { level: 2, name: LARGE }).waitFor();
    },
  },
];
