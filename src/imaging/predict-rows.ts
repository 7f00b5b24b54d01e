import { predictModule } from './predict-module.ts';

/**
 * Arguments: address of the first row, number of rows, stride, bytes of samples in a row, and bytes
 * in a pixel.
 */
type PredictRows = (at: number, rows: number, stride: number, length: number, step: number) => void;

/**
 * Exports of the WebAssembly module: the horizontal predictor (TIFF 6.0, section 14) on rows in the
 * module's memory, with SIMD.
 */
interface PredictExports {
  readonly memory: WebAssembly.Memory;
  readonly predict8: PredictRows;
  readonly predict16: PredictRows;
}

let loaded: PredictExports | undefined;

function load(): PredictExports {
  const module = new WebAssembly.Module(Buffer.from(predictModule, 'base64'));
  return new WebAssembly.Instance(module).exports as unknown as PredictExports;
}

const PAGE = 65_536;
/**
 * Size of a group of rows that is processed at a time, chosen to fit in the cache of a core. Bytes.
 */
const GROUP_BYTES = 256 * 1024;

/** Rows of a raster to copy into a tile: `length` bytes each, `stride` bytes apart. */
export interface SampleRows {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly stride: number;
  readonly length: number;
  readonly rows: number;
}

/**
 * Writes horizontally predicted rows to the start of `tile`, whose rows are `tileRow` bytes: the
 * samples of the first pixel, then each sample minus the sample of the same band to its left. The
 * rest of each row is zero, which decodes to repetitions of the last pixel. `step` is the size of a
 * pixel in bytes.
 */
export function predictRows(from: SampleRows, tile: Uint8Array, tileRow: number, step: number, bitDepth: number): void {
  loaded ??= load();
  const { memory, predict8, predict16 } = loaded;
  const group = Math.max(1, Math.floor(GROUP_BYTES / tileRow));
  const needed = group * tileRow;
  if (memory.buffer.byteLength < needed) memory.grow(Math.ceil((needed - memory.buffer.byteLength) / PAGE));
  const bytes = new Uint8Array(memory.buffer, 0, needed);
  const predict = bitDepth === 16 ? predict16 : predict8;
  for (let first = 0; first < from.rows; first += group) {
    const rows = Math.min(group, from.rows - first);
    if (from.length < tileRow) bytes.fill(0);
    for (let row = 0; row < rows; row++) {
      const at = from.offset + (first + row) * from.stride;
      bytes.set(from.bytes.subarray(at, at + from.length), row * tileRow);
    }
    predict(0, rows, tileRow, from.length, step);
    tile.set(bytes.subarray(0, rows * tileRow), first * tileRow);
  }
}
