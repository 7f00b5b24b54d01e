import { describe, expect, test } from '@jest/globals';
import type { EmbeddedMetadata } from '../../src/metadata/embedded-metadata.ts';
import { redact } from '../../src/metadata/redact.ts';
import { makeSidecar, Sidecar, type SidecarRequest } from '../../src/work/sidecar.ts';
import { sidecarBytes } from '../../src/work/sidecar-limit.ts';
import { xmpPacket } from '../support/embedded.ts';
import { sidecarRequest } from '../support/sidecar.ts';

const metadata: EmbeddedMetadata = {
  exif: { Make: 'Maker', Artist: 'Ada', ISO: 100, LensInfo: [24, 70, 'unknown', 'unknown'] },
  gps: { GPSLatitude: [48, 51, 24] },
  iptc: { Keywords: ['a', 'b'] },
  xmp: { packet: xmpPacket('<photoshop:City>Paris</photoshop:City>'), fields: { 'photoshop:City': 'Paris' } },
  icc: { description: 'sRGB', colourSpace: 'RGB' },
  resolution: { x: 600, y: 600, unit: 'inch' },
  descriptive: { make: 'Maker' },
  warnings: ['Exif: unreadable'],
};
const request: SidecarRequest = { ...sidecarRequest, metadata: redact(metadata) };

const parsed = (sidecar: Sidecar): unknown => JSON.parse(Buffer.from(sidecarBytes(sidecar)).toString('utf8'));

test('a sidecar has the source, the metadata of the master and the software versions', () => {
  expect(parsed(makeSidecar(request))).toEqual({
    schemaVersion: 1,
    source: {
      bucket: 'masters',
      key: 'maps/sheet 12.jpg',
      size: 1_234_567,
      etag: '9b2cf535f27731c974343645a3985328',
      format: 'jpeg',
      stored: { width: 8000, height: 6000 },
      upright: { width: 6000, height: 8000 },
      bands: 3,
      alpha: false,
      bitDepth: 8,
      orientation: 6,
    },
    published: {
      key: 'maps/sheet 12.tif',
      size: 2_345_678,
      etag: 'd41d8cd98f00b204e9800998ecf8427e-3',
      tileSize: 512,
      compression: 'jpeg',
      levels: [
        { width: 6000, height: 8000 },
        { width: 3000, height: 4000 },
      ],
    },
    recipe: { name: 'default', version: 1 },
    software: { stepwell: '0.1.0', sharp: '0.35.5', libvips: '8.18.7' },
    metadata: {
      redacted: { gps: true, serialNumbers: true },
      exif: { Artist: 'Ada', ISO: 100, LensInfo: [24, 70, 'unknown', 'unknown'], Make: 'Maker' },
      iptc: { Keywords: ['a', 'b'] },
      xmp: { packet: expect.stringContaining('Paris') as unknown, fields: { 'photoshop:City': 'Paris' } },
      icc: { description: 'sRGB', colourSpace: 'RGB' },
      resolution: { x: 600, y: 600, unit: 'inch' },
      warnings: ['Exif: unreadable'],
    },
  });
});

test('the bytes of a sidecar do not depend on the order of the keys in its request', () => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, reversed(inner)]),
    );
  };
  const bytes = Buffer.from(sidecarBytes(makeSidecar(request))).toString('utf8');
  expect(Object.keys(reversed(request) as object)[0]).toBe('metadata');
  expect(Buffer.from(sidecarBytes(makeSidecar(reversed(request) as SidecarRequest))).toString('utf8')).toBe(bytes);
  expect(bytes.endsWith('}\n')).toBe(true);
});

test('a sidecar has the checksums that are known, and they must be hex', () => {
  const sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  expect(makeSidecar({ ...request, source: { ...request.source, sha256 } }).source.sha256).toBe(sha256);
  expect(() => makeSidecar({ ...request, source: { ...request.source, md5: 'nonsense' } })).toThrow(/md5/u);
});

test('the schema of the sidecar refuses unknown fields', () => {
  const sidecar = makeSidecar(request);
  expect(Sidecar.safeParse(sidecar).success).toBe(true);
  expect(Sidecar.safeParse({ ...sidecar, createdAt: '2026-01-01' }).success).toBe(false);
  expect(Sidecar.safeParse({ ...sidecar, schemaVersion: 2 }).success).toBe(false);
  expect(Sidecar.safeParse({ ...sidecar, metadata: { ...sidecar.metadata, histogram: [] } }).success).toBe(false);
});

describe('a sidecar of more than 1 MiB', () => {
  const withLarge = (large: Partial<EmbeddedMetadata>): Sidecar =>
    makeSidecar({ ...request, metadata: { ...redact(metadata), ...large } });

  test('omits its largest part with a warning', () => {
    const sidecar = withLarge({ xmp: { packet: 'é"'.repeat(600_000), fields: { 'dc:title': 'Kept' } } });
    expect(sidecarBytes(sidecar).length).toBeLessThanOrEqual(1_048_576);
    expect(sidecar.metadata.xmp).toEqual({ fields: { 'dc:title': 'Kept' } });
    expect(sidecar.metadata.exif['Artist']).toBe('Ada');
    expect(sidecar.metadata.warnings).toEqual([
      'Exif: unreadable',
      'sidecar: the XMP packet is left out, it is too large',
    ]);
  });

  test('is reduced to 1 MiB when it has many small parts', () => {
    const exif = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [`Field${1000 + index}`, '\u0001'.repeat(1000 + index)]),
    );
    const sidecar = withLarge({ exif });
    expect(sidecarBytes(sidecar).length).toBeLessThanOrEqual(1_048_576);
    expect(sidecar.metadata.exif['Field1000']).toHaveLength(1000);
    expect(sidecar.metadata.exif['Field1399']).toBeUndefined();
    expect(sidecar.metadata.warnings.at(-1)).toMatch(/^sidecar: and \d+ more$/u);
    expect(sidecar.metadata.warnings).toHaveLength(52);
  });

  test('does not depend on the order of its parts', () => {
    const entries = Array.from({ length: 100 }, (_, index) => [`Field${index}`, 'x'.repeat(16_000)] as const);
    const forwards = withLarge({ exif: Object.fromEntries(entries) });
    const backwards = withLarge({ exif: Object.fromEntries([...entries].reverse()) });
    expect(sidecarBytes(backwards)).toEqual(sidecarBytes(forwards));
  });
});
