/**
 * Calls `work` for every item in order, with at most `limit` calls in progress. After the first
 * failure no further call is made; the error is thrown after all calls in progress have ended, so
 * that the caller can release what they use.
 */
export async function forEachParallel<Item>(
  items: Iterable<Item>,
  limit: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const queue = entries(items);
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failures.length > 0) return;
      try {
        await work(item, index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failures.length > 0) throw failures[0];
}

/** One iterator that all workers share. */
function* entries<Item>(items: Iterable<Item>): Generator<[number, Item]> {
  let index = 0;
  for (const item of items) yield [index++, item];
}

/**
 * The results of all promises. Waits for all of them before it throws the first error, so that the
 * caller can release what they use.
 */
export async function allSettled<Results extends readonly unknown[]>(
  promises: Results,
): Promise<{ -readonly [Index in keyof Results]: Awaited<Results[Index]> }> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
