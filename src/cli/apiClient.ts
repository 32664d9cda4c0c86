// The command line's way to a server: the public HTTP API and a token, nothing of the program's inside.
// Refusals come out in the server's own words with its hints; a server that is away has an exit code of its own.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Agent, request, type Dispatcher } from 'undici';
import { pause } from '../lib/abort';
import { CliError, EXIT } from './exitCodes';

export interface ApiClient {
  server: string;
  get<T>(path: string, query?: Query): Promise<T>;
  send<T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown, headers?: Headers): Promise<T>;
  /** JSON that is already text, sent as it is. */
  sendText<T>(path: string, json: string, headers?: Headers): Promise<T>;
  /** A part `job` and a part `rows`, streamed: nothing is held in memory. */
  upload<T>(path: string, job: string, rows: Rows, headers?: Headers): Promise<T>;
  /** The body as it comes: files, and the event stream. */
  open(path: string, options?: { query?: Query; headers?: Headers; signal?: AbortSignal }): Promise<Readable>;
  close(): Promise<void>;
}

export type Query = Record<string, string | number | undefined>;
export type Headers = Record<string, string>;

export interface Rows {
  stream: Readable;
  contentType: 'text/csv' | 'application/x-ndjson';
}

interface Problem {
  title?: string;
  status?: number;
  code?: string;
  detail?: string;
  fields?: { path: string; message: string }[];
  faults?: { rowIndex?: number; line?: number; column?: string | number; message?: string }[];
  allowedActions?: string[];
  requestId?: string;
}

/** What the server said no to. */
export class RefusedError extends CliError {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | null,
  ) {
    super(message, status === 503 ? EXIT.unreachable : EXIT.refused);
    this.name = 'RefusedError';
  }
}

const HEADERS_TIMEOUT_MS = 60_000;
const TRIES = 3;
const MAX_WAIT_MS = 10_000;

export function createApiClient(options: { server: string; token: string | undefined }): ApiClient {
  const server = options.server.replace(/\/+$/, '');
  // An upload is answered when its last row was read, which takes as long as it takes.
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } });
  const base: Headers = options.token ? { authorization: `Bearer ${options.token}` } : {};

  const call = async (
    method: Dispatcher.HttpMethod,
    path: string,
    more: { query?: Query; headers?: Headers; body?: string | Readable; signal?: AbortSignal } = {},
  ): Promise<Readable> => {
    const url = `${server}/api/v1${path}${queryText(more.query)}`;
    for (let tries = 1; ; tries += 1) {
      const answer = await request(url, {
        dispatcher: agent,
        method,
        headers: { ...base, ...more.headers },
        body: more.body ?? null,
        headersTimeout: more.body instanceof Readable ? 0 : HEADERS_TIMEOUT_MS,
        signal: more.signal,
      }).catch((cause: Error) => {
        if (more.signal?.aborted) throw cause;
        throw unreachable(server, cause);
      });
      if (answer.statusCode < 300) return answer.body;
      const said = await text(answer.body).catch(() => '');
      const waitMs = Number(answer.headers['retry-after'] ?? 0) * 1000;
      // Reading again is harmless; whatever changes something is left to the caller.
      const mayRetry = method === 'GET' && (answer.statusCode === 429 || answer.statusCode === 503);
      if (!mayRetry || tries === TRIES || waitMs > MAX_WAIT_MS) throw refusal(answer.statusCode, said, options.token);
      await pause(Math.max(waitMs, 250), more.signal);
    }
  };
  const json = async <T>(answer: Promise<Readable>): Promise<T> => {
    const said = await text(await answer);
    return (said === '' ? null : JSON.parse(said)) as T;
  };
  const asJson = { 'content-type': 'application/json' };
  return {
    server,
    get: (path, query) => json(call('GET', path, { query })),
    send: (method, path, body, headers) =>
      json(
        call(
          method,
          path,
          body === undefined ? { headers } : { headers: { ...asJson, ...headers }, body: JSON.stringify(body) },
        ),
      ),
    sendText: (path, body, headers) => json(call('POST', path, { headers: { ...asJson, ...headers }, body })),
    upload: (path, job, rows, headers) => {
      const boundary = `gantry-${randomBytes(18).toString('hex')}`;
      return json(
        call('POST', path, {
          headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, ...headers },
          body: Readable.from(multipart(boundary, job, rows)),
        }),
      );
    },
    open: (path, more) => call('GET', path, more),
    close: () => agent.destroy(),
  };
}

async function* multipart(boundary: string, job: string, rows: Rows): AsyncGenerator<string | Buffer> {
  yield `--${boundary}\r\ncontent-disposition: form-data; name="job"\r\ncontent-type: application/json\r\n\r\n${job}\r\n`;
  yield `--${boundary}\r\ncontent-disposition: form-data; name="rows"; filename="rows"\r\ncontent-type: ${rows.contentType}\r\n\r\n`;
  yield* rows.stream as AsyncIterable<Buffer>;
  yield `\r\n--${boundary}--\r\n`;
}

function queryText(query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
  return search ? `?${search}` : '';
}

function unreachable(server: string, cause: Error & { code?: string }): CliError {
  const fromFile = cause.code === 'ENOENT' || cause.code === 'EISDIR' || cause.code === 'EACCES';
  if (fromFile) return new CliError(`The rows could not be read: ${cause.message}. No job was made.`, EXIT.usage);
  const why = cause.code ?? (cause.message || cause.name);
  return new CliError(
    `${server} does not answer (${why}). Is Gantry running there? --server URL or BASE_URL says where it is.`,
    EXIT.unreachable,
  );
}

function refusal(status: number, said: string, token: string | undefined): RefusedError {
  const problem = readProblem(said);
  const lines = [problem.detail ?? problem.title ?? `The server answered ${status}: ${said.slice(0, 500)}`];
  problem.fields?.forEach(({ path, message }) => lines.push(`  ${path}: ${message}`));
  problem.faults?.slice(0, 20).forEach((fault) => lines.push(`  ${placeOf(fault)}: ${fault.message ?? ''}`));
  if (problem.allowedActions) {
    const actions = problem.allowedActions.join(', ');
    lines.push(actions ? `  What may be done with it now: ${actions}` : '  Nothing may be done with it now.');
  }
  if (status === 401) {
    lines.push(
      token === undefined
        ? '  Give a token: GANTRY_TOKEN, or --token. `gantry token create --user E-MAIL` makes one on the server.'
        : '  The token given by --token or GANTRY_TOKEN is not known there, or has expired.',
    );
  }
  if (status >= 500 && problem.requestId) lines.push(`  requestId: ${problem.requestId}`);
  return new RefusedError(lines.join('\n'), status, problem.code ?? null);
}

function readProblem(said: string): Problem {
  try {
    const parsed: unknown = JSON.parse(said);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

function placeOf(fault: { rowIndex?: number; line?: number; column?: string | number }): string {
  const parts = [
    fault.rowIndex === undefined ? null : `row ${fault.rowIndex}`,
    fault.line === undefined ? null : `line ${fault.line}`,
    fault.column === undefined ? null : `column ${fault.column}`,
  ];
  return parts.filter(Boolean).join(', ') || 'rows';
}
