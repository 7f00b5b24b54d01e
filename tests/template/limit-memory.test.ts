import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';

interface Plugin {
  readonly hooks: Readonly<Record<'before:package:initialize', () => Promise<void>>>;
}
const LimitMemory = createRequire(import.meta.url)('../../serverless-plugins/limit-memory.cjs') as new (
  serverless: unknown,
) => Plugin;

async function limited(memory: string): Promise<Record<string, number>> {
  const functions = { small: { memorySize: 256 }, medium: { memorySize: 3_008 }, large: { memorySize: 7_076 } };
  const service = { functions, provider: { environment: { FUNCTION_MEMORY: memory } } };
  await new LimitMemory({ service, classes: { Error } }).hooks['before:package:initialize']();
  return Object.fromEntries(Object.entries(functions).map(([name, { memorySize }]) => [name, memorySize]));
}

test('the parameter memory=small gives no function more than 3,008 MB', async () => {
  expect(await limited('small')).toEqual({ small: 256, medium: 3_008, large: 3_008 });
});

test('the parameter memory=standard keeps the memory of every function', async () => {
  expect(await limited('standard')).toEqual({ small: 256, medium: 3_008, large: 7_076 });
});

test.each(['large', '', 'toString'])('packaging stops at the parameter memory=%s', async (memory) => {
  await expect(limited(memory)).rejects.toThrow(
    `Expected small or standard for the parameter memory but received ${memory}`,
  );
});
