/** A clock that tests advance. */
export interface TestClock {
  (): Date;
  /** Advances by this many milliseconds. */
  advance(ms: number): void;
}

/** Starts at 2026-11-01T00:00:00.000Z. */
export function testClock(): TestClock {
  let now = Date.UTC(2026, 10, 1);
  return Object.assign(() => new Date(now), {
    advance(ms: number) {
      now += ms;
    },
  });
}
