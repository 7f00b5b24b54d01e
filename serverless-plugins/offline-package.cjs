'use strict';

/**
 * Two changes to how the framework packages layers.
 *
 * To save an upload, `serverless package` requests the deployed layer from CloudFormation, which
 * needs an account. Packaging alone uploads nothing, so the hook with that request is removed.
 * `serverless deploy` keeps it.
 *
 * The framework packages a layer that is empty or out of date (`npm run layer` was not run), and
 * the first invocation fails. This plugin stops packaging instead.
 */

class OfflinePackage {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      // Runs before bundling, which takes most of the time.
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
