import { expect, test } from '@jest/globals';
import { Reservations } from '../../src/isolation/reservations.ts';

/** Takes an amount and tells whether it was given. */
function request(reservations: Reservations, amount: number): { given: boolean; release: Promise<() => void> } {
  const state = { given: false, release: reservations.take(amount) };
  void state.release.then(() => (state.given = true));
  return state;
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('reservations never exceed the total and are given in the order of the requests', async () => {
  const reservations = new Reservations(10);
  const [four, five, three, one] = [4, 5, 3, 1].map((amount) => request(reservations, amount));
  await settled();
  // One would fit, but the three came first.
  expect([four?.given, five?.given, three?.given, one?.given]).toEqual([true, true, false, false]);
  (await four?.release)?.();
  await settled();
  expect([three?.given, one?.given]).toEqual([true, true]);
});

test('an amount larger than the total is reserved alone', async () => {
  const reservations = new Reservations(10);
  const small = request(reservations, 1);
  const large = request(reservations, 50);
  const next = request(reservations, 1);
  await settled();
  expect([small.given, large.given, next.given]).toEqual([true, false, false]);
  (await small.release)();
  await settled();
  expect([large.given, next.given]).toEqual([true, false]);
  (await large.release)();
  await settled();
  expect(next.given).toBe(true);
});

test('a reservation that is given back twice counts once', async () => {
  const reservations = new Reservations(2);
  const release = await reservations.take(2);
  release();
  release();
  await reservations.take(2);
  const another = request(reservations, 1);
  await settled();
  expect(another.given).toBe(false);
});
