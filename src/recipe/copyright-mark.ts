/** What a mark says when it says that nothing is marked. */
const unmarked: ReadonlySet<string> = new Set(['', 'false', 'no', '0']);

/**
 * Whether a master is marked as copyrighted, in its user metadata or its tags: a key `copyrighted`, in capitals or not, with
 * anything but nothing, `false`, `no` or `0`. One mark is enough.
 */
export function isCopyrighted({
  metadata,
  tags,
}: {
  metadata: Readonly<Record<string, string>>;
  tags: Readonly<Record<string, string>>;
}): boolean {
  return [...Object.entries(metadata), ...Object.entries(tags)].some(
    ([key, value]) => key.toLowerCase() === 'copyrighted' && !unmarked.has(value.trim().toLowerCase()),
  );
}
