import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { JsonObject } from './json.ts';

const require = createRequire(import.meta.url);

/** Remembers in a folder, by their hash, the definitions that asl-validator found valid: to load it takes a third of a second. */
export class CheckedDefinitions {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  has(definition: JsonObject): boolean {
    return existsSync(this.#fileOf(definition));
  }

  /** A folder that cannot be written to remembers nothing. */
  add(definition: JsonObject): void {
    try {
      mkdirSync(this.#directory, { recursive: true });
      writeFileSync(this.#fileOf(definition), '');
    } catch {
      // The next start checks again.
    }
  }

  #fileOf(definition: JsonObject): string {
    const { version } = require('asl-validator/package.json') as { version: string };
    const hash = createHash('sha256')
      .update(JSON.stringify([version, definition]))
      .digest('hex');
    return path.join(this.#directory, `definition-${hash}`);
  }
}
