import type { SidecarRequest } from '../../src/work/sidecar.ts';

/** A request for a sidecar, but for the metadata. */
export const sidecarRequest: Omit<SidecarRequest, 'metadata'> = {
  source: {
    bucket: 'masters',
    key: 'maps/sheet 12.jpg',
    size: 1_234_567,
    etag: '9b2cf535f27731c974343645a3985328',
    format: 'jpeg',
    width: 8000,
    height: 6000,
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
};
