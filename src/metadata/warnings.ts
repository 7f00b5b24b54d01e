import { MAX_WARNINGS } from './bounds.ts';

/** Metadata that does not follow its format. It costs itself, never the image. */
export class MalformedMetadataError extends Error {
  override readonly name = 'MalformedMetadataError';
}

/** What could not be read, in words. Warnings name fields and places, never values. */
export class Warnings {
  readonly #storageFailure: () => { readonly error: unknown } | undefined;
  readonly #said: string[] = [];
  #unsaid = 0;

  /** `storageFailure` tells a storage that failed from a file that is wrong. */
  constructor(storageFailure: () => { readonly error: unknown } | undefined = () => undefined) {
    this.#storageFailure = storageFailure;
  }

  add(warning: string): void {
    if (this.#said.includes(warning)) return;
    if (this.#said.length < MAX_WARNINGS) this.#said.push(warning);
    else this.#unsaid++;
  }

  list(): string[] {
    return this.#unsaid === 0 ? [...this.#said] : [...this.#said, `and ${this.#unsaid} more`];
  }

  /** The answer of `read`, or undefined and a warning where the metadata is wrong. Errors of the storage pass through. */
  async attempt<Result>(what: string, read: () => Promise<Result> | Result): Promise<Result | undefined> {
    try {
      return await read();
    } catch (error) {
      const failure = this.#storageFailure();
      if (failure) throw failure.error;
      // Whatever else happens while a hostile file is read is the file's doing.
      this.add(`${what}: ${error instanceof MalformedMetadataError ? error.message : 'unreadable'}`);
      return undefined;
    }
  }
}
