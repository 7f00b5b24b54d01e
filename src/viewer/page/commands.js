/** The commands of the viewer, their buttons and their keys. */

/** The factor of one zoom step. */
const ZOOM_STEP = 1.6;
/** The fraction of the visible part by which the arrow keys move it. */
const PAN_STEP = 1 / 6;

const keyCommands = new Map([
  ['+', 'zoomIn'],
  ['=', 'zoomIn'],
  ['-', 'zoomOut'],
  ['_', 'zoomOut'],
  ['0', 'home'],
  ['Home', 'home'],
  ['1', 'fullSize'],
  ['r', 'rotate'],
  ['R', 'rotateBack'],
  ['f', 'fullScreen'],
  ['i', 'details'],
  ['ArrowLeft', 'left'],
  ['ArrowRight', 'right'],
  ['ArrowUp', 'up'],
  ['ArrowDown', 'down'],
]);

/** The keys as the details list them. */
export const keyDescriptions = [
  ['+ −', 'Zoom'],
  ['← ↑ → ↓', 'Move'],
  ['0', 'Whole image'],
  ['1', 'Full size'],
  ['R', 'Rotate'],
  ['F', 'Full screen'],
  ['I', 'Details'],
];

/**
 * Zooms so that `ratio` pixels of the screen show one of the image.
 * @param {OpenSeadragon.Viewer} viewer
 * @param {number} ratio
 */
export function zoomTo({ viewport }, ratio) {
  viewport.zoomTo(viewport.imageToViewportZoom(ratio / window.devicePixelRatio));
}

/**
 * @param {OpenSeadragon.Viewer} viewer
 * @returns {Readonly<Record<string, () => void>>}
 */
function commandsOf(viewer) {
  const { viewport } = viewer;
  /** @type {(x: number, y: number) => void} */
  const pan = (x, y) => {
    const { width, height } = viewport.getBounds();
    viewport.panBy(new OpenSeadragon.Point(x * width * PAN_STEP, y * height * PAN_STEP)).applyConstraints();
  };
  /** @type {(degrees: number) => void} */
  const rotate = (degrees) => {
    viewport.setRotation(viewport.getRotation() + degrees);
  };
  return {
    zoomIn: () => viewport.zoomBy(ZOOM_STEP).applyConstraints(),
    zoomOut: () => viewport.zoomBy(1 / ZOOM_STEP).applyConstraints(),
    home: () => viewport.goHome(),
    fullSize: () => {
      zoomTo(viewer, 1);
    },
    rotate: () => {
      rotate(90);
    },
    rotateBack: () => {
      rotate(-90);
    },
    fullScreen: () => {
      void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
    },
    left: () => {
      pan(-1, 0);
    },
    right: () => {
      pan(1, 0);
    },
    up: () => {
      pan(0, -1);
    },
    down: () => {
      pan(0, 1);
    },
  };
}

/**
 * Runs the commands on clicks and keys of the whole page, except the arrow keys in `panel`, which
 * scroll it.
 * @param {OpenSeadragon.Viewer} viewer
 * @param {{ panel: HTMLElement, onDetails: () => void }} options
 */
export function listen(viewer, { panel, onDetails }) {
  /** @type {Readonly<Record<string, () => void>>} */
  const commands = { ...commandsOf(viewer), details: onDetails };
  // The keys of OpenSeadragon would be handled twice.
  viewer.addHandler('canvas-key', (event) => {
    event.preventDefaultAction = true;
  });
  for (const button of document.querySelectorAll('[data-command]')) {
    button.addEventListener('click', () => commands[button.getAttribute('data-command') ?? '']?.());
  }
  document.addEventListener('keydown', (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key.startsWith('Arrow') && event.target instanceof Node && panel.contains(event.target)) return;
    const command = keyCommands.get(event.key);
    if (command === undefined) return;
    event.preventDefault();
    commands[command]?.();
  });
}
