/**
 * Numbers by value, letters without regard to case and accents: page 2 precedes page 10. `und`: the
 * same order on every machine.
 */
const collator = new Intl.Collator('und', { numeric: true, sensitivity: 'base' });

/** Compares file names as people sort them. Equal only for equal strings. */
export function compareNames(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : a > b ? 1 : 0);
}
