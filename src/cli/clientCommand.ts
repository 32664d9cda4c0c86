// What every command that talks to a server has in common: its options, its client, and who writes where.
// Standard output carries what was asked for, standard error all that is said besides; with --json the former is JSON alone.
import type { Command } from 'commander';
import { clientSettings } from '../config/clientSettings';
import { createApiClient, type ApiClient } from './apiClient';
import { CliError, EXIT } from './exitCodes';

export interface ClientOptions {
  server?: string;
  token?: string;
  json?: boolean;
}

export function addClientOptions(command: Command): Command {
  return command
    .option('--server <url>', 'address of the server (default: BASE_URL, else http://HOST:PORT)')
    .option('--token <token>', 'API token (default: GANTRY_TOKEN, which no list of processes shows)')
    .option('--json', 'JSON on standard output, and nothing else there');
}

export async function withClient(options: ClientOptions, work: (client: ApiClient) => Promise<void>): Promise<void> {
  const settings = clientSettings();
  const server = options.server ?? settings.server;
  if (!/^https?:\/\/[^/]/.test(server)) {
    throw new CliError(`--server takes an address such as http://127.0.0.1:3000, not ${server}`, EXIT.usage);
  }
  // A reader that has had enough, such as `head`, is no fault.
  const stopReading = (error: NodeJS.ErrnoException): void => process.exit(error.code === 'EPIPE' ? 0 : EXIT.fault);
  process.stdout.on('error', stopReading);
  const client = createApiClient({ server, token: options.token ?? settings.token });
  try {
    await work(client);
  } finally {
    await client.close();
    process.stdout.off('error', stopReading);
  }
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value));
}

/** Words for whoever sits there; never for a script. */
export function say(text: string): void {
  console.error(text);
}

/** Columns as wide as they need to be; control characters of what others wrote do not reach the terminal. */
export function printTable(head: string[], rows: string[][]): void {
  const all = [head, ...rows].map((row) => row.map(printable));
  const widths = head.map((_, place) => Math.max(...all.map((row) => row[place]?.length ?? 0)));
  for (const row of all) {
    console.log(
      row
        .map((cell, place) => cell.padEnd(widths[place] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}

/** Numbers of options. @throws CliError with the option's name. */
export function wholeNumber(option: string, low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= low && value <= high)) {
      const range = high === Number.MAX_SAFE_INTEGER ? `from ${low} on` : `from ${low} to ${high}`;
      throw new CliError(`${option} takes a whole number ${range}, not ${JSON.stringify(text)}`, EXIT.usage);
    }
    return value;
  };
}

export function oneOf<T extends string>(option: string, values: readonly T[]): (text: string) => T {
  return (text) => {
    const found = values.find((value) => value === text);
    if (found === undefined) throw new CliError(`${option} takes ${values.join(', ')}, not ${text}`, EXIT.usage);
    return found;
  };
}
