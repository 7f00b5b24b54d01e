/**
 * HEVC still pictures with uncompressed samples: every coding unit is I_PCM (ITU-T H.265, section
 * 7.3.8.7), so a decoder must return exactly these samples. Writes parameter sets, one slice and
 * the part of CABAC that these need.
 */

export interface HevcPicture {
  /** Multiples of 16. Pixels. */
  readonly width: number;
  readonly height: number;
  /** 0 grey, 1 4:2:0, 3 4:4:4. */
  readonly chromaFormat: 0 | 1 | 3;
  readonly bits: number;
  /** Planes Y, Cb, Cr; chroma in its own size. */
  readonly planes: readonly ArrayLike<number>[];
}

export interface HevcStream {
  /** HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, section 8.3.3.1). */
  readonly configuration: Uint8Array;
  /** The slice, behind its length of four bytes. */
  readonly data: Uint8Array;
}

const BLOCK = 16;
const VPS = 32;
const SPS = 33;
const PPS = 34;
const IDR_W_RADL = 19;
const LEVEL_6_2 = 186;

class BitWriter {
  readonly #bits: number[] = [];

  /** `count` bits, highest first. */
  u(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit--) this.#bits.push(Math.floor(value / 2 ** bit) % 2);
    return this;
  }

  /** Exponential Golomb code, section 9.2. */
  ue(...values: readonly number[]): this {
    for (const value of values) {
      const length = Math.floor(Math.log2(value + 1));
      this.u(length, 0).u(length + 1, value + 1);
    }
    return this;
  }

  zeroAlign(): this {
    while (this.#bits.length % 8 !== 0) this.#bits.push(0);
    return this;
  }

  /** Rbsp_trailing_bits. */
  trailing(): this {
    return this.u(1, 1).zeroAlign();
  }

  bytes(): number[] {
    return Array.from({ length: this.#bits.length / 8 }, (_, byte) =>
      this.#bits.slice(8 * byte, 8 * byte + 8).reduce((value, bit) => 2 * value + bit, 0),
    );
  }
}

/**
 * NAL unit header, and 3 after two zeros wherever the payload could be taken for a start code
 * (section 7.3.1).
 */
function nalUnit(type: number, payload: readonly number[]): Uint8Array {
  const bytes = [type << 1, 1];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(bytes);
}

/** Format range extensions: any chroma format and depth. */
function profileTierLevel(writer: BitWriter): BitWriter {
  return writer.u(8, 4).u(32, 0x0800_0000).u(4, 0b1001).u(32, 0).u(12, 0).u(8, LEVEL_6_2);
}

function videoParameters(): number[] {
  const writer = new BitWriter().u(4, 0).u(2, 3).u(6, 0).u(3, 0).u(1, 1).u(16, 0xffff);
  return profileTierLevel(writer).u(1, 1).ue(0, 0, 0).u(6, 0).ue(0).u(1, 0).u(1, 0).trailing().bytes();
}

function sequenceParameters({ width, height, chromaFormat, bits }: HevcPicture): number[] {
  const writer = profileTierLevel(new BitWriter().u(4, 0).u(3, 0).u(1, 1)).ue(0, chromaFormat);
  if (chromaFormat === 3) writer.u(1, 0);
  writer
    .ue(width, height)
    .u(1, 0)
    .ue(bits - 8, bits - 8, 0);
  writer.u(1, 1).ue(0, 0, 0);
  // Coding blocks of 8 to 16, transform blocks of 4 to 8.
  writer.ue(0, 1, 0, 1, 0, 0);
  // No scaling lists, no asymmetric partitions, no sample adaptive offset; PCM of 8 to 16, not
  // filtered.
  writer
    .u(3, 0)
    .u(1, 1)
    .u(4, bits - 1)
    .u(4, bits - 1)
    .ue(0, 1)
    .u(1, 1);
  return writer.ue(0).u(5, 0).trailing().bytes();
}

function pictureParameters(): number[] {
  const writer = new BitWriter().ue(0, 0).u(7, 0).ue(0, 0).ue(0).u(3, 0).ue(0, 0).u(6, 0);
  // Filters across slices off; deblocking control present, not overridden, off.
  writer.u(1, 0).u(1, 1).u(1, 0).u(1, 1);
  return writer.u(2, 0).ue(0).u(2, 0).trailing().bytes();
}

/**
 * Table 9-46, the column of the highest range, for the states of a run of zeros: no others occur
 * here.
 */
const lessProbable = [
  240, 227, 216, 205, 195, 185, 175, 166, 158, 150, 142, 135, 128, 122, 116, 110, 104, 99, 94, 89, 85, 80, 76, 72, 69,
  65, 62, 59, 56, 53, 50, 48, 45, 43, 41, 39, 37, 35, 33, 31, 30, 28, 27, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15,
  14, 14, 13, 12, 12, 11, 11, 10, 9,
];

/**
 * The arithmetic encoder (section 9.3.4): one context, that of split_cu_flag, which is always 0.
 */
class Cabac {
  readonly #out: BitWriter;
  #low = 0;
  #range = 510;
  #outstanding = 0;
  #isFirst = true;
  #state = 0;

  constructor(out: BitWriter) {
    this.#out = out;
  }

  notSplit(): void {
    this.#range -= lessProbable[this.#state] ?? 0;
    this.#state = Math.min(62, this.#state + 1);
    this.#renormalize();
  }

  terminate(isEnd: boolean): void {
    this.#range -= 2;
    if (!isEnd) {
      this.#renormalize();
      return;
    }
    this.#low += this.#range;
    this.#range = 2;
    this.#renormalize();
    this.#put((this.#low >> 9) & 1);
    this.#out.u(2, ((this.#low >> 7) & 3) | 1).zeroAlign();
    this.#low = 0;
    this.#range = 510;
    this.#isFirst = true;
  }

  #renormalize(): void {
    while (this.#range < 256) {
      if (this.#low < 256) this.#put(0);
      else if (this.#low >= 512) {
        this.#low -= 512;
        this.#put(1);
      } else {
        this.#low -= 256;
        this.#outstanding++;
      }
      this.#range *= 2;
      this.#low *= 2;
    }
  }

  #put(bit: number): void {
    if (this.#isFirst) this.#isFirst = false;
    else this.#out.u(1, bit);
    for (; this.#outstanding > 0; this.#outstanding--) this.#out.u(1, 1 - bit);
  }
}

function slice(picture: HevcPicture): number[] {
  const { width, height, chromaFormat, bits, planes } = picture;
  // First slice, no output of prior pictures: no; parameter set 0, I slice, no difference in
  // quantization.
  const out = new BitWriter().u(1, 1).u(1, 0).ue(0, 2, 0).trailing();
  const cabac = new Cabac(out);
  const shift = chromaFormat === 1 ? 1 : 0;
  for (let top = 0; top < height; top += BLOCK) {
    for (let left = 0; left < width; left += BLOCK) {
      cabac.notSplit();
      // Pcm_flag.
      cabac.terminate(true);
      for (const [index, plane] of planes.entries()) {
        const down = index === 0 ? 0 : shift;
        for (let y = top >> down; y < (top + BLOCK) >> down; y++) {
          for (let x = left >> down; x < (left + BLOCK) >> down; x++) out.u(bits, plane[y * (width >> down) + x] ?? 0);
        }
      }
      // End_of_slice_segment_flag.
      cabac.terminate(top + BLOCK >= height && left + BLOCK >= width);
    }
  }
  return out.bytes();
}

export function encodeHevc(picture: HevcPicture): HevcStream {
  const { chromaFormat, bits } = picture;
  const sets: readonly (readonly [number, Uint8Array])[] = [
    [VPS, nalUnit(VPS, videoParameters())],
    [SPS, nalUnit(SPS, sequenceParameters(picture))],
    [PPS, nalUnit(PPS, pictureParameters())],
  ];
  const configuration = [
    ...[1, 4, 0x08, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, LEVEL_6_2, 0xf0, 0, 0xfc],
    ...[0xfc | chromaFormat, 0xf8 | (bits - 8), 0xf8 | (bits - 8), 0, 0, 0x0f, sets.length],
    ...sets.flatMap(([type, unit]) => [0x80 | type, 0, 1, unit.length >> 8, unit.length & 0xff, ...unit]),
  ];
  const unit = nalUnit(IDR_W_RADL, slice(picture));
  const data = new Uint8Array(4 + unit.length);
  new DataView(data.buffer).setUint32(0, unit.length);
  data.set(unit, 4);
  return { configuration: Uint8Array.from(configuration), data };
}
