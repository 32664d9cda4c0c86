// One JSON line per event. Every room gets its logger handed in; nobody prints by itself.
import pino, { type Logger } from 'pino';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level: string;
  name?: string;
}

/** Logs to standard error, so that standard output stays free for what a command answers. */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level,
      name: options.name,
      redact: ['password', 'token', 'secret', '*.password', '*.token', '*.secret'],
    },
    pino.destination(2),
  );
}
