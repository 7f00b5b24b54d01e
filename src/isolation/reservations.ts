/** Shares of a bounded amount, taken in the order of the requests. */
export class Reservations {
  readonly #total: number;
  #taken = 0;
  readonly #waiting: { readonly amount: number; readonly proceed: () => void }[] = [];

  constructor(total: number) {
    this.#total = total;
  }

  /**
   * Resolves with the function that gives the amount back, once it fits beside what is taken. An
   * amount larger than the total is taken when nothing else is.
   */
  async take(amount: number): Promise<() => void> {
    await new Promise<void>((proceed) => {
      this.#waiting.push({ amount, proceed });
      this.#admit();
    });
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#taken -= amount;
      this.#admit();
    };
  }

  #admit(): void {
    for (let [next] = this.#waiting; next; [next] = this.#waiting) {
      if (this.#taken > 0 && this.#taken + next.amount > this.#total) return;
      this.#waiting.shift();
      this.#taken += next.amount;
      next.proceed();
    }
  }
}
