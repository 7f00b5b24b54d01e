import { FieldType, Photometric, Tag } from './tags.ts';

/**
 * Sets PhotometricInterpretation to RGB in the directory of a slice of three samples, so that
 * decoders return the samples as stored, without colour conversion. The slice must have the field;
 * every accepted master does.
 */
export function relabelAsRgb(slice: Uint8Array): void {
  const view = new DataView(slice.buffer, slice.byteOffset, slice.byteLength);
  const little = view.getUint16(0, true) === 0x4949;
  const isBig = view.getUint16(2, little) === 43;
  const directory = isBig ? Number(view.getBigUint64(8, little)) : view.getUint32(4, little);
  const fields = isBig ? Number(view.getBigUint64(directory, little)) : view.getUint16(directory, little);
  const [first, step, value] = isBig ? [directory + 8, 20, 12] : [directory + 2, 12, 8];
  for (let field = 0; field < fields; field++) {
    const at = first + field * step;
    if (view.getUint16(at, little) !== Tag.PhotometricInterpretation) continue;
    view.setUint16(at + 2, FieldType.SHORT, little);
    view.setUint16(at + value, Photometric.rgb, little);
  }
}
