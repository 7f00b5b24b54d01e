/** Reads IPTC-IIM 4.2 records: a sequence of datasets `1C record number length value`. */
import type { RangeReader } from '../bytes/range-reader.ts';
import { latin1 } from '../bytes/views.ts';
import { joinBytes, readExactly } from './bounded-reader.ts';
import { MAX_IPTC_BYTES, MAX_REPEATED_VALUES } from './bounds.ts';
import type { MetadataFields } from './embedded-metadata.ts';
import { iptcFieldName } from './iptc-names.ts';
import { cleanText, decodeText } from './text.ts';
import { MalformedMetadataError, Warnings } from './warnings.ts';

const MARKER = 0x1c;
const ENVELOPE = 1;
const APPLICATION = 2;
const CODED_CHARACTER_SET = 90;
/** Bit 15 of a length marks an extended length of more than two bytes, which no text needs. */
const EXTENDED = 0x8000;
/** ISO 2022 escape sequence that selects UTF-8. */
const UTF8_ESCAPE = '\x1b%G';

/** Datasets without text: record version, previews, private data of cameras and applications. */
const droppedDatasets: ReadonlySet<number> = new Set([0, 125, 200, 201, 202, 221, 225, 228, 231, 232, 255]);

export interface Iptc {
  readonly fields: MetadataFields;
  /** The kept datasets with the bytes of the master, without padding and previews. */
  readonly bytes: Uint8Array;
}

interface Dataset {
  readonly record: number;
  readonly number: number;
  readonly value: Uint8Array;
  /** Header and value. */
  readonly whole: Uint8Array;
}

/**
 * Reads datasets up to the first bytes that are not a dataset. Undefined if no dataset has a text.
 * Throws MalformedMetadataError for a record that is too long.
 */
export async function readIptc(reader: RangeReader, warnings: Warnings): Promise<Iptc | undefined> {
  if (reader.size > MAX_IPTC_BYTES) {
    throw new MalformedMetadataError(
      `Expected at most ${MAX_IPTC_BYTES} bytes for the IPTC record but received ${reader.size}`,
    );
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

/**
 * Keeps the datasets whose values pass, with their values as `redactText` returns them; a dataset
 * of which it returns undefined is left out. `passes` receives values decoded as Latin-1,
 * sufficient for ASCII patterns.
 */
export function redactIptc(
  bytes: Uint8Array,
  passes: (value: string) => boolean,
  redactText: (value: string) => string | undefined,
): Uint8Array {
  const kept = readDatasets(bytes, new Warnings()).filter(({ value }) => passes(latin1(value)));
  return joinBytes(kept.map((dataset) => redactedDataset(dataset, redactText)));
}

function redactedDataset(
  { record, number, value, whole }: Dataset,
  redactText: (value: string) => string | undefined,
): Uint8Array {
  const text = decodeText(value);
  const kept = redactText(text);
  if (kept === text) return whole;
  const isUtf8 = isEqual(new TextEncoder().encode(text), value);
  // A text that is not UTF-8 is Latin-1; a mark in it is ASCII.
  const rest = kept === undefined ? new Uint8Array() : Buffer.from(kept, isUtf8 ? 'utf8' : 'latin1');
  const isWritable = isUtf8 || latin1(rest) === kept;
  if (rest.length === 0 || rest.length >= EXTENDED || !isWritable) return new Uint8Array();
  return joinBytes([Uint8Array.of(MARKER, record, number, rest.length >> 8, rest.length & 0xff), rest]);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function isKept({ record, number }: Dataset): boolean {
  return record === ENVELOPE || (record === APPLICATION && (number === 0 || !droppedDatasets.has(number)));
}

function readDatasets(bytes: Uint8Array, warnings: Warnings): Dataset[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const datasets: Dataset[] = [];
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === MARKER;) {
    const length = view.getUint16(at + 3);
    const end = at + 5 + length;
    if (length >= EXTENDED || end > bytes.length) {
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
    const name = record === APPLICATION && !droppedDatasets.has(number) ? iptcFieldName(number) : undefined;
    if (name === undefined) continue;
    const text = cleanText(isUtf8 ? new TextDecoder().decode(value) : decodeText(value));
    const values = texts.get(name) ?? [];
    if (text === '' || values.length >= MAX_REPEATED_VALUES) continue;
    values.push(text);
    texts.set(name, values);
    if (values.length === MAX_REPEATED_VALUES) warnings.add(`IPTC: only ${MAX_REPEATED_VALUES} of ${name} are kept`);
  }
  return Object.fromEntries([...texts].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all]));
}

/** Restores the byte order of a record that was written to a TIFF as byte-swapped LONGs. */
function inFileOrder(bytes: Uint8Array): Uint8Array {
  if (bytes[0] === MARKER || bytes[3] !== MARKER) return bytes;
  const whole = bytes.length - (bytes.length % 4);
  return Uint8Array.from({ length: whole }, (_, index) => bytes[index - (index % 4) + 3 - (index % 4)] ?? 0);
}
