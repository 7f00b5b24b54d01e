/** Makes the picture that a request asks for: a tile as it is, or a derivative. */
import { DeadlineExceededError } from '../errors.ts';
import { Arena } from '../imaging/arena.ts';
import { encodeDerivative, type DerivativeRequest } from '../imaging/derivative.ts';
import type { PublishedLevel, PublishedPyramid, TilePosition } from '../published/published-pyramid.ts';
import { readRegionPicture } from '../published/read-region.ts';
import { planWholeTile, type RegionPlan } from '../published/region-plan.ts';
import { RefusedRequestError } from './refused.ts';
import type { DeliverySettings } from './settings.ts';
import type { RequestSlots } from './request-slots.ts';
import { readWholeTile } from './whole-tile.ts';

export type PictureRequest = Pick<DerivativeRequest, 'size' | 'mirrored' | 'rotation' | 'quality' | 'format'>;

export interface PictureMaker {
  readonly settings: Pick<DeliverySettings, 'maxTiles' | 'maxBytes' | 'quality' | 'timeoutSeconds'>;
  readonly slots: RequestSlots;
}

/**
 * The encoded picture of a planned region. A request for exactly one tile, in its own encoding, is
 * answered with the bytes of the tile. Throws RefusedRequestError for a request above the limits.
 */
export async function makePicture(
  maker: PictureMaker,
  image: PublishedPyramid,
  plan: RegionPlan<PublishedLevel>,
  request: PictureRequest,
  client: () => AbortSignal,
): Promise<Uint8Array> {
  const tile = wholeTileOf(image, plan, request);
  const whole = tile && (await readWholeTile(image, tile, request.format));
  if (whole) return whole;
  assertFewTiles(plan, maker.settings.maxTiles);
  const { timeoutSeconds } = maker.settings;
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  const gone = client();
  const signal = AbortSignal.any([gone, limit]);
  try {
    return await maker.slots.run(() => derive(maker, image, plan, request, signal), signal);
  } catch (error) {
    if (gone.aborted) throw new RefusedRequestError(503, 'The client ended the request.', { cause: error });
    if (!limit.aborted && !isTimeout(error)) throw error;
    throw new DeadlineExceededError(`The image was not ready within ${timeoutSeconds} seconds.`, { cause: error });
  }
}

async function derive(
  { settings: { quality, timeoutSeconds, maxBytes } }: PictureMaker,
  image: PublishedPyramid,
  plan: RegionPlan<PublishedLevel>,
  request: PictureRequest,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const arena = new Arena();
  try {
    const picture = await readRegionPicture(image, plan, { signal }, arena);
    signal.throwIfAborted();
    const bytes = await encodeDerivative(picture, { ...request, encodingQuality: quality, timeoutSeconds });
    if (bytes.length <= maxBytes) return bytes;
    throw new RefusedRequestError(
      413,
      `The image has ${bytes.length} bytes, more than the ${maxBytes} that the server can send; ask for a smaller size or for jpg.`,
    );
  } finally {
    arena.release();
  }
}

function wholeTileOf(
  image: PublishedPyramid,
  plan: RegionPlan<PublishedLevel>,
  { mirrored, rotation, quality }: PictureRequest,
): TilePosition | undefined {
  const isUpright = !mirrored && rotation % 360 === 0;
  const isOwnQuality = quality === (image.isGrey ? 'gray' : 'color');
  return isUpright && isOwnQuality ? planWholeTile(image.header, plan) : undefined;
}

function assertFewTiles({ tiles: { across, down } }: RegionPlan<PublishedLevel>, maxTiles: number): void {
  if (across * down <= maxTiles) return;
  throw new RefusedRequestError(
    400,
    `The request needs ${across * down} tiles of the image, more than ${maxTiles}; ask for a smaller region, or a size in its proportions.`,
  );
}

/** libvips reports the end of its time as an error of this message. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout:');
}
