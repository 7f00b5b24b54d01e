/** The details of an image: what it is, its levels, links to copy, and the keys of the viewer. */
import { keyDescriptions } from './commands.js';
import { byId, element, formatBytes, formatDate, formatSize } from './common.js';

/**
 * @typedef {{ id: string, key: string, title: string, width: number, height: number, publishedAt?: string,
 *   levels: number, tileSize: number, bytes: number, recipe: string, about: Record<string, string>,
 *   master?: { format: string, bytes: number, bands: number, bitDepth: number },
 *   links: Record<string, string> }} ImageInfo
 */

/** Labels of the master's metadata, in this order. The title is the heading. */
const aboutLabels = { creator: 'Creator', copyright: 'Copyright', dateTaken: 'Date taken' };

const linkLabels = {
  iiif3: 'IIIF Image API 3',
  iiif2: 'IIIF Image API 2',
  manifest: 'IIIF manifest',
  deepzoom: 'Deep Zoom',
  tiff: 'Pyramid TIFF',
  sidecar: 'Description, JSON',
};

/**
 * Fills the panel. `onLevel` is called with the number of a level that is chosen.
 * @param {HTMLElement} panel
 * @param {ImageInfo} image
 * @param {(level: number) => void} onLevel
 */
export function showDetails(panel, image, onLevel) {
  const about = Object.entries(aboutLabels).map(([name, label]) => [label, image.about[name] ?? '']);
  panel.replaceChildren(
    element('h2', {}, element('bdi', {}, image.title)),
    element('p', { class: 'key' }, element('bdi', {}, image.key)),
    definitions([...about, ...factsOf(image)]),
    element('h3', {}, 'Levels'),
    levels(image, onLevel),
    element('h3', {}, 'Links'),
    links(image),
    element('h3', {}, 'Keys'),
    element('dl', {}, ...keyDescriptions.flatMap(([key = '', use = '']) => [keyCaps(key), element('dd', {}, use)])),
  );
}

/**
 * @param {ImageInfo} image
 * @returns {string[][]}
 */
function factsOf({ width, height, bytes, tileSize, recipe, publishedAt, master, about }) {
  const megapixels = (width * height) / 1e6;
  const area =
    megapixels < 0.1 ? '' : `, ${megapixels < 10 ? megapixels.toFixed(1) : Math.round(megapixels)} megapixels`;
  const depth = master && `${master.bands} ${master.bands === 1 ? 'band' : 'bands'} of ${master.bitDepth} bits`;
  return [
    ['Size', `${formatSize(width, height)}${area}`],
    ['Resolution', about['resolution'] ?? ''],
    ['Profile', about['iccName'] ?? ''],
    ['File', `${formatBytes(bytes)}, tiles of ${tileSize}, recipe ${recipe}`],
    ['Master', master ? `${master.format.toUpperCase()}, ${formatBytes(master.bytes)}, ${depth}` : ''],
    ['Published', formatDate(publishedAt, true)],
  ];
}

/** @param {readonly (readonly string[])[]} pairs label and value; those without value are left out */
function definitions(pairs) {
  const shown = pairs.filter(([, value = '']) => value !== '');
  const terms = shown.flatMap(([label = '', value = '']) => [
    element('dt', {}, label),
    element('dd', {}, element('bdi', {}, value)),
  ]);
  return element('dl', {}, ...terms);
}

/** @param {string} key */
function keyCaps(key) {
  return element('dt', {}, ...key.split(' ').flatMap((cap) => [element('kbd', {}, cap), ' ']));
}

/**
 * @param {ImageInfo} image
 * @param {(level: number) => void} onLevel
 */
function levels({ width, height, levels: count }, onLevel) {
  const items = Array.from({ length: count }, (_, level) => {
    const [w, h] = [width, height].map((side) => Math.max(1, Math.floor(side / 2 ** level)));
    const button = element('button', { type: 'button' }, formatSize(w ?? 1, h ?? 1));
    button.title = `Show level ${level} at its size`;
    button.addEventListener('click', () => {
      onLevel(level);
    });
    return element('li', {}, button);
  });
  return element('ul', { class: 'levels' }, ...items);
}

/** @param {ImageInfo} image */
function links({ links: addresses }) {
  const items = Object.entries(linkLabels).flatMap(([name, label]) => {
    const base = addresses[name];
    if (base === undefined) return [];
    const address = name.startsWith('iiif') ? `${base}/info.json` : base;
    const link = element(
      'a',
      { href: address },
      element('span', { class: 'label' }, label),
      element('span', { class: 'address' }, address),
    );
    const copy = element(
      'button',
      { type: 'button', class: 'copy', 'aria-label': `Copy the address: ${label}` },
      'Copy',
    );
    copy.addEventListener('click', () => {
      void copyAddress(address, copy, link);
    });
    return [element('li', {}, link, copy)];
  });
  return element('ul', { class: 'links' }, ...items);
}

/**
 * Copies the address; where the browser refuses, selects it.
 * @param {string} address
 * @param {HTMLElement} button
 * @param {HTMLElement} link
 */
async function copyAddress(address, button, link) {
  try {
    await navigator.clipboard.writeText(address);
    button.textContent = 'Copied';
  } catch {
    window.getSelection()?.selectAllChildren(link.querySelector('.address') ?? link);
    button.textContent = 'Selected';
  }
  byId('announcement', HTMLParagraphElement).textContent = `${button.textContent}: ${address}`;
  setTimeout(() => {
    button.textContent = 'Copy';
  }, 2000);
}
