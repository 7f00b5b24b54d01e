import { MAX_WARNINGS } from './bounds.ts';

/** Metadata that violates its format. The metadata is left out; the image is not rejected. */
export class MalformedMetadataError extends Error {
  override readonly name = 'MalformedMetadataError';
}

/**
 * Collects descriptions of unreadable metadata. They contain field names and offsets, never values.
 */
export class Warnings {
  readonly #storageFailure: () => { readonly error: unknown } | undefined;
  readonly #warnings: string[] = [];
  #omitted = 0;

  /** `storageFailure` returns the error of a failed read, which is not a defect of the file. */
  constructor(storageFailure: () => { readonly error: unknown } | undefined = () => undefined) {
    this.#storageFailure = storageFailure;
  }

  add(warning: string): void {
    if (this.#warnings.includes(warning)) return;
    if (this.#warnings.length < MAX_WARNINGS) this.#warnings.push(warning);
    else this.#omitted++;
  }

  list(): string[] {
    return this.#omitted === 0 ? [...this.#warnings] : [...this.#warnings, `and ${this.#omitted} more`];
  }

  /**
   * Returns the result of `read`, or undefined with a warning if the metadata is malformed.
   * Rethrows storage errors.
   */
  async attempt<Result>(name: string, read: () => Promise<Result> | Result): Promise<Result | undefined> {
    try {
      return await read();
    } catch (error) {
      const failure = this.#storageFailure();
      if (failure) throw failure.error;
      // All other errors are attributed to the file.
      this.add(`${name}: ${error instanceof MalformedMetadataError ? error.message : 'unreadable'}`);
      return undefined;
    }
  }
}
