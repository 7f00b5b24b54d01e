/** Builds every Lambda layer. Run it as `npm run layer`; a second run finds what the first one made. */
import { join } from 'node:path';
import { buildLayer } from './layer.ts';
import { layerNames } from './layers.ts';

const root = join(import.meta.dirname, '..');

for (const name of layerNames) {
  const { versions, installed } = buildLayer(root, name);
  const contents = Object.entries(versions).map(([dependency, version]) => `${dependency} ${version}`);
  console.log(`layer ${name}: ${contents.join(', ')} ${installed ? 'installed' : 'there already'}`);
}
