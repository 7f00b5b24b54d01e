/**
 * Deep Zoom from the same files: `ID.dzi` and `ID_files/LEVEL/COLUMN_ROW.FORMAT`
 * (https://learn.microsoft.com/previous-versions/windows/silverlight/dotnet-windows-silverlight/cc645077(v=vs.95)).
 */
import type { Context, Hono } from 'hono';
import type { PublishedPyramid } from '../../published/published-pyramid.ts';
import { planFromLevel } from '../../published/region-plan.ts';
import { segmentsAfter } from '../addresses.ts';
import { answer, etagOf, mediaTypes, needsCurrent } from '../answers.ts';
import type { DeliveryParts } from '../delivery.ts';
import { decodeIdentifier } from '../identifier.ts';
import { makePicture } from '../make-picture.ts';
import { RefusedRequestError } from '../refused.ts';
import { deepZoomTile, describeDeepZoom, parseTileName } from './geometry.ts';

const PREFIX = '/deepzoom/';
const DESCRIPTION = '.dzi';
const FILES = '_files';

export function addDeepZoomRoutes(app: Hono, parts: DeliveryParts): void {
  app.get(`${PREFIX}*`, (c) => {
    const segments = segmentsAfter(PREFIX, c.req.url);
    const last = segments.at(-1) ?? '';
    if (last.endsWith(DESCRIPTION))
      return answerDescription(c, parts, segments.join('/').slice(0, -DESCRIPTION.length));
    const files = segments.slice(0, -2).join('/');
    const [level = '', tile = ''] = segments.slice(-2);
    if (files.endsWith(FILES)) return answerTile(c, parts, files.slice(0, -FILES.length), level, tile);
    throw new RefusedRequestError(404, 'Deep Zoom has the paths ID.dzi and ID_files/LEVEL/COLUMN_ROW.jpg.');
  });
}

function answerDescription(c: Context, parts: DeliveryParts, encoded: string): Promise<Response> {
  const { settings } = parts;
  const grid = { tileSize: settings.deepZoomTileSize, overlap: settings.deepZoomOverlap };
  return parts.use(
    decodeIdentifier(encoded),
    (image) => {
      const description = describeDeepZoom(image, grid, 'jpg');
      return answer(c, {
        etag: etagOf(image.etag, description),
        headers: { 'Content-Type': 'application/xml; charset=utf-8', 'Cache-Control': settings.infoCaching },
        body: () => description,
      });
    },
    { current: true },
  );
}

function answerTile(c: Context, parts: DeliveryParts, encoded: string, level: string, name: string): Promise<Response> {
  const { settings } = parts;
  const grid = { tileSize: settings.deepZoomTileSize, overlap: settings.deepZoomOverlap };
  return parts.use(
    decodeIdentifier(encoded),
    (image) => {
      const position = parseTileName(level, name);
      const { factor, region, size } = deepZoomTile(image, grid, position);
      const { format } = position;
      return answer(c, {
        etag: etagOf(image.etag, `deepzoom ${level}/${name} ${JSON.stringify(grid)} ${settings.quality}`),
        headers: { 'Content-Type': mediaTypes[format], 'Cache-Control': settings.imageCaching },
        body: () =>
          makePicture(
            parts,
            image,
            planFromLevel(image.header, levelOf(image, factor), region, size),
            { size, mirrored: false, rotation: 0, quality: image.isGrey ? 'gray' : 'color', format },
            () => c.req.raw.signal,
          ),
      });
    },
    { current: needsCurrent(c) },
  );
}

/** The level that is halved as often as that of Deep Zoom, or the smallest one there is. */
function levelOf({ header: { levels } }: PublishedPyramid, factor: number): (typeof levels)[number] {
  return levels.findLast(({ index }) => 2 ** index <= factor) ?? levels[0];
}
