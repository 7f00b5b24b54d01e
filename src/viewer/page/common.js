/** What both pages use: elements that hold text only, requests, and numbers in words. */

/**
 * Creates an element with attributes and children. Text is inserted as text, never as HTML.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Readonly<Record<string, string>>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * The element of the page with an id.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @param {new () => Kind} kind
 * @returns {Kind}
 */
export function byId(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`Expected an element #${id}`);
  return found;
}

/**
 * Requests JSON. Throws an Error with the sentence of the server when it refuses.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<unknown>}
 */
export async function fetchJson(address, signal) {
  const response = await fetch(address, signal ? { signal } : {});
  /** @type {unknown} */
  const body = await response.json().catch(() => undefined);
  if (response.ok) return body;
  const hasReason = typeof body === 'object' && body !== null && 'error' in body;
  throw new Error(hasReason ? String(body.error) : `The server answered with status ${response.status}.`);
}

const wholeNumbers = new Intl.NumberFormat('en');
const dates = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
const times = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'short' });

/**
 * `9,600 × 6,400`
 * @param {number} width
 * @param {number} height
 */
export function formatSize(width, height) {
  return `${wholeNumbers.format(width)} × ${wholeNumbers.format(height)}`;
}

/**
 * Bytes in units of 1,000, with three digits.
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const exponent = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  const value = bytes / 1000 ** exponent;
  return `${value >= 100 || exponent === 0 ? Math.round(value) : value.toPrecision(3)} ${units[exponent]}`;
}

/**
 * @param {string | undefined} iso
 * @param {boolean} [withTime]
 */
export function formatDate(iso, withTime = false) {
  if (iso === undefined) return '';
  return (withTime ? times : dates).format(new Date(iso));
}
