/**
 * FPDF_FILEACCESS (public/fpdfview.h): PDFium calls back for the parts of a file that it needs, so
 * that a page of a large document is rendered without reading all of it.
 */
import type { SyncReader } from '../../bytes/sync-reader.ts';
import { viewOf } from '../../bytes/views.ts';

export interface PdfiumMemory {
  readonly HEAPU8: Uint8Array;
  readonly wasmExports: {
    malloc(bytes: number): number;
    readonly __indirect_function_table: WebAssembly.Table;
  };
}

export interface FileAccess {
  /** Address of the structure. */
  readonly address: number;
  /** Throws the error that the reader threw, if it did: PDFium is only told that it failed. */
  readonly assertRead: () => void;
}

/**
 * A module that imports a function of four 32-bit integers that returns one, and exports it: only
 * exported functions can be entered in a table.
 */
const wrapper = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  // Type 0: four i32 to one.
  ...[0x01, 0x09, 0x01, 0x60, 0x04, 0x7f, 0x7f, 0x7f, 0x7f, 0x01, 0x7f],
  // Import "e" "f" of type 0.
  ...[0x02, 0x07, 0x01, 0x01, 0x65, 0x01, 0x66, 0x00, 0x00],
  // Export "f", function 0.
  ...[0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
]);

/** Makes the structure for `FPDF_LoadCustomDocument` in the module's memory. */
export function fileAccess(module: PdfiumMemory, reader: SyncReader): FileAccess {
  let failure: { readonly error: unknown } | undefined;
  const getBlock = (_: number, position: number, target: number, size: number): number => {
    try {
      const [offset, from, length] = [position >>> 0, target >>> 0, size >>> 0];
      return reader.readInto(module.HEAPU8.subarray(from, from + length), offset) === length ? 1 : 0;
    } catch (error) {
      failure ??= { error };
      return 0;
    }
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wrapper), { e: { f: getBlock } });
  const table = module.wasmExports.__indirect_function_table;
  const index = table.grow(1);
  table.set(index, exports['f']);
  // The length of the file, the function, and a parameter for it, of four bytes each.
  const address = module.wasmExports.malloc(12);
  const structure = viewOf(module.HEAPU8.subarray(address, address + 12));
  [reader.size, index, 0].forEach((value, at) => {
    structure.setUint32(4 * at, value, true);
  });
  return {
    address,
    assertRead() {
      if (failure) throw failure.error;
    },
  };
}
