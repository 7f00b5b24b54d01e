/** Values that mean "not copyrighted". */
const negativeValues: ReadonlySet<string> = new Set(['', 'false', 'no', '0']);

/**
 * Whether the user metadata or the tags of a master mark it as copyrighted: a key `copyrighted`, in
 * any case, whose value is not empty, `false`, `no` or `0`. One such key is enough.
 */
export function isCopyrighted({
  metadata,
  tags,
}: {
  metadata: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}): boolean {
  return [...Object.entries(metadata), ...Object.entries(tags)].some(
    ([key, value]) => key.toLowerCase() === 'copyrighted' && !negativeValues.has(value.trim().toLowerCase()),
  );
}
