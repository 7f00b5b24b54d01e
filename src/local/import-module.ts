/**
 * Imports a module of the project by its path. The bundle of the command replaces this file with
 * one that has the functions of serverless.yml (`src/cli/bundle/build.ts`).
 */
import { pathToFileURL } from 'node:url';

export async function importModule(file: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
}
