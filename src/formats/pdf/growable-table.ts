/**
 * The table of functions of a WebAssembly module (WebAssembly Core Specification, section 5.5.7).
 * Emscripten builds it as large as it needs and no larger, so that no function can be added.
 */

const MODULE_HEADER_BYTES = 8;
const TABLE_SECTION = 4;
const FUNCTION_REFERENCES = 0x70;
const WITH_MAXIMUM = 1;

/** A copy of a module with one table, which may have one function more than it is built for. */
export function withGrowableTable(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = Uint8Array.from(module);
  let at = MODULE_HEADER_BYTES;
  const number = (): number => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = copy[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < copy.length) {
    const section = number();
    const length = number();
    if (section !== TABLE_SECTION) {
      at += length;
      continue;
    }
    const isExpected = number() === 1 && number() === FUNCTION_REFERENCES && number() === WITH_MAXIMUM;
    number();
    const lowest = copy[at] ?? 0;
    // The seven lowest bits of the maximum; a carry would change its other bytes.
    if (!isExpected || (lowest & 0x7f) === 0x7f) break;
    copy[at] = lowest + 1;
    return copy;
  }
  throw new Error('Expected a WebAssembly module with one table of functions that has a maximum');
}
