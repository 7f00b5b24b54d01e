import { expect, test } from '@jest/globals';
import { halveModuleSource } from '../../scripts/build-halve.ts';
import { halveModule } from '../../src/imaging/halve-module.ts';

test('the assembled module is that of its source text', async () => {
  const source = await halveModuleSource();
  const assembled = [...source.matchAll(/'([A-Za-z0-9+/=]+)'/gu)].map(([, part]) => part).join('');
  expect(assembled.length).toBeGreaterThan(500);
  expect(halveModule).toBe(assembled);
});
