import { expect, test } from '@jest/globals';
import { assembleWebAssembly, webAssemblyNames } from '../../scripts/build-webassembly.ts';
import { halveModule } from '../../src/imaging/halve-module.ts';
import { predictModule } from '../../src/imaging/predict-module.ts';

const committed = { halve: halveModule, predict: predictModule };

test.each(webAssemblyNames)('the committed %s module is assembled from its source text', async (name) => {
  const assembled = await assembleWebAssembly(name);
  expect(assembled.length).toBeGreaterThan(300);
  expect(committed[name]).toBe(assembled);
});
