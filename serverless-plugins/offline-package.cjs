'use strict';

/**
 * Two things about layers that the framework leaves open.
 *
 * `serverless package` asks CloudFormation for the layer that is deployed, to save an upload, and so needs an account.
 * Packaging alone uploads nothing: the question is dropped. `serverless deploy` still asks it.
 *
 * A layer whose `npm run layer` was forgotten is packaged silently, empty or out of date, and fails in the first
 * invocation. Here it fails at once.
 */

class OfflinePackage {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      // Before anything is bundled: nobody waits for zips that will not be made.
      'before:package:initialize': () => this.checkLayers(),
      'before:package:compileLayers': () => this.dropAccountLookup(),
    };
  }

  dropAccountLookup() {
    if (this.serverless.processedInput.commands[0] !== 'package') return;
    const compiler = this.serverless.pluginManager.plugins.find((plugin) => 'compareWithLastLayer' in plugin);
    if (!compiler) throw this.error('Expected the framework to compare layers: offline-package.cjs is out of date.');
    compiler.compareWithLastLayer = () => Promise.resolve();
  }

  async checkLayers() {
    const { serviceDir, service } = this.serverless;
    const { assertBuilt } = await import('../layers/layer.ts');
    const { layerNames } = await import('../layers/layers.ts');
    for (const name of service.getAllLayers()) {
      if (!layerNames.includes(name) || service.getLayer(name).path !== `layers/${name}`) {
        throw this.error(`Expected one of the layers ${layerNames.join(', ')} in layers/ but received ${name}`);
      }
      try {
        assertBuilt(serviceDir, name);
      } catch (error) {
        throw this.error(error.message);
      }
    }
  }

  error(message) {
    return new this.serverless.classes.Error(message);
  }
}

module.exports = OfflinePackage;
