// `gantry jobs start` and `preview`: sends a job with its rows from a file or standard input, streamed.
import { createReadStream, statSync } from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import type { JobDoc } from '../api/contract/jobShapes';
import type { ApiClient, Headers, Rows } from './apiClient';
import { printJson, printTable, say, withClient, type ClientOptions } from './clientCommand';
import { CliError, EXIT } from './exitCodes';
import { jsonTextOf } from './textArgument';
import { watchJob } from './watchJob';

export interface StartOptions extends ClientOptions {
  kind: string;
  title?: string;
  params?: string;
  rows?: string;
  format?: 'csv' | 'ndjson';
  trial?: number;
  maxFailed?: number;
  maxFailedPercent?: number;
  atLimit?: 'pause' | 'fail';
  priority?: number;
  runAt?: string;
  /** False: --no-mail. */
  mail?: boolean;
  mailTo?: string;
  idempotencyKey?: string;
  watch?: boolean;
}

export function start(options: StartOptions): Promise<void> {
  return withClient(options, async (client) => {
    const headers: Headers = options.idempotencyKey ? { 'idempotency-key': options.idempotencyKey } : {};
    const job = await send<JobDoc>(client, '/jobs', options, headers);
    if (options.watch) {
      say(`Started ${job.id}.`);
      return watchJob(client, job.id, options);
    }
    if (options.json) printJson(job);
    else console.log(job.id);
    say(`Follow it: gantry jobs watch ${job.id}`);
  });
}

interface Preview {
  total: number | null;
  judged: number;
  judgedBy: string;
  wouldSucceed: number;
  wouldSkip: number;
  wouldFail: number;
  rows: {
    rowIndex: number;
    before: unknown;
    after: unknown;
    skipped: boolean;
    refusal: { code: string; message: string } | null;
  }[];
}

export function preview(options: StartOptions): Promise<void> {
  return withClient(options, async (client) => {
    const answer = await send<Preview>(client, '/jobs/preview', options, {});
    if (options.json) return printJson(answer);
    const { total, judged, judgedBy, wouldSucceed, wouldSkip, wouldFail } = answer;
    say(`${judged} of ${total ?? '?'} rows judged by ${judgedBy}; nothing was changed.`);
    say(`They would: succeed ${wouldSucceed}, be skipped ${wouldSkip}, fail ${wouldFail}`);
    printTable(
      ['row', 'before', 'after', ''],
      answer.rows.map((row) => [
        String(row.rowIndex),
        row.before === null ? '' : JSON.stringify(row.before),
        row.after === null ? '' : JSON.stringify(row.after),
        row.refusal ? `${row.refusal.code}: ${row.refusal.message}` : row.skipped ? 'unchanged' : '',
      ]),
    );
  });
}

function send<T>(client: ApiClient, at: string, options: StartOptions, headers: Headers): Promise<T> {
  const job = jobText(options);
  return options.rows === undefined
    ? client.sendText<T>(at, job, headers)
    : client.upload<T>(at, job, openRows(options.rows, options.format), headers);
}

/** Parameters are put in as the text they are. */
function jobText(options: StartOptions): string {
  const params = options.params === undefined ? '{}' : jsonTextOf('--params', options.params);
  const hasLimits = options.maxFailed !== undefined || options.maxFailedPercent !== undefined;
  if (options.atLimit && !hasLimits) {
    throw new CliError('--at-limit needs --max-failed or --max-failed-percent', EXIT.usage);
  }
  const rest = JSON.stringify({
    kind: options.kind,
    title: options.title,
    trial: options.trial,
    limits: hasLimits
      ? { maxFailed: options.maxFailed, maxFailedPercent: options.maxFailedPercent, then: options.atLimit }
      : undefined,
    priority: options.priority,
    runAt: options.runAt,
    notify:
      options.mail === false || options.mailTo !== undefined
        ? { email: options.mail !== false, to: options.mailTo }
        : undefined,
  });
  return `${rest.slice(0, -1)},"params":${params}}`;
}

function openRows(file: string, format: 'csv' | 'ndjson' | undefined): Rows {
  const byName = /\.(ndjson|jsonl)$/i.test(file) ? 'ndjson' : /\.(csv|tsv|txt)$/i.test(file) ? 'csv' : undefined;
  const wanted = format ?? byName ?? (file === '-' ? 'csv' : undefined);
  if (!wanted) {
    throw new CliError(`--format csv or --format ndjson has to say what ${path.basename(file)} is`, EXIT.usage);
  }
  const contentType = wanted === 'csv' ? 'text/csv' : 'application/x-ndjson';
  if (file === '-') return { stream: process.stdin, contentType };
  try {
    if (!statSync(file).isFile() && !statSync(file).isFIFO()) throw new Error(`${file} is no file`);
  } catch (error) {
    throw new CliError(`--rows could not be read: ${(error as Error).message}. No job was made.`, EXIT.usage);
  }
  return { stream: createReadStream(file, { highWaterMark: 256 * 1024 }) as Readable, contentType };
}
