/** IPTC-IIM (IPTC, version 4.2): a sequence of datasets, each `1C record number length value`. */
import type { RangeReader } from '../bytes/range-reader.ts';
import { latin1 } from '../bytes/views.ts';
import { joinBytes, readExactly } from './bounded-reader.ts';
import { MAX_IPTC_BYTES, MAX_TEXTS } from './bounds.ts';
import type { MetadataFields } from './embedded-metadata.ts';
import { iptcFieldName } from './iptc-names.ts';
import { cleanText, decodeText } from './text.ts';
import { MalformedMetadataError, Warnings } from './warnings.ts';

const MARKER = 0x1c;
const ENVELOPE = 1;
const APPLICATION = 2;
const CODED_CHARACTER_SET = 90;
/** ISO 2022: what follows is UTF-8. */
const UTF8_ESCAPE = '\x1b%G';

/** Not texts: the record's version, previews, and what applications left of the camera and their own settings. */
const unkept: ReadonlySet<number> = new Set([0, 125, 200, 201, 202, 221, 225, 228, 231, 232, 255]);

export interface Iptc {
  readonly fields: MetadataFields;
  /** The kept datasets as they stood in the master, padding and previews left out. */
  readonly bytes: Uint8Array;
}

interface Dataset {
  readonly record: number;
  readonly number: number;
  readonly value: Uint8Array;
  /** Header and value. */
  readonly whole: Uint8Array;
}

/** Reads the datasets up to the first that is none. Undefined where none says anything, MalformedMetadataError where it is too long. */
export async function readIptc(reader: RangeReader, warnings: Warnings): Promise<Iptc | undefined> {
  if (reader.size > MAX_IPTC_BYTES) {
    throw new MalformedMetadataError(`Expected at most ${MAX_IPTC_BYTES} bytes but received ${reader.size}`);
  }
  const bytes = await readExactly(reader, 0, reader.size);
  const datasets = readDatasets(inFileOrder(bytes), warnings).filter(isKept);
  const isUtf8 = datasets.some(
    ({ record, number, value }) =>
      record === ENVELOPE && number === CODED_CHARACTER_SET && latin1(value).startsWith(UTF8_ESCAPE),
  );
  const fields = nameFields(datasets, isUtf8, warnings);
  if (Object.keys(fields).length === 0) return undefined;
  return { fields, bytes: joinBytes(datasets.map(({ whole }) => whole)) };
}

/** The datasets whose values pass; what they are coded in does not matter where only ASCII is looked for. */
export function filterIptc(bytes: Uint8Array, passes: (value: string) => boolean): Uint8Array {
  const kept = readDatasets(bytes, new Warnings()).filter(({ value }) => passes(latin1(value)));
  return joinBytes(kept.map(({ whole }) => whole));
}

function isKept({ record, number }: Dataset): boolean {
  return record === ENVELOPE || (record === APPLICATION && (number === 0 || !unkept.has(number)));
}

function readDatasets(bytes: Uint8Array, warnings: Warnings): Dataset[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const datasets: Dataset[] = [];
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === MARKER;) {
    const length = view.getUint16(at + 3);
    const end = at + 5 + length;
    // Bit 15 would announce a length of more than two bytes, for values larger than any text.
    if (length >= 0x8000 || end > bytes.length) {
      warnings.add(`IPTC: dataset ${bytes[at + 1] ?? 0}:${bytes[at + 2] ?? 0} ends past the record`);
      break;
    }
    datasets.push({
      record: bytes[at + 1] ?? 0,
      number: bytes[at + 2] ?? 0,
      value: bytes.subarray(at + 5, end),
      whole: bytes.subarray(at, end),
    });
    at = end;
  }
  return datasets;
}

function nameFields(datasets: readonly Dataset[], isUtf8: boolean, warnings: Warnings): MetadataFields {
  const texts = new Map<string, string[]>();
  for (const { record, number, value } of datasets) {
    const name = record === APPLICATION && !unkept.has(number) ? iptcFieldName(number) : undefined;
    if (name === undefined) continue;
    const text = cleanText(isUtf8 ? new TextDecoder().decode(value) : decodeText(value));
    const known = texts.get(name) ?? [];
    if (text === '' || known.length >= MAX_TEXTS) continue;
    texts.set(name, [...known, text]);
    if (known.length === MAX_TEXTS - 1) warnings.add(`IPTC: only ${MAX_TEXTS} of ${name} are kept`);
  }
  return Object.fromEntries([...texts].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]));
}

/** Some writers put the record into a TIFF as LONGs and turned each of them round. */
function inFileOrder(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === MARKER || bytes[3] !== MARKER) return bytes;
  const whole = bytes.length - (bytes.length % 4);
  return Uint8Array.from({ length: whole }, (_, index) => bytes[index - (index % 4) + 3 - (index % 4)] ?? 0);
}
