import { z } from 'zod';

/** Masters whose key begins with `prefix` get this recipe. */
export interface RecipeRule {
  readonly prefix: string;
  readonly recipe: string;
}

/**
 * Rules as a setting has them: `prefix=recipe`, one a line, blank lines and spaces around them ignored. A prefix may hold
 * any character but a line break; the last `=` divides. Refuses a line without a prefix or a recipe, and a prefix twice.
 */
export const RecipeRules = z.string().transform((text, context): readonly RecipeRule[] => {
  const lines = text.split(/\r?\n/u).map((line) => line.trim());
  const rules = lines.filter((line) => line !== '').map(parseRule);
  const prefixes = new Set<string>();
  for (const { prefix, recipe } of rules) {
    const isWhole = prefix !== '' && /^[a-z0-9-]+$/u.test(recipe);
    if (!isWhole || prefixes.has(prefix)) {
      const why = isWhole ? 'every prefix once' : 'prefix=recipe on every line';
      context.addIssue({ code: 'custom', message: `Expected ${why} but received ${prefix}=${recipe}` });
    }
    prefixes.add(prefix);
  }
  return rules;
});

/** The recipe of a master by its key: that of the longest prefix that it begins with, else the default. */
export function chooseRecipe(rules: readonly RecipeRule[], defaultRecipe: string, key: string): string {
  const fitting = rules.filter(({ prefix }) => key.startsWith(prefix));
  const [longest] = fitting.sort((a, b) => b.prefix.length - a.prefix.length);
  return longest?.recipe ?? defaultRecipe;
}

function parseRule(line: string): RecipeRule {
  const at = line.lastIndexOf('=');
  return { prefix: line.slice(0, Math.max(0, at)).trim(), recipe: line.slice(at + 1).trim() };
}
