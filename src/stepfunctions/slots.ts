/** A counting semaphore; slots are taken in the order of the requests. */
export interface Slots {
  /**
   * Resolves with the function that releases the slot. Rejects when the signal is aborted before a
   * slot is free.
   */
  take(signal?: AbortSignal): Promise<() => void>;
}

export function slots(count: number): Slots {
  let free = count;
  const waiting = new Set<() => void>();
  const release = (): void => {
    free++;
    const [next] = waiting;
    next?.();
  };
  return {
    async take(signal) {
      if (signal?.aborted) throw new Error('Aborted before its turn');
      if (free === 0 || waiting.size > 0) {
        await new Promise<void>((proceed, reject) => {
          const onAbort = (): void => {
            waiting.delete(turn);
            reject(new Error('Aborted before its turn'));
          };
          const turn = (): void => {
            waiting.delete(turn);
            signal?.removeEventListener('abort', onAbort);
            free--;
            proceed();
          };
          waiting.add(turn);
          signal?.addEventListener('abort', onAbort, { once: true });
        });
      } else free--;
      let held = true;
      return () => {
        if (held) release();
        held = false;
      };
    },
  };
}
