/**
 * Decoders in npm packages of their own, as WebAssembly. They are loaded when the first image needs
 * them and are part of no bundle: the WebAssembly must lie beside their code, and libheif (LGPL)
 * stays a library that anyone may replace.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { RejectedImageError } from '../errors.ts';

/**
 * The bundle of a Lambda function has no module URL. There Node searches beside the function and in
 * NODE_PATH, where layers are.
 */
function packageRequire(): NodeJS.Require {
  return createRequire(moduleUrl() ?? `${process.cwd()}/`);
}

function moduleUrl(): string | undefined {
  return import.meta.url;
}

/** The exports of a CommonJS package. */
export function loadPackage(name: string): unknown {
  return packageRequire()(name);
}

/** The WebAssembly of a decoder, with a limit on its memory. */
export interface BoundedWasm {
  /** The option by which Emscripten's loaders let their caller instantiate the module. */
  readonly instantiateWasm: (imports: WebAssembly.Imports, receive: Receive) => WebAssembly.Exports;
  /** Whether memory was refused, after which the decoder's output may lack parts. */
  readonly isFull: () => boolean;
}

type Receive = (instance: WebAssembly.Instance, module: WebAssembly.Module) => WebAssembly.Exports;

/**
 * The WebAssembly in a file of a package, compiled once per process. `heap`: size of its memory
 * beyond which it may not grow, as `heapBytes` returns it; absent: the 2 GiB for which each module
 * is built. `prepare` returns the module that is compiled.
 */
export async function boundedWasm(
  file: string,
  heap = Number.POSITIVE_INFINITY,
  prepare?: PrepareModule,
): Promise<BoundedWasm> {
  const module = await compiled(file, prepare);
  const largest = EMPTY_HEAP + (heap - EMPTY_HEAP) / HEAP_GROWTH;
  let memory: WebAssembly.Memory | undefined;
  let isFull = false;
  /**
   * Minified loaders give Emscripten's function emscripten_resize_heap no name. It is the one that
   * is called with a size larger than that of the memory, and returns whether it has grown.
   */
  const guarded = (grow: (size: number) => unknown) => (size: number) => {
    const isGrowth = memory !== undefined && size >>> 0 > memory.buffer.byteLength;
    if (!isGrowth) return grow(size);
    const grown = size >>> 0 <= largest ? grow(size) : false;
    if (grown === false || grown === 0 || grown === undefined) isFull = true;
    return grown;
  };
  return {
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(module, mapFunctions(imports, guarded));
      memory = Object.values(instance.exports).find(
        (each): each is WebAssembly.Memory => each instanceof WebAssembly.Memory,
      );
      return receive(instance, module);
    },
    isFull: () => isFull,
  };
}

/** Replaces the imported functions of one parameter. */
function mapFunctions(
  imports: WebAssembly.Imports,
  replace: (imported: (size: number) => unknown) => (size: number) => unknown,
): WebAssembly.Imports {
  const replaced = (value: unknown): unknown =>
    typeof value === 'function' && value.length === 1 ? replace(value as (size: number) => unknown) : value;
  return Object.fromEntries(
    Object.entries(imports).map(([space, values]) => [
      space,
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, replaced(value)])),
    ]),
  );
}

type PrepareModule = (module: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const modules = new Map<string, Promise<WebAssembly.Module>>();

function compiled(file: string, prepare: PrepareModule = (bytes) => bytes): Promise<WebAssembly.Module> {
  const module =
    modules.get(file) ?? readFile(packageRequire().resolve(file)).then((bytes) => WebAssembly.compile(prepare(bytes)));
  modules.set(file, module);
  return module;
}

/**
 * Runs a decoder that is loaded. A trap, an abort or a C++ exception is attributed to the image.
 * Throws RejectedImageError: OVER_BUDGET when the decoder's memory was full, whatever it returned,
 * else CORRUPT_PIXELS.
 */
export function runDecoder<Result>(name: string, wasm: Pick<BoundedWasm, 'isFull'>, work: () => Result): Result {
  try {
    const result = work();
    if (!wasm.isFull()) return result;
  } catch (error) {
    if (!wasm.isFull()) throw decoderFailure(name, error);
  }
  throw new RejectedImageError('OVER_BUDGET', `${name} needs more memory than it has`);
}

function decoderFailure(name: string, error: unknown): unknown {
  if (error instanceof RejectedImageError) return error;
  // A C++ exception arrives as a number, its address.
  const detail =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : 'a C++ exception';
  const isFull = /OOM|out of memory|cannot enlarge memory|bad_alloc/iu.test(detail);
  return new RejectedImageError(isFull ? 'OVER_BUDGET' : 'CORRUPT_PIXELS', `${name} failed: ${detail}`, {
    cause: error,
  });
}

/** A module's memory grows by a fifth more than is asked for. */
const HEAP_GROWTH = 1.2;
/**
 * Memory of a module with nothing in it: measured 52 MB (OpenJPEG), 17 MB (libheif), 19 MB
 * (PDFium). Bytes.
 */
const EMPTY_HEAP = 64 * 2 ** 20;

/** Size of a module's memory when `bytes` are allocated in it. Bytes. */
export function heapBytes(bytes: number): number {
  return EMPTY_HEAP + Math.ceil(bytes * HEAP_GROWTH);
}
