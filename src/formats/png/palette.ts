/** Chunks before the pixels, PNG (ISO/IEC 15948) section 5. */
const SIGNATURE_BYTES = 8;

/** Whether the palette of a PNG holds greys only. Of a file whose palette is not within `head`, false. */
export function isGreyPalette(head: Uint8Array): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = SIGNATURE_BYTES; at + 8 <= head.length;) {
    const length = view.getUint32(at);
    const name = String.fromCharCode(...head.subarray(at + 4, at + 8));
    const data = head.subarray(at + 8, at + 8 + length);
    if (name === 'PLTE') return data.length === length && isGrey(data);
    if (name === 'IDAT') return false;
    at += 12 + length;
  }
  return false;
}

function isGrey(palette: Uint8Array): boolean {
  return palette.every((value, index) => value === palette[index - (index % 3)]);
}
