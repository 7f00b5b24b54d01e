/** The index and values of the first sample that differs; undefined when all are equal. */
export function firstDifference(
  received: ArrayLike<number>,
  expected: ArrayLike<number>,
): { at: number; received: number | undefined; expected: number | undefined } | undefined {
  for (let at = 0; at < Math.max(received.length, expected.length); at++) {
    if (received[at] !== expected[at]) return { at, received: received[at], expected: expected[at] };
  }
  return undefined;
}
