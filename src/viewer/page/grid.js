/**
 * A grid of equal cells that scrolls with the page. Only the cells near the visible part of the
 * page are in the document, so that it stays small for any number of items.
 */

/** Smallest width of a cell, and the space between cells. Pixels. */
const MIN_CELL = 240;
const MIN_PHONE_CELL = 140;
const PHONE = 560;
/** Rows that are rendered above and below the visible part. */
const MARGIN_ROWS = 2;

/**
 * @typedef {object} GridOptions
 * @property {(index: number, width: number) => HTMLElement} render content of a cell that is so wide
 * @property {(width: number) => number} cellHeight height of a cell that is so wide. Pixels
 * @property {() => void} onEnd called when the last rows are near the visible part
 */

export class Grid {
  /** @type {HTMLElement} */ #list;
  /** @type {GridOptions} */ #options;
  /** @type {Map<number, HTMLElement>} */ #cells = new Map();
  #count = 0;
  #columns = 1;
  #width = 0;
  #gap = 0;
  #rowHeight = 1;
  #isPlanned = false;

  /**
   * @param {HTMLElement} list
   * @param {GridOptions} options
   */
  constructor(list, options) {
    this.#list = list;
    this.#options = options;
    const plan = () => {
      this.#plan();
    };
    window.addEventListener('scroll', plan, { passive: true });
    new ResizeObserver(() => {
      this.#measure();
    }).observe(list);
    list.addEventListener('keydown', (event) => {
      this.#move(event);
    });
    this.#measure();
  }

  /**
   * Number of items. With `isNew`, all cells are rendered again.
   * @param {number} count
   * @param {boolean} [isNew]
   */
  setCount(count, isNew = false) {
    this.#count = count;
    if (isNew) this.#clear();
    this.#resize();
    this.#update();
  }

  #clear() {
    for (const cell of this.#cells.values()) cell.remove();
    this.#cells.clear();
  }

  #measure() {
    const available = this.#list.clientWidth;
    const isPhone = available < PHONE;
    const gap = isPhone ? 20 : 40;
    const columns = Math.max(1, Math.floor((available + gap) / ((isPhone ? MIN_PHONE_CELL : MIN_CELL) + gap)));
    const width = Math.floor((available - gap * (columns - 1)) / columns);
    if (columns === this.#columns && width === this.#width) return;
    [this.#columns, this.#width, this.#gap] = [columns, width, gap];
    this.#rowHeight = this.#options.cellHeight(width) + gap;
    this.#clear();
    this.#resize();
    this.#update();
  }

  #resize() {
    this.#list.style.height = `${Math.ceil(this.#count / this.#columns) * this.#rowHeight}px`;
  }

  #plan() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => {
      this.#isPlanned = false;
      this.#update();
    });
  }

  #update() {
    const top = -this.#list.getBoundingClientRect().top;
    const firstRow = Math.max(0, Math.floor(top / this.#rowHeight) - MARGIN_ROWS);
    const lastRow = Math.ceil((top + window.innerHeight) / this.#rowHeight) + MARGIN_ROWS;
    const from = firstRow * this.#columns;
    const to = Math.min(this.#count, lastRow * this.#columns);
    for (const [index, cell] of this.#cells) {
      // The focused cell remains, so that the keyboard does not lose its place.
      if ((index >= from && index < to) || cell.contains(document.activeElement)) continue;
      cell.remove();
      this.#cells.delete(index);
    }
    for (let index = from; index < to; index++) if (!this.#cells.has(index)) this.#insert(index);
    if (lastRow * this.#columns >= this.#count) this.#options.onEnd();
  }

  /** @param {number} index */
  #insert(index) {
    const cell = document.createElement('li');
    const [row, column] = [Math.floor(index / this.#columns), index % this.#columns];
    cell.style.width = `${this.#width}px`;
    cell.style.height = `${this.#rowHeight - this.#gap}px`;
    cell.style.transform = `translate(${column * (this.#width + this.#gap)}px, ${row * this.#rowHeight}px)`;
    cell.setAttribute('aria-setsize', '-1');
    cell.setAttribute('aria-posinset', String(index + 1));
    cell.append(this.#options.render(index, this.#width));
    // In the order of the items, which is that of the Tab key.
    const following = [...this.#cells.keys()].filter((other) => other > index);
    const next = following.length === 0 ? undefined : this.#cells.get(Math.min(...following));
    this.#list.insertBefore(cell, next ?? null);
    this.#cells.set(index, cell);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const steps = new Map([
      ['ArrowLeft', -1],
      ['ArrowRight', 1],
      ['ArrowUp', -this.#columns],
      ['ArrowDown', this.#columns],
    ]);
    const step = steps.get(event.key);
    const current = [...this.#cells].find(([, cell]) => cell.contains(document.activeElement))?.[0];
    if (step === undefined || current === undefined) return;
    const index = current + step;
    if (index < 0 || index >= this.#count) return;
    event.preventDefault();
    if (!this.#cells.has(index)) this.#insert(index);
    const link = this.#cells.get(index)?.querySelector('a');
    link?.focus({ preventScroll: true });
    link?.scrollIntoView({ block: 'nearest' });
  }
}
