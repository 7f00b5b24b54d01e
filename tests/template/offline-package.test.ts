import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Plugin {
  readonly hooks: Readonly<Record<'before:package:initialize' | 'before:package:compileLayers', () => void>>;
}
const OfflinePackage = createRequire(import.meta.url)('../../serverless-plugins/offline-package.cjs') as new (
  serverless: unknown,
) => Plugin;

let serviceDir: string;
beforeEach(() => {
  serviceDir = mkdtempSync(join(tmpdir(), 'stepwell-layer-'));
  writeFileSync(join(serviceDir, 'package.json'), JSON.stringify({ dependencies: { sharp: '0.35.5' } }));
});
afterEach(() => {
  rmSync(serviceDir, { recursive: true, force: true });
});

function install(name: string, version: string): void {
  const directory = join(serviceDir, 'layer', 'nodejs', 'node_modules', name);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ version }));
}

function serverless(command: string, plugins: unknown[] = []): unknown {
  return {
    serviceDir,
    processedInput: { commands: [command] },
    pluginManager: { plugins },
    classes: { Error },
    service: { getAllLayers: () => ['libvips'], getLayer: () => ({ path: 'layer' }) },
  };
}

describe('a layer', () => {
  const check = (): void => {
    new OfflinePackage(serverless('package')).hooks['before:package:initialize']();
  };

  test('that was never built is refused', () => {
    expect(check).toThrow(/Expected sharp 0\.35\.5 .* libvips but received none\. Run: npm run layer/u);
  });

  test('with another sharp is refused', () => {
    install('sharp', '0.34.0');
    install('@img/sharp-linux-arm64', '0.34.0');
    expect(check).toThrow(/received 0\.34\.0/u);
  });

  test('for another platform is refused', () => {
    install('sharp', '0.35.5');
    install('@img/sharp-linux-x64', '0.35.5');
    expect(check).toThrow(/npm run layer/u);
  });

  test('with the sharp of package.json is packaged', () => {
    install('sharp', '0.35.5');
    install('@img/sharp-linux-arm64', '0.35.5');
    expect(check).not.toThrow();
  });
});

describe('the question for the deployed layer', () => {
  const ask = (command: string): (() => Promise<void>) => {
    const compiler = { compareWithLastLayer: jest.fn(() => Promise.reject(new Error('no account'))) };
    new OfflinePackage(serverless(command, [{}, compiler])).hooks['before:package:compileLayers']();
    return () => compiler.compareWithLastLayer();
  };

  test('is dropped by serverless package, which uploads nothing', async () => {
    await expect(ask('package')()).resolves.toBeUndefined();
  });

  test('is still asked by serverless deploy', async () => {
    await expect(ask('deploy')()).rejects.toThrow('no account');
  });

  test('that the framework no longer asks is noticed', () => {
    expect(() => {
      new OfflinePackage(serverless('package')).hooks['before:package:compileLayers']();
    }).toThrow(/out of date/u);
  });
});
