/**
 * Validates manifests and collections of Presentation 3.0 with iiif-prezi3, whose models are made
 * from the JSON Schema of the IIIF community: `node tests/interop/run-manifests.ts PYTHON`, the
 * Python of an environment that has it. The last line is `N passed, N failed`.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { collectionOf3, manifestOf3 } from '../../src/outputs/presentation/manifest-3.ts';
import { allSettings, describedImage, files, server } from '../support/described-images.ts';
import { print } from './command-line.ts';
import { run } from './programs.ts';

const program = `
import json, sys, iiif_prezi3
document = json.load(open(sys.argv[1]))
read = getattr(iiif_prezi3, document["type"])(**document)
written = json.loads(read.jsonld())
lost = [name for name in document if name not in written]
if lost or len(read.items) != len(document["items"]): sys.exit("not the same after reading: %s" % lost)
`;

const plain = { language: 'none' };
const id = `${server}iiif/presentation/3/maps%2F/manifest`;
const thumbnails = [{ url: `${files}maps/one/thumbnails/auto.jpg`, format: 'image/jpeg', width: 400, height: 267 }];
const label = {
  ...{ line: 2, rank: 0, identifier: 'one', title: 'Čtyři <mapy>', description: '<Drawn in 1650>' },
  pairs: [{ label: 'Shelf mark', value: 'Ms. 4' }],
};
const complete = describedImage('maps/one', { label, companions: { thumbnails, pdf: 'maps/one.pdf' } });
const tiles = { v3: `${files}maps/two/iiif3`, v2: `${files}maps/two/iiif2` };
const still = describedImage('maps/two', { served: false, companions: { tiles } });
const bare = describedImage('maps/three', { served: false });
const described = { id, title: 'Maps', summary: 'Of the town', pairs: label.pairs };
const members = [
  { id: `${id}/one`, type: 'Manifest', title: 'One', thumbnail: complete },
  { id: `${id}/old`, type: 'Collection', title: 'Old' },
] as const;

const documents: readonly (readonly [string, object])[] = [
  ['an image with every property', manifestOf3({ ...described, images: [complete], settings: allSettings })],
  ['an image on a server of files', manifestOf3({ ...described, images: [still], settings: plain })],
  ['a TIFF without image service', manifestOf3({ ...described, images: [bare], settings: plain })],
  ['a group', manifestOf3({ ...described, images: [complete, still, bare], settings: allSettings })],
  ['a collection', collectionOf3({ ...described, members, settings: allSettings })],
];

async function main(python: string): Promise<number> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'stepwell-manifests-'));
  let failed = 0;
  try {
    for (const [name, document] of documents) {
      const file = path.join(folder, 'document.json');
      await writeFile(file, JSON.stringify(document));
      const { failure, stderr } = await run(python, ['-c', program, file]);
      print(`${name}: ${failure === undefined ? 'ok' : `FAILED\n${stderr}`}`);
      if (failure !== undefined) failed++;
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  print(`${documents.length - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv[2] ?? 'python3');
