// One HTTP call to the server, and the one error that a failed call throws. Called by client.ts alone.
// Never shows anything: what a person reads about an error is made in errorText.ts.
import { noteServerTime } from '../live/serverClock';

const BASE = '/api/v1';

export interface Problem {
  title?: string;
  status?: number;
  code?: string;
  detail?: string;
  fields?: { path: string; message: string }[];
  requestId?: string;
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly retryAfterS: number | null,
  ) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.name = 'ApiError';
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** The address of a call; parameters that are empty are left out, for the server refuses what it does not know. */
export function addressOf(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return `${BASE}${path}${text === '' ? '' : `?${text}`}`;
}

interface Options {
  query?: Query | undefined;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/** @throws ApiError for an answer that is no success, TypeError when the server could not be reached. */
export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  if (options.body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(options.body);
  }
  if (options.signal) init.signal = options.signal;
  const response = await fetch(addressOf(path, options.query), init);
  noteServerTime(response.headers.get('date'));
  if (response.ok) return response;
  throw errorOf(response.status, await response.text(), response.headers.get('retry-after'));
}

export async function request<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export function errorOf(status: number, text: string, retryAfter: string | null): ApiError {
  let problem: Problem = {};
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null) problem = parsed as Problem;
  } catch {
    // A proxy's page instead of a problem document: the status alone is told.
  }
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ApiError(status, problem, Number.isFinite(seconds) ? seconds : null);
}
