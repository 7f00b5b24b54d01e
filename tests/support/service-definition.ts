/** What serverless.yml and resources/*.yml declare, read without the framework. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const Service = z.object({ functions: z.record(z.string(), z.object({ handler: z.string() })) });
const Section = z.object({ Resources: z.record(z.string(), z.object({ Type: z.string() })).default({}) });

/** The handler of every function, by its key in serverless.yml. */
export function declaredFunctions(): Map<string, string> {
  const { functions } = Service.parse(readYaml('serverless.yml'));
  return new Map(Object.entries(functions).map(([key, { handler }]) => [key, handler]));
}

/** The keys of all functions, sorted. */
export function functionKeys(): string[] {
  return [...declaredFunctions().keys()].sort();
}

/** The types of the resources that resources/*.yml declare, by logical id. */
export function declaredResources(): Map<string, string> {
  const files = readdirSync('resources').map((name) => path.join('resources', name));
  const sections = files.map((file) => Object.entries(Section.parse(readYaml(file)).Resources));
  return new Map(sections.flat().map(([id, { Type }]) => [id, Type]));
}

/** Tags such as !GetAtt and !Sub are read as their values. */
function readYaml(file: string): unknown {
  return parse(readFileSync(file, 'utf8'), { merge: true, logLevel: 'silent', maxAliasCount: -1 });
}
