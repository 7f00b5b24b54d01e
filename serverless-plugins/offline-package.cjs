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

const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

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

  checkLayers() {
    const { serviceDir, service } = this.serverless;
    const wanted = readJson(join(serviceDir, 'package.json')).dependencies.sharp;
    for (const name of service.getAllLayers()) {
      const modules = join(serviceDir, service.getLayer(name).path, 'nodejs', 'node_modules');
      const version = (module) => {
        const manifest = join(modules, module, 'package.json');
        return existsSync(manifest) ? readJson(manifest).version : 'none';
      };
      if (version('sharp') !== wanted || version('@img/sharp-linux-arm64') !== wanted) {
        throw this.error(
          `Expected sharp ${wanted} for linux-arm64 in the layer ${name} but received ${version('sharp')}. Run: npm run layer`,
        );
      }
    }
  }

  error(message) {
    return new this.serverless.classes.Error(message);
  }
}

module.exports = OfflinePackage;
