/**
 * The layers of the stack: npm's options and the required files, beside each `nodejs/package.json`.
 */
export interface Layer {
  /** npm options that state the target platform. */
  readonly platform: readonly string[];
  /** Files below node_modules that functions load. A layer without one of them is incomplete. */
  readonly files: readonly string[];
}

export const layers = {
  /** sharp with libvips, for linux-arm64 with glibc. */
  libvips: {
    platform: ['--os=linux', '--cpu=arm64', '--libc=glibc'],
    // npm silently omits optional packages that do not match its platform options.
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
