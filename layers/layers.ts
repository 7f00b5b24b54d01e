/** The layers of the stack: what is in each of them beyond the versions of its `nodejs/package.json`. */
export interface Layer {
  /** What npm is told of the machine that it installs for. */
  readonly platform: readonly string[];
  /** What functions load, below node_modules: without one of these the layer is not whole. */
  readonly files: readonly string[];
}

export const layers = {
  /** sharp with libvips, for linux-arm64 with glibc. */
  libvips: {
    platform: ['--os=linux', '--cpu=arm64', '--libc=glibc'],
    // npm leaves optional packages out silently when it takes them for another machine's.
    files: ['@img/sharp-linux-arm64/package.json', '@img/sharp-libvips-linux-arm64/package.json'],
  },
  /** The decoders of src/formats: WebAssembly, for any machine. */
  decoders: {
    platform: [],
    files: [
      '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.js',
      '@cornerstonejs/codec-openjpeg/dist/openjpegwasm_decode.wasm',
      '@hyzyla/pdfium/dist/index.cjs',
      '@hyzyla/pdfium/dist/pdfium.wasm',
      'libheif-js/libheif-wasm/libheif.js',
      'libheif-js/libheif-wasm/libheif.wasm',
    ],
  },
} as const satisfies Record<string, Layer>;

export type LayerName = keyof typeof layers;

export const layerNames = Object.keys(layers) as LayerName[];
