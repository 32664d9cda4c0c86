// One JSON line per event. Every room gets its logger handed in; nobody prints by itself.
import pino, { type Logger } from 'pino';
import { maskSecrets } from './secrets';

export type { Logger } from 'pino';

export interface LoggerOptions {
  level: string;
  name?: string;
}

const SECRET_FIELDS = ['password', 'token', 'secret', 'secretKey', 'apiKey', 'authorization', 'cookie'];

/** Logs to standard error, so that standard output stays free for what a command answers. */
export function createLogger(
  options: LoggerOptions,
  destination: pino.DestinationStream = pino.destination(2),
): Logger {
  return pino(
    {
      level: options.level,
      name: options.name,
      redact: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
      // The last thing before a line is written: fields that hold a secret under another name, and messages, are caught too.
      hooks: { streamWrite: maskSecrets },
    },
    destination,
  );
}
