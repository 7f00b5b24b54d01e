import { MalformedTiffError } from '../../errors.ts';
import type { ChunkCoding } from '../../tiff/packed-chunks.ts';

/**
 * Undoes horizontal differencing (predictor 2; TIFF 6.0, section 14) or that of floating point
 * (predictor 3; Adobe Photoshop TIFF Technical Note 3) in decompressed rows. Throws
 * MalformedTiffError for samples that the predictor is not defined for.
 */
export function undoPredictor(rows: Uint8Array, coding: ChunkCoding): void {
  const { predictor, bits, samples, width, mapping, ycc } = coding;
  if (predictor === 1) return;
  if (ycc && ycc.across * ycc.down > 1) {
    throw new MalformedTiffError(`Expected subsampled YCbCr without predictor but received predictor ${predictor}`);
  }
  const isFloat = mapping?.format === 'float';
  const isDefined = predictor === 2 ? [8, 16, 32].includes(bits) : predictor === 3 && isFloat;
  if (!isDefined)
    throw new MalformedTiffError(`Expected samples without predictor ${predictor} but received ${bits} bits`);
  const rowBytes = (width * samples * bits) / 8;
  for (let start = 0; start + rowBytes <= rows.length; start += rowBytes) {
    const row = rows.subarray(start, start + rowBytes);
    if (predictor === 2) addDifferences(row, coding);
    else mergeBytes(row, coding);
  }
}

function addDifferences(row: Uint8Array, { bits, samples, littleEndian }: ChunkCoding): void {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const left = (samples * bits) / 8;
  for (let at = left; at < row.length; at += bits / 8) {
    if (bits === 8) row[at] = (row[at] ?? 0) + (row[at - left] ?? 0);
    else if (bits === 16) {
      view.setUint16(at, view.getUint16(at, littleEndian) + view.getUint16(at - left, littleEndian), littleEndian);
    } else {
      view.setUint32(at, view.getUint32(at, littleEndian) + view.getUint32(at - left, littleEndian), littleEndian);
    }
  }
}

/**
 * A row holds the highest bytes of all samples, then the next ones, and so on; each byte is the
 * difference to the one a pixel before it.
 */
function mergeBytes(row: Uint8Array, { bits, samples, littleEndian }: ChunkCoding): void {
  for (let at = samples; at < row.length; at++) row[at] = (row[at] ?? 0) + (row[at - samples] ?? 0);
  const planes = row.slice();
  const step = bits / 8;
  const count = row.length / step;
  for (let sample = 0; sample < count; sample++) {
    for (let byte = 0; byte < step; byte++) {
      row[sample * step + (littleEndian ? step - 1 - byte : byte)] = planes[byte * count + sample] ?? 0;
    }
  }
}
