/** One JSON object a line, a constant event name and fields. `JSON.stringify` escapes control characters, so a line stays one line. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log whose every line carries these fields too: set the correlation once, at the edge. */
  with(fields: LogFields): Log;
}

const levels = { info: 0, warn: 1, error: 2, silent: 3 } as const;
export type LogLevel = keyof typeof levels;

/** A log that hands every line (without its newline) at or above `level` to `write`. */
export function jsonLog(write: (line: string) => void, level: LogLevel = 'info', context: LogFields = {}): Log {
  const at =
    (lineLevel: Exclude<LogLevel, 'silent'>) =>
    (event: string, fields: LogFields = {}): void => {
      if (levels[lineLevel] >= levels[level]) {
        write(JSON.stringify({ level: lineLevel, event, ...context, ...fields }, errorsAsFields));
      }
    };
  return {
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    with: (fields) => jsonLog(write, level, { ...context, ...fields }),
  };
}

function errorsAsFields(_key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  return typeof value === 'bigint' ? value.toString() : value;
}
