/** The list of what is published: newest first, loaded page by page, searched by name. */
import { byId, element, fetchJson, formatDate, formatSize } from './common.js';
import { Grid } from './grid.js';

/**
 * @typedef {{ id: string, title: string, width: number, height: number, publishedAt?: string,
 *   links: { view: string, iiif3: string } }} Image
 * @typedef {{ images: Image[], next?: string }} Page
 */

const PAGE = 60;
/** Height of a caption in viewer.css. Pixels. */
const CAPTION = 76;
/** Interval of requests for new images, which doubles while there are none. Milliseconds. */
const [SHORTEST_INTERVAL, LONGEST_INTERVAL] = [4_000, 60_000];
const SEARCH_DELAY = 200;

const search = byId('search', HTMLInputElement);
const status = byId('status', HTMLParagraphElement);

/** @type {Image[]} */
let images = [];
/** Token of the next page; undefined after the last one. @type {string | undefined} */
let next;
let loading = new AbortController();
let isLoading = false;

const grid = new Grid(byId('images', HTMLUListElement), {
  render: (index, width) => card(images[index], width),
  cellHeight: (width) => pictureHeight(width) + CAPTION,
  onEnd: () => {
    if (next !== undefined) void load();
  },
});

/** @param {number} width */
function pictureHeight(width) {
  return Math.round(width * 0.85);
}

/**
 * @param {Image | undefined} image
 * @param {number} width
 */
function card(image, width) {
  if (!image) return element('span', {});
  const scale = Math.min(width / image.width, pictureHeight(width) / image.height, 1);
  const [w, h] = [image.width, image.height].map((side) => Math.max(1, Math.round(side * scale)));
  // The caption names the image, so the picture has no text of its own.
  const picture = element('img', { alt: '', width: String(w), height: String(h), decoding: 'async' });
  picture.addEventListener('error', () => {
    picture.classList.add('failed');
  });
  const density = Math.ceil(Math.min(2, window.devicePixelRatio) * Math.max(w ?? 1, h ?? 1));
  const side = density <= 250 ? 250 : density <= 500 ? 500 : 1000;
  const size = Math.max(image.width, image.height) <= side ? 'max' : `!${side},${side}`;
  picture.src = `${image.links.iiif3}/full/${size}/0/default.jpg`;
  const facts = [formatSize(image.width, image.height), formatDate(image.publishedAt)].filter((fact) => fact !== '');
  return element(
    'a',
    { class: 'card', href: image.links.view, title: image.id },
    element('span', { class: 'picture' }, picture),
    element(
      'span',
      { class: 'caption' },
      element('bdi', { class: 'name' }, image.title),
      element('span', { class: 'facts' }, ...facts.map((fact) => element('span', {}, fact))),
    ),
  );
}

/** @param {string} [after] */
function address(after) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (search.value.trim() !== '') query.set('q', search.value);
  if (after !== undefined) query.set('after', after);
  return `/list?${query.toString()}`;
}

/** Loads the next page. */
async function load() {
  if (isLoading) return;
  isLoading = true;
  const { signal } = loading;
  try {
    const page = /** @type {Page} */ (await fetchJson(address(next), signal));
    if (signal.aborted) return;
    isLoading = false;
    next = page.next;
    images.push(...page.images);
    report();
    grid.setCount(images.length);
  } catch (error) {
    if (signal.aborted) return;
    isLoading = false;
    next = undefined;
    report(error instanceof Error ? error.message : String(error));
  }
}

/** Begins again with the first page. */
function restart() {
  loading.abort();
  loading = new AbortController();
  isLoading = false;
  images = [];
  next = undefined;
  grid.setCount(0, true);
  void load();
}

/** @param {string} [failure] */
function report(failure) {
  const searched = search.value.trim();
  const isEmpty = images.length === 0 && next === undefined;
  const count = `${images.length} ${images.length === 1 ? 'image' : 'images'}`;
  status.classList.toggle('message', failure !== undefined || isEmpty);
  if (failure !== undefined) status.textContent = failure;
  else if (isEmpty)
    status.textContent = searched ? `No image has “${searched}” in its name.` : 'Nothing is published yet.';
  else if (next === undefined) status.textContent = searched ? `${count} found` : count;
  else status.textContent = images.length === 0 ? 'Searching…' : 'Newest first';
}

let newestEtag = '';

/** Puts images at the top that were published since, while the top of the list is visible. */
async function refresh() {
  if (document.hidden || isLoading || window.scrollY > 200) return false;
  const { signal } = loading;
  const response = await fetch(address(), { signal, cache: 'no-cache' });
  const etag = response.headers.get('etag') ?? '';
  if (!response.ok || etag === newestEtag) return false;
  /** @type {unknown} */
  const body = await response.json();
  const page = /** @type {Page} */ (body);
  if (signal.aborted) return false;
  newestEtag = etag;
  const first = images[0];
  const known = page.images.findIndex(({ id, publishedAt }) => id === first?.id && publishedAt === first.publishedAt);
  if (known === 0) return false;
  const fresh = known < 0 ? page.images : page.images.slice(0, known);
  const ids = new Set(fresh.map(({ id }) => id));
  if (known < 0) next = page.next;
  images = [...fresh, ...(known < 0 ? [] : images.filter(({ id }) => !ids.has(id)))];
  report();
  grid.setCount(images.length, true);
  return true;
}

/** @param {number} interval */
function watch(interval) {
  setTimeout(() => {
    void refresh()
      .catch(() => false)
      .then((isNew) => {
        watch(isNew ? SHORTEST_INTERVAL : Math.min(LONGEST_INTERVAL, interval * 2));
      });
  }, interval);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;
search.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    const searched = search.value.trim();
    history.replaceState(null, '', searched === '' ? '/' : `/?${new URLSearchParams({ q: searched }).toString()}`);
    restart();
  }, SEARCH_DELAY);
});
search.form?.addEventListener('submit', (event) => {
  event.preventDefault();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target === search) return;
  event.preventDefault();
  search.focus();
});

search.value = new URLSearchParams(location.search).get('q') ?? '';
restart();
watch(SHORTEST_INTERVAL);
