/** Builds every Lambda layer (`npm run layer`). A layer that is up to date is left as it is. */
import { join } from 'node:path';
import { buildLayer } from './layer.ts';
import { layerNames } from './layers.ts';

const root = join(import.meta.dirname, '..');

for (const name of layerNames) {
  const { versions, installed } = buildLayer(root, name);
  const contents = Object.entries(versions).map(([dependency, version]) => `${dependency} ${version}`);
  console.log(`layer ${name}: ${contents.join(', ')} ${installed ? 'installed' : 'there already'}`);
}
