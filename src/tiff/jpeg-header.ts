/** The headers of a JPEG (ITU-T T.81, annex B) within a TIFF, from SOI to its first scan. */
import type { RangeReader } from '../bytes/range-reader.ts';
import { viewOf } from '../bytes/views.ts';

export interface JpegComponent {
  readonly id: number;
  /** Sampling factors. */
  readonly across: number;
  readonly down: number;
}

export interface JpegHeader {
  /** All segments from SOI to SOS, without that of the restart interval. */
  readonly bytes: Uint8Array;
  /** Position after SOS. Bytes. */
  readonly end: number;
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
  /** MCUs between restart markers; 0 without such markers. */
  readonly restartInterval: number;
  /** Adobe's marker, or the names of the components, state that colours are not transformed. */
  readonly isRgb: boolean;
}

/** Longest header that is read. Bytes. */
const MAX_HEADER_BYTES = 256 * 1024;

const Marker = { start: 0xd8, scan: 0xda, restartInterval: 0xdd, app14: 0xee } as const;

/** Frame headers: SOF0 to SOF15 but DHT, JPG and DAC. */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Reads the headers at `offset`; undefined where there are none up to a scan. */
export async function readJpegHeader(reader: RangeReader, offset: number): Promise<JpegHeader | undefined> {
  const view = viewOf(await reader.read(offset, MAX_HEADER_BYTES));
  if (view.byteLength < 4 || view.getUint16(0) !== 0xff00 + Marker.start) return undefined;
  const kept: Uint8Array[] = [Uint8Array.of(0xff, Marker.start)];
  let frame: Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined;
  let restartInterval = 0;
  let isRgb = false;
  for (let at = 2; at + 4 <= view.byteLength;) {
    const marker = view.getUint8(at + 1);
    if (view.getUint8(at) !== 0xff) return undefined;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    const end = at + 2 + view.getUint16(at + 2);
    if (end < at + 4 || end > view.byteLength) return undefined;
    const segment = new DataView(view.buffer, view.byteOffset + at + 4, end - at - 4);
    if (isFrame(marker)) frame = parseFrame(segment);
    if (marker === Marker.app14) isRgb ||= isUntransformed(segment);
    if (marker === Marker.restartInterval && segment.byteLength >= 2) restartInterval = segment.getUint16(0);
    else kept.push(new Uint8Array(view.buffer, view.byteOffset + at, end - at));
    if (marker === Marker.scan) {
      if (!frame) return undefined;
      const names = String.fromCharCode(...frame.components.map(({ id }) => id));
      return {
        ...frame,
        bytes: Uint8Array.from(Buffer.concat(kept)),
        end: offset + end,
        restartInterval,
        isRgb: isRgb || names === 'RGB',
      };
    }
    at = end;
  }
  return undefined;
}

function parseFrame(view: DataView): Pick<JpegHeader, 'width' | 'height' | 'components'> | undefined {
  if (view.byteLength < 6 || view.byteLength < 6 + 3 * view.getUint8(5)) return undefined;
  return {
    height: view.getUint16(1),
    width: view.getUint16(3),
    components: Array.from({ length: view.getUint8(5) }, (_, index) => {
      const sampling = view.getUint8(7 + 3 * index);
      return { id: view.getUint8(6 + 3 * index), across: sampling >> 4, down: sampling & 15 };
    }),
  };
}

/** Adobe's marker with transform 0 (Adobe Technical Note 5116). */
function isUntransformed(view: DataView): boolean {
  const name = 'Adobe';
  if (view.byteLength < 12 || view.getUint8(11) !== 0) return false;
  return Array.from(name).every((letter, at) => view.getUint8(at) === letter.charCodeAt(0));
}
