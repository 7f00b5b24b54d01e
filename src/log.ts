/**
 * Fields of a log line. A line is one JSON object; `JSON.stringify` escapes the control characters
 * in values.
 */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** A log that adds these fields to every line, such as the name of the execution. */
  with(fields: LogFields): Log;
}

const levels = { info: 0, warn: 1, error: 2, silent: 3 } as const;
export type LogLevel = keyof typeof levels;

/** A log that passes every line at or above `level` to `write`, without a line break. */
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
