// `gantry jobs list | show | errors | log`: what the server says of jobs, as tables, JSON or files.
import { createWriteStream, renameSync, rmSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import type { errorGroupDoc, JobDoc } from '../api/contract/jobShapes';
import type { ApiClient, Query } from './apiClient';
import { printable, printJson, printTable, say, withClient, type ClientOptions } from './clientCommand';
import { CliError } from './exitCodes';
import { countsOf, stateOf } from './jobView';

export interface ListOptions extends ClientOptions {
  scope?: string;
  group?: string;
  state?: string;
  kind?: string;
  owner?: string;
  q?: string;
  since?: string;
  until?: string;
  timeZone?: string;
  sort?: string;
  limit: number;
}

interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

const PAGE = 100;

/** Pages through until `limit` are there. */
export async function collect<T>(client: ApiClient, at: string, query: Query, limit: number): Promise<Page<T>> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const size = Math.min(PAGE, limit - items.length);
    const page: Page<T> = await client.get(at, { ...query, limit: size, cursor: cursor ?? undefined });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null && items.length < limit);
  return { items, nextCursor: cursor };
}

export function list(options: ListOptions): Promise<void> {
  const { server: _server, token: _token, json, limit, ...filter } = options;
  return withClient(options, async (client) => {
    const page = await collect<JobDoc>(client, '/jobs', { ...filter }, limit);
    if (json) return printJson(page);
    printTable(
      ['ID', 'STATE', 'KIND', 'TITLE', 'OWNER', 'CREATED', 'DONE', 'FAILED'],
      page.items.map((job) => [
        job.id,
        stateOf(job),
        job.kind,
        job.title,
        job.owner.email,
        job.createdAt,
        job.progress.total === null ? '' : `${job.progress.done}/${job.progress.total}`,
        String(job.errorCount),
      ]),
    );
    if (page.nextCursor !== null) say(`There are more than ${limit}: --limit shows more, filters show fewer.`);
  });
}

export function show(jobId: string, options: ClientOptions): Promise<void> {
  return withClient(options, async (client) => {
    const job = await client.get<JobDoc>(`/jobs/${encodeURIComponent(jobId)}`);
    if (options.json) return printJson(job);
    printFacts([
      ['id', job.id],
      ['title', job.title],
      ['kind', job.kind],
      ['state', stateOf(job)],
      ['waits for', job.waitingFor],
      ['run', String(job.run)],
      ['rows', countsOf(job)],
      ['owner', `${job.owner.name} <${job.owner.email}>`],
      ['host', job.host],
      ['parameters', JSON.stringify(job.params)],
      ['created', job.createdAt],
      ['started', job.startedAt],
      ['ended', job.finishedAt],
      ['kept until', job.purgeAt],
      ['error', job.error && `${job.error.code}: ${job.error.message}`],
      ['cancel reason', job.cancelReason],
      ['may be done', job.allowedActions.join(', ')],
    ]);
  });
}

function printFacts(facts: [string, string | null][]): void {
  for (const [name, value] of facts) if (value) console.log(`${name.padEnd(14)}${printable(value)}`);
}

export interface ErrorsOptions extends ClientOptions {
  run?: number;
  csv?: string;
  ndjson?: string;
}

/** Groups by cause, or the error file as it comes. */
export function errors(jobId: string, options: ErrorsOptions): Promise<void> {
  const at = `/jobs/${encodeURIComponent(jobId)}`;
  const { run } = options;
  return withClient(options, async (client) => {
    const file = options.csv ?? options.ndjson;
    if (file !== undefined) {
      const ending = options.csv === undefined ? 'ndjson' : 'csv';
      return keep(await client.open(`${at}/errors.${ending}`, { query: { run } }), file);
    }
    const groups = await client.get<Page<z.infer<typeof errorGroupDoc>>>(`${at}/errors/groups`, { run });
    if (options.json) return printJson(groups);
    if (groups.items.length === 0) return say('No row failed.');
    printTable(
      ['ROWS', 'FIRST', 'CODE', 'MESSAGE'],
      groups.items.map(({ count, firstRowIndex, code, message }) => [
        String(count),
        String(firstRowIndex),
        code,
        message,
      ]),
    );
    say(`The rows themselves, to be mended and sent again: gantry jobs errors ${jobId} --csv FILE`);
  });
}

export function log(jobId: string, options: ClientOptions & { run?: number }): Promise<void> {
  return withClient(options, async (client) => {
    const query = { run: options.run };
    const stream = await client.open(`/jobs/${encodeURIComponent(jobId)}/log`, { query });
    if (!options.json) return keep(stream, '-');
    let rest = '';
    const print = (line: string): void => (line ? printJson({ line }) : undefined);
    for await (const part of stream.setEncoding('utf8')) {
      const lines = (rest + String(part)).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(print);
    }
    print(rest);
  });
}

/** The file that the job made, such as an export. */
export function download(jobId: string, options: ClientOptions & { to: string }): Promise<void> {
  return withClient(options, async (client) =>
    keep(await client.open(`/jobs/${encodeURIComponent(jobId)}/file`), options.to),
  );
}

/** Half a file never stands under the wanted name. */
async function keep(stream: Readable, file: string): Promise<void> {
  if (file === '-') return pipeline(stream, process.stdout, { end: false });
  const partial = `${file}.partial`;
  try {
    await pipeline(stream, createWriteStream(partial));
    renameSync(partial, file);
  } catch (error) {
    rmSync(partial, { force: true });
    throw new CliError(`${file} was not written: ${(error as Error).message}`);
  }
  say(`Written: ${file}`);
}
