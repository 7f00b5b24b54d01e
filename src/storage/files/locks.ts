const tails = new Map<string, Promise<void>>();

/**
 * Runs `work` while holding the lock `name` of this process. Waiters run in the order of their
 * calls.
 */
export async function withLock<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const before = tails.get(name) ?? Promise.resolve();
  const result = before.then(work);
  const tail = result.then(
    () => undefined,
    () => undefined,
  );
  tails.set(name, tail);
  try {
    return await result;
  } finally {
    if (tails.get(name) === tail) tails.delete(name);
  }
}
