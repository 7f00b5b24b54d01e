import { z } from 'zod';

/** Assigns a recipe to the masters whose key starts with `prefix`. */
export interface RecipeRule {
  readonly prefix: string;
  readonly recipe: string;
}

/**
 * Rules in the form of a setting: one `prefix=recipe` a line; blank lines and surrounding spaces
 * are ignored. A prefix may contain any character but a line break; the last `=` of a line
 * separates the two. Rejects a line without a prefix or a recipe, and a prefix that occurs twice.
 */
export const RecipeRules = z.string().transform((text, context): readonly RecipeRule[] => {
  const lines = text.split(/\r?\n/u).map((line) => line.trim());
  const rules = lines.filter((line) => line !== '').map(parseRule);
  const prefixes = new Set<string>();
  for (const { prefix, recipe } of rules) {
    const isComplete = prefix !== '' && /^[a-z0-9-]+$/u.test(recipe);
    if (!isComplete || prefixes.has(prefix)) {
      const expected = isComplete ? 'every prefix once' : 'prefix=recipe on every line';
      context.addIssue({ code: 'custom', message: `Expected ${expected} but received ${prefix}=${recipe}` });
    }
    prefixes.add(prefix);
  }
  return rules;
});

/** Name of the recipe for a key: that of the longest matching prefix, or the default. */
export function chooseRecipe(rules: readonly RecipeRule[], defaultRecipe: string, key: string): string {
  const matching = rules.filter(({ prefix }) => key.startsWith(prefix));
  const [longest] = matching.sort((a, b) => b.prefix.length - a.prefix.length);
  return longest?.recipe ?? defaultRecipe;
}

function parseRule(line: string): RecipeRule {
  const at = line.lastIndexOf('=');
  return { prefix: line.slice(0, Math.max(0, at)).trim(), recipe: line.slice(at + 1).trim() };
}
