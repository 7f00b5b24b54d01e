/**
 * Writes recipes/recipe.schema.json from the recipe schema. `npm run build:recipe-schema`; a test
 * compares the two.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { Recipe } from '../src/recipe/recipe.ts';

/**
 * The JSON Schema of a recipe file, as text. Fields with a default are optional. Draft 7, which is
 * what the YAML language server of editors implements.
 */
export function recipeJsonSchema(): string {
  const schema = z.toJSONSchema(Recipe, {
    io: 'input',
    target: 'draft-7',
    override({ jsonSchema }) {
      // The largest exact integer of JavaScript is no limit of the recipe.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

if (import.meta.main) {
  writeFileSync(path.join(import.meta.dirname, '..', 'recipes', 'recipe.schema.json'), recipeJsonSchema());
}
