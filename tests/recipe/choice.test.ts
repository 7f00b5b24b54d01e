import { expect, test } from '@jest/globals';
import { chooseRecipe } from '../../src/recipe/choice.ts';
import { hostileKeys } from '../support/hostile-keys.ts';

const rules = [
  { prefix: 'maps/', recipe: 'large-tiles' },
  { prefix: 'maps/rare/', recipe: 'archival' },
  { prefix: 'ma', recipe: 'iiif' },
];

test.each([
  ['maps/1.tif', 'large-tiles'],
  ['maps/rare/1.tif', 'archival'],
  ['marble.tif', 'iiif'],
  ['photos/maps/1.tif', 'default'],
  ['Maps/1.tif', 'default'],
])('a master with the key %s gets the recipe of its longest prefix: %s', (key, recipe) => {
  expect(chooseRecipe(rules, 'default', key)).toBe(recipe);
});

test('a prefix is compared literally, whatever characters it contains', () => {
  for (const key of hostileKeys) {
    expect(chooseRecipe([{ prefix: key, recipe: 'archival' }], 'default', key)).toBe('archival');
    expect(chooseRecipe([{ prefix: `${key}x`, recipe: 'archival' }], 'default', key)).toBe('default');
  }
});
