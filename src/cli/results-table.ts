/** One row of the table of results. */
export interface ResultRow {
  readonly name: string;
  readonly pixels: string;
  readonly levels: string;
  readonly bytesIn: string;
  readonly bytesOut: string;
  readonly time: string;
  readonly outcome: string;
  readonly path: string;
}

const columns: readonly { title: string; of: (row: ResultRow) => string; right?: boolean }[] = [
  { title: 'name', of: (row) => row.name },
  { title: 'pixels', of: (row) => row.pixels, right: true },
  { title: 'levels', of: (row) => row.levels, right: true },
  { title: 'in', of: (row) => row.bytesIn, right: true },
  { title: 'out', of: (row) => row.bytesOut, right: true },
  { title: 'time', of: (row) => row.time, right: true },
  { title: 'outcome', of: (row) => row.outcome },
  { title: 'path', of: (row) => row.path },
];

/** Formats rows under column titles. Control characters are escaped. Ends with a line feed. */
export function formatTable(rows: readonly ResultRow[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ of }) => printable(of(row))))];
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => (line[column] ?? '').length)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) =>
        columns[column]?.right ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
  return `${lines.join('\n')}\n`;
}

/** Escapes control characters, so that file names cannot send terminal control sequences. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** Formats as `184 MB`: three significant digits, decimal units. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  // Round before choosing the unit: 999,999 bytes are 1.00 MB, not 1000 kB.
  const rounded = Number(bytes.toPrecision(3));
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, rounded)) / 3));
  return `${threeDigits(rounded / 1000 ** power, power === 0)} ${units[power] ?? 'B'}`;
}

/** Formats as `9,600 × 6,400`. */
export function formatPixels(size: { width: number; height: number }): string {
  return `${groupThousands(size.width)} × ${groupThousands(size.height)}`;
}

/** By a regular expression: loading the locale data of `toLocaleString` takes 20 ms. */
function groupThousands(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/gu, ',');
}

/** Formats as `4.2 s` or `3 min 5 s`. */
export function formatTime(ms: number): string {
  const tenths = Math.round(ms / 100);
  if (tenths < 600) return `${(tenths / 10).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

function threeDigits(value: number, whole: boolean): string {
  if (whole || value >= 100) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
