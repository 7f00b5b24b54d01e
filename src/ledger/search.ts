/** Search of published images by their keys, without regard to case and diacritics. */

/** Largest number of words of a search; further ones are ignored. */
const MAX_WORDS = 8;

/** The words of a search as `searchKey` has them. */
export function searchWords(text: string): string[] {
  return folded(text)
    .split(/\s+/u)
    .filter((word) => word !== '')
    .slice(0, MAX_WORDS);
}

/** The text that is searched for the words: a published key without `.tif`. */
export function searchKey(publishedKey: string): string {
  return folded(publishedKey.replace(/\.tif$/u, ''));
}

/** Compatibility decomposition without its marks (Unicode Standard Annex 15), in lower case. */
function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
