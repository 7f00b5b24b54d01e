import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createRequire } from 'node:module';
import { LayerProject } from '../support/layer-project.ts';

interface Plugin {
  readonly hooks: {
    readonly 'before:package:initialize': () => Promise<void>;
    readonly 'before:package:compileLayers': () => void;
  };
}
const OfflinePackage = createRequire(import.meta.url)('../../serverless-plugins/offline-package.cjs') as new (
  serverless: unknown,
) => Plugin;

const modules = (layer: string): string => `layers/${layer}/nodejs/node_modules`;

describe('a layer', () => {
  let project: LayerProject;
  beforeEach(() => {
    project = new LayerProject();
  });
  afterEach(() => {
    project.dispose();
  });

  const check = (...names: string[]): Promise<void> => {
    const service = { getAllLayers: () => names, getLayer: (name: string) => ({ path: `layers/${name}` }) };
    const serverless = { serviceDir: project.root, service, classes: { Error } };
    return new OfflinePackage(serverless).hooks['before:package:initialize']();
  };

  test.each([
    ['libvips', /Expected sharp \d+\.\d+\.\d+ in the layer libvips but received none\. Run: npm run layer/u],
    [
      'decoders',
      /Expected @cornerstonejs\/codec-openjpeg .* in the layer decoders but received none\. Run: npm run layer/u,
    ],
  ])('that was never built is refused: %s', async (name, message) => {
    await expect(check(name)).rejects.toThrow(message);
  });

  test('that was built is packaged', async () => {
    project.build();
    await expect(check('libvips', 'decoders')).resolves.toBeUndefined();
  });

  test('with another sharp is refused', async () => {
    project.build();
    project.change(`${modules('libvips')}/sharp/package.json`, /"version":"[^"]+"/u, '"version":"0.34.0"');
    await expect(check('libvips')).rejects.toThrow(/received 0\.34\.0\. Run: npm run layer/u);
  });

  test('for another platform is refused', async () => {
    project.build();
    project.remove(`${modules('libvips')}/@img/sharp-linux-arm64`);
    await expect(check('libvips')).rejects.toThrow(/Expected @img\/sharp-linux-arm64.* Run: npm run layer/u);
  });

  test('without a decoder is refused', async () => {
    project.build();
    project.remove(`${modules('decoders')}/@hyzyla/pdfium/dist/pdfium.wasm`);
    await expect(check('libvips', 'decoders')).rejects.toThrow(/Expected @hyzyla\/pdfium\/dist\/pdfium\.wasm in/u);
  });

  test('that is older than its lock file is refused', async () => {
    project.build();
    project.change('layers/decoders/nodejs/package-lock.json', '"requires": true', '"requires": false');
    await expect(check('decoders')).rejects.toThrow(/made from its package-lock\.json .* Run: npm run layer/u);
  });

  test('with versions that differ from package.json is refused', async () => {
    project.build();
    project.change('package.json', /"@hyzyla\/pdfium": "[^"]+"/u, '"@hyzyla/pdfium": "9.9.9"');
    await expect(check('decoders')).rejects.toThrow(/Expected @hyzyla\/pdfium 9\.9\.9, as in package\.json/u);
  });

  test('that layers/build.ts does not build is refused', async () => {
    await expect(check('tools')).rejects.toThrow(/Expected one of the layers libvips, decoders .* received tools/u);
  });
});

describe('the lookup of the deployed layer', () => {
  const serverless = (command: string, plugins: unknown[] = []): unknown => ({
    processedInput: { commands: [command] },
    pluginManager: { plugins },
    classes: { Error },
  });
  const ask = (command: string): (() => Promise<void>) => {
    const compiler = { compareWithLastLayer: jest.fn(() => Promise.reject(new Error('no account'))) };
    new OfflinePackage(serverless(command, [{}, compiler])).hooks['before:package:compileLayers']();
    return () => compiler.compareWithLastLayer();
  };

  test('is skipped by serverless package, which uploads nothing', async () => {
    await expect(ask('package')()).resolves.toBeUndefined();
  });

  test('is kept by serverless deploy', async () => {
    await expect(ask('deploy')()).rejects.toThrow('no account');
  });

  test('is reported when the framework no longer has it', () => {
    expect(() => {
      new OfflinePackage(serverless('package')).hooks['before:package:compileLayers']();
    }).toThrow(/out of date/u);
  });
});
