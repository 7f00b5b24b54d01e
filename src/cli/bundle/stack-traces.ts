/**
 * Included at the beginning of every program of the bundle: stack traces name the files and lines
 * of the sources. The source map is read when the first stack trace is needed, and not at every
 * start, as `--enable-source-maps` would.
 */
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

let map: SourceMap | undefined;

function sourcePosition(generated: string, line: string, column: string): string {
  map ??= new SourceMap(JSON.parse(readFileSync(`${__filename}.map`, 'utf8')) as SourceMap['payload']);
  const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
  if (!('originalSource' in entry)) return generated;
  const source = pathToFileURL(path.resolve(__dirname, entry.originalSource)).href;
  return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
}

function sourceFrame(frame: { toString(): string }): string {
  const text = frame.toString();
  const start = text.indexOf(`${__filename}:`);
  const position = start < 0 ? null : /^:(\d+):(\d+)/u.exec(text.slice(start + __filename.length));
  if (position === null) return text;
  const [{ length }, line = '', column = ''] = position;
  const end = start + __filename.length + length;
  try {
    return text.slice(0, start) + sourcePosition(text.slice(start, end), line, column) + text.slice(end);
  } catch {
    // Without the map, the position in the bundle is the best there is.
    return text;
  }
}

Error.prepareStackTrace = (error, frames) =>
  [Error.prototype.toString.call(error), ...frames.map((frame) => `    at ${sourceFrame(frame)}`)].join('\n');
