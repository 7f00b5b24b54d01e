'use strict';

/**
 * Checks the recipes before packaging: functions read them at run time, where an invalid recipe, or
 * one that a stage names and that does not exist, would fail every image. The error names the file,
 * the field and the reason.
 */

const { join } = require('node:path');

class CheckRecipes {
  constructor(serverless, _options, { log } = {}) {
    this.serverless = serverless;
    this.log = log;
    this.hooks = { 'before:package:initialize': () => this.check() };
  }

  async check() {
    const { serviceDir, service } = this.serverless;
    const { readRecipes, remarksOn } = await import('../src/recipe/read.ts');
    const { RecipeRules } = await import('../src/recipe/choice.ts');
    const { DEFAULT_RECIPE, RECIPES_BY_PREFIX } = service.provider.environment;
    const recipes = await readRecipes(join(serviceDir, 'recipes')).catch((error) => {
      throw this.error(error.message);
    });
    const rules = RecipeRules.safeParse(RECIPES_BY_PREFIX);
    if (!rules.success)
      throw this.error(`recipesByPrefix: ${rules.error.issues.map(({ message }) => message).join('; ')}`);
    for (const name of [DEFAULT_RECIPE, ...rules.data.map(({ recipe }) => recipe)]) {
      if (!recipes.has(name)) {
        throw this.error(`Expected one of the recipes ${[...recipes.keys()].join(', ')} but received ${name}`);
      }
    }
    for (const recipe of recipes.values()) {
      for (const remark of remarksOn(recipe)) this.log?.warning(`recipe ${recipe.name}: ${remark}`);
    }
  }

  error(message) {
    return new this.serverless.classes.Error(message);
  }
}

module.exports = CheckRecipes;
