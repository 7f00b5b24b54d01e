/** Images as manifests describe them, with every property that a manifest may have. */
import type { DescribedImage, PresentationSettings } from '../../src/outputs/presentation/described-image.ts';
import {
  describeEntry,
  type PublicCompanions,
  type PublishedEntry,
} from '../../src/outputs/presentation/describe-entry.ts';
import type { Label } from '../../src/outputs/presentation/labels.ts';

export const server = 'https://images.example.org/';
export const files = 'https://files.example.org/';

/** The ledger entry of a published image of 3,000 × 2,000 pixels. */
export function publishedEntry(identifier: string, fields: Partial<PublishedEntry> = {}): PublishedEntry {
  const key = `${identifier}.tif`;
  return {
    imageId: '0'.repeat(32),
    sequence: '1'.repeat(32),
    bucket: 'masters',
    key: `${identifier}.jpg`,
    recipe: 'default',
    status: 'PUBLISHED',
    updatedAt: '2026-01-01T00:00:00.000Z',
    metadata: { format: 'jpeg', width: 3000, height: 2000, bands: 3, bitDepth: 8, fileSize: 1000 },
    published: { bucket: 'published', key, etag: 'e', size: 9000, width: 3000, height: 2000, levels: 4, tileSize: 512 },
    sidecar: { key: `${key}.json` },
    ...fields,
  };
}

export function describedImage(
  identifier: string,
  { label, companions, served = true }: { label?: Label; companions?: PublicCompanions; served?: boolean } = {},
): DescribedImage {
  return describeEntry(publishedEntry(identifier), label, { files, ...(served ? { server } : {}) }, companions);
}

export const allSettings: PresentationSettings = {
  rights: 'http://creativecommons.org/licenses/by/4.0/',
  requiredStatement: { label: 'Attribution', value: 'City Archive' },
  viewingDirection: 'right-to-left',
  behavior: 'paged',
  language: 'en',
};
