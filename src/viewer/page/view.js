/** One image in OpenSeadragon, over the IIIF endpoint. */
import { listen, zoomTo } from './commands.js';
import { byId, element, fetchJson } from './common.js';
import { showDetails } from './details.js';

/** @typedef {import('./details.js').ImageInfo} ImageInfo */

const area = byId('image', HTMLDivElement);
const panel = byId('details', HTMLElement);
const toggle = byId('toggle', HTMLButtonElement);
const scale = byId('scale', HTMLOutputElement);
const isCalm = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
/** Height at the bottom of the image that the controls occupy. Pixels. */
const CONTROLS_HEIGHT = 84;
const MARGIN = 20;

/** The identifier as the address has it, percent-encoded. */
const encodedId = location.pathname.slice('/view/'.length);

/** @param {string} text */
function fail(text) {
  const message = byId('message', HTMLDivElement);
  message.replaceChildren(text, ' ', element('a', { href: '/' }, 'All images'));
  message.hidden = false;
}

/** @param {boolean} isShown */
function showPanel(isShown) {
  panel.hidden = !isShown;
  toggle.setAttribute('aria-expanded', String(isShown));
}

/** @param {ImageInfo} image */
function open(image) {
  document.title = image.title;
  byId('title', HTMLHeadingElement).replaceChildren(element('bdi', {}, image.title));
  area.setAttribute('aria-label', `${image.title}: move with the arrow keys, zoom with plus and minus`);
  toggle.hidden = false;
  showPanel(window.matchMedia('(width >= 70rem)').matches);
  const viewer = createViewer(`${image.links['iiif3']}/info.json`);
  watch(viewer);
  listen(viewer, {
    panel,
    onDetails: () => {
      showPanel(panel.hasAttribute('hidden'));
    },
  });
  showDetails(panel, image, (level) => {
    zoomTo(viewer, 0.5 ** level);
  });
}

/** @param {string} tileSources */
function createViewer(tileSources) {
  // OpenSeadragon adds an inline style, which the policy of this page refuses, unless it finds one.
  // An element of another namespace than HTML is found and styles nothing.
  const found = document.createElementNS('about:none', 'style');
  found.setAttribute('data-openseadragon-mobile-css', '');
  document.head.append(found);
  return new OpenSeadragon.Viewer({
    element: area,
    tileSources,
    tabIndex: -1,
    showNavigationControl: false,
    showNavigator: true,
    navigatorPosition: 'TOP_RIGHT',
    navigatorSizeRatio: 0.16,
    navigatorAutoFade: false,
    viewportMargins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: CONTROLS_HEIGHT },
    animationTime: isCalm ? 0 : 0.8,
    immediateRender: isCalm,
    maxZoomPixelRatio: 4,
    minZoomImageRatio: 0.8,
    visibilityRatio: 0.6,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    gestureSettingsTouch: { pinchRotate: false },
  });
}

/**
 * Shows the scale, and keeps the visible region in the address.
 * @param {OpenSeadragon.Viewer} viewer
 */
function watch(viewer) {
  const { viewport } = viewer;
  const update = () => {
    const percent = viewport.viewportToImageZoom(viewport.getZoom(true)) * window.devicePixelRatio * 100;
    scale.textContent = `${percent < 10 ? percent.toPrecision(2) : Math.round(percent)} %`;
    area.classList.toggle('whole', isWhole(viewer));
  };
  viewer.addHandler('open', () => {
    showRegion(viewer);
    update();
    byId('controls', HTMLDivElement).hidden = false;
    viewer.world.getItemAt(0).addHandler('fully-loaded-change', ({ fullyLoaded }) => {
      area.setAttribute('aria-busy', String(!fullyLoaded));
    });
  });
  viewer.addHandler('open-failed', () => {
    fail('The image cannot be opened. Its file may have been removed.');
  });
  viewer.addHandler('animation', update);
  viewer.addHandler('animation-finish', () => {
    keepRegion(viewer);
  });
  viewer.addHandler('resize', () => {
    if (area.classList.contains('whole')) viewport.goHome(true);
  });
}

/**
 * Whether the whole image is visible.
 * @param {OpenSeadragon.Viewer} viewer
 */
function isWhole({ viewport }) {
  return viewport.getZoom() <= viewport.getHomeZoom() * 1.001;
}

/**
 * Shows the region that the address names: `#xywh=x,y,w,h` in pixels of the image.
 * @param {OpenSeadragon.Viewer} viewer
 */
function showRegion({ viewport }) {
  const [, region] = /^#xywh=([\d.,-]+)$/u.exec(location.hash) ?? [];
  const [x, y, width, height] = region?.split(',').map(Number) ?? [];
  if (x === undefined || y === undefined || !width || !height || ![x, y, width, height].every(Number.isFinite)) return;
  viewport.fitBounds(viewport.imageToViewportRectangle(x, y, width, height), true);
}

/**
 * Keeps the visible region in the address.
 * @param {OpenSeadragon.Viewer} viewer
 */
function keepRegion(viewer) {
  const { viewport } = viewer;
  const { x, y, width, height } = viewport.viewportToImageRectangle(viewport.getBounds());
  const region = [x, y, width, height].map(Math.round).join(',');
  history.replaceState(null, '', isWhole(viewer) ? location.pathname : `#xywh=${region}`);
}

fetchJson(`/info/${encodedId}`).then(
  (image) => {
    open(/** @type {ImageInfo} */ (image));
  },
  (/** @type {unknown} */ error) => {
    fail(error instanceof Error ? error.message : String(error));
  },
);
