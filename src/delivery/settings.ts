/** Settings of the image server. */
import { availableParallelism } from 'node:os';

/** What one request, and all requests together, may take. */
export interface DeliveryLimits {
  /** Largest size of a derivative, announced in info.json. Pixels. */
  readonly maxWidth: number;
  readonly maxHeight: number;
  readonly maxArea: number;
  /** Largest number of tiles that one request decodes. */
  readonly maxTiles: number;
  /** Largest body of an answer; the buffer of a Lambda response is limited. Bytes. */
  readonly maxBytes: number;
  /** Derivatives made at the same time, and requests that wait for one of them to end. */
  readonly concurrency: number;
  readonly queue: number;
  /** Time of one request, with the time it waits. Seconds. */
  readonly timeoutSeconds: number;
}

export interface DeliverySettings extends DeliveryLimits {
  /**
   * URL of the server up to the path of its routes, without `/` at its end; undefined: that of the
   * request.
   */
  readonly baseUrl: string | undefined;
  /** Cache-Control of images and of descriptions. */
  readonly imageCaching: string;
  readonly infoCaching: string;
  /** Quality of encoded JPEG, WebP and AVIF, 1 to 100. */
  readonly quality: number;
  /** A licence or statement, as an URI, for images that name none of their own. */
  readonly rights: string | undefined;
  /** Deep Zoom: side of a tile and pixels that neighbours share, announced in the description. */
  readonly deepZoomTileSize: number;
  readonly deepZoomOverlap: number;
}

export const defaultSettings: DeliverySettings = {
  maxWidth: 10_000,
  maxHeight: 10_000,
  maxArea: 25_000_000,
  maxTiles: 1_024,
  maxBytes: Infinity,
  concurrency: availableParallelism(),
  queue: 256,
  timeoutSeconds: 30,
  baseUrl: undefined,
  imageCaching: 'public, max-age=3600, stale-while-revalidate=86400',
  infoCaching: 'public, max-age=60, stale-while-revalidate=3600',
  quality: 85,
  rights: undefined,
  deepZoomTileSize: 254,
  deepZoomOverlap: 1,
};
