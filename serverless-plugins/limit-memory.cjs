'use strict';

/**
 * The stage parameter `memory`: gives no function more memory than its class has
 * (`memoryLimits` in src/limits.ts). The functions read the class from their environment, so that
 * nothing is planned that needs more.
 */
class LimitMemory {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = { 'before:package:initialize': () => this.limit() };
  }

  async limit() {
    const { service, classes } = this.serverless;
    const { memoryLimits } = await import('../src/limits.ts');
    const name = service.provider.environment.FUNCTION_MEMORY;
    if (!Object.hasOwn(memoryLimits, name)) {
      const known = Object.keys(memoryLimits).join(' or ');
      throw new classes.Error(`Expected ${known} for the parameter memory but received ${name}`);
    }
    const { functionMemory } = memoryLimits[name];
    for (const each of Object.values(service.functions)) {
      each.memorySize = Math.min(each.memorySize, functionMemory);
    }
  }
}

module.exports = LimitMemory;
