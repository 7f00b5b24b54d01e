import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LayerProject } from '../support/layer-project.ts';

const forLibvips = 'libvips: npm ci --os=linux --cpu=arm64 --libc=glibc --omit=dev --ignore-scripts';
const forDecoders = 'decoders: npm ci --omit=dev --ignore-scripts';

let project: LayerProject;
beforeEach(() => {
  project = new LayerProject();
});
afterEach(() => {
  project.dispose();
});

describe('npm run layer', () => {
  test('installs from the lock files, for the platform of the functions, and runs no install script', () => {
    expect(project.build()).toMatch(/layer libvips: sharp \d+\.\d+\.\d+ installed\nlayer decoders: .* installed\n/u);
    expect(project.npmCalls()).toEqual([forLibvips, forDecoders]);
  });

  test('installs nothing when the layers are up to date', () => {
    project.build();
    expect(project.build()).toMatch(/libvips: .* there already\nlayer decoders: .* there already\n/u);
    expect(project.npmCalls()).toHaveLength(2);
  });

  test('installs again after the lock file changed', () => {
    project.build();
    project.change('layers/decoders/nodejs/package-lock.json', '"requires": true', '"requires": false');
    project.build();
    expect(project.npmCalls()).toEqual([forLibvips, forDecoders, forDecoders]);
  });

  test('installs again when files were removed', () => {
    project.build();
    project.remove('layers/decoders/nodejs/node_modules');
    project.build();
    expect(project.npmCalls()).toEqual([forLibvips, forDecoders, forDecoders]);
  });

  test('names the command to run when package.json has another version than a layer', () => {
    project.change('package.json', /"libheif-js": "[^"]+"/u, '"libheif-js": "9.9.9"');
    expect(() => project.build()).toThrow(
      /Expected libheif-js 9\.9\.9, as in package\.json, for layers\/decoders\/nodejs\/package\.json .* npm install --package-lock-only --save-exact --prefix layers\/decoders\/nodejs libheif-js@9\.9\.9/u,
    );
  });

  test('refuses a lock file with another version than package.json', () => {
    project.change(
      'layers/libvips/nodejs/package-lock.json',
      /("node_modules\/sharp": \{\s+"version": )"[^"]+"/u,
      '$1"0.34.5"',
    );
    expect(() => project.build()).toThrow(/for layers\/libvips\/nodejs\/package-lock\.json but received 0\.34\.5/u);
  });

  test('reports a layer from which npm omitted binaries as incomplete', () => {
    project.remove('registry/libvips/@img/sharp-libvips-linux-arm64');
    expect(() => project.build()).toThrow(
      /Expected @img\/sharp-libvips-linux-arm64\/package\.json in the layer libvips/u,
    );
    expect(existsSync(join(project.root, 'layers/libvips/nodejs/node_modules/.layer-stamp'))).toBe(false);
  });
});
