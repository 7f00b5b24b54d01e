/** The subset of the WebAssembly API in use; TypeScript declares it in its DOM library only. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  interface Table {
    grow(entries: number): number;
    set(index: number, exported: unknown): void;
  }
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  type Exports = Readonly<Record<string, unknown>>;
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  interface Instance {
    readonly exports: Exports;
  }
  const Memory: new (descriptor: { initial: number; maximum?: number }) => Memory;
  const Module: new (bytes: Uint8Array) => Module;
  const Instance: new (module: Module, imports?: Imports) => Instance;
  function compile(bytes: Uint8Array): Promise<Module>;
}
