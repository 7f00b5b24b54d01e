import type { ConvertibleFormat } from '../pyramid/source-image.ts';

const signatures: readonly { format: ConvertibleFormat | 'eps'; at: number; bytes: string }[] = [
  { format: 'jp2', at: 0, bytes: '\0\0\0\x0cjP  \r\n\x87\n' },
  { format: 'jp2', at: 0, bytes: '\xff\x4f\xff\x51' },
  { format: 'gif', at: 0, bytes: 'GIF87a' },
  { format: 'gif', at: 0, bytes: 'GIF89a' },
  { format: 'eps', at: 0, bytes: '%!PS' },
  { format: 'eps', at: 0, bytes: '\xc5\xd0\xd3\xc6' },
];

/** Brands of images coded with HEVC (ISO/IEC 23008-12, annex B.4). */
const heicBrands = new Set(['heic', 'heix', 'heim', 'heis']);

/** DIB headers begin at byte 14 with their own length; text that begins with BM has none of these there. */
const dibHeaderLengths = new Set([12, 16, 40, 52, 56, 64, 108, 124]);

/**
 * The format that the first 512 bytes of a file announce; `eps` so that it can be refused by its name, undefined for all
 * others, JPEG, PNG, WebP and TIFF among them.
 */
export function formatOfMagic(magic: Uint8Array): ConvertibleFormat | 'eps' | undefined {
  const text = String.fromCharCode(...magic.subarray(0, 512));
  const signature = signatures.find(({ at, bytes }) => text.startsWith(bytes, at));
  if (signature) return signature.format;
  if (hasHeicBrand(text)) return 'heic';
  if (text.startsWith('BM') && dibHeaderLengths.has(text.charCodeAt(14))) return 'bmp';
  // PDFs may carry up to 1,024 bytes of something else in front (PDF 1.7, annex H.3.4.1); half of it is seen here.
  return text.includes('%PDF-') ? 'pdf' : undefined;
}

function hasHeicBrand(text: string): boolean {
  if (!text.startsWith('ftyp', 4)) return false;
  const length = Math.min(text.charCodeAt(2) * 256 + text.charCodeAt(3), text.length);
  for (let at = 8; at + 4 <= length; at += at === 8 ? 8 : 4) {
    if (heicBrands.has(text.slice(at, at + 4))) return true;
  }
  return false;
}
