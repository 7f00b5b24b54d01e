import { expect, test } from '@jest/globals';
import { isCopyrighted } from '../../src/recipe/copyright-mark.ts';

test.each([
  ['a tag', {}, { copyrighted: 'true' }],
  ['metadata', { copyrighted: 'yes' }, {}],
  ['a key in capitals', { Copyrighted: '1' }, {}],
  ['a holder’s name', {}, { COPYRIGHTED: 'VG Bild-Kunst' }],
  ['a mark beside a negative one', { copyrighted: 'false' }, { copyrighted: 'true' }],
  ['any other value', { copyrighted: 'off' }, {}],
])('%s marks a work as copyrighted', (_, metadata, tags) => {
  expect(isCopyrighted({ metadata, tags })).toBe(true);
});

test.each([
  ['nothing', {}, {}],
  ['an empty value', { copyrighted: '' }, { copyrighted: ' ' }],
  ['false', { copyrighted: 'false' }, { Copyrighted: 'FALSE' }],
  ['no', { copyrighted: 'No' }, {}],
  ['0', {}, { copyrighted: '0' }],
  ['another key', { copyright: 'VG Bild-Kunst' }, { 'not-copyrighted': 'true' }],
])('%s does not mark a work as copyrighted', (_, metadata, tags) => {
  expect(isCopyrighted({ metadata, tags })).toBe(false);
});
