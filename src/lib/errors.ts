// Every error a user may see has a stable code; the HTTP border turns it into problem+json (api/middleware/problem.ts).
// Say what is wrong, what is still true and what to do.
import { maskSecrets } from './secrets';

export interface FieldFault {
  path: string;
  message: string;
}

/** Status and meaning of each code. Codes are part of the contract and are never reused. */
export const ERROR_STATUS = {
  bad_request: 400,
  not_signed_in: 401,
  bad_credentials: 401,
  forbidden: 403,
  scope_missing: 403,
  cross_site: 403,
  not_found: 404,
  method_not_allowed: 405,
  job_state_forbids: 409,
  job_not_final: 409,
  not_pausable: 409,
  nothing_to_requeue: 409,
  idempotency_in_progress: 409,
  idempotency_mismatch: 409,
  already_exists: 409,
  in_use: 409,
  state_forbids: 409,
  set_changed: 409,
  version_moved: 412,
  too_large: 413,
  wrong_type: 415,
  invalid: 422,
  no_rows: 422,
  bad_upload: 422,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface ErrorExtras {
  fields?: FieldFault[];
  retryAfterSeconds?: number;
  /** More members of the problem document, such as `allowedActions` or `faults`. */
  more?: Record<string, unknown>;
  cause?: unknown;
}

export class GantryError extends Error {
  readonly status: number;
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly extras: ErrorExtras = {},
  ) {
    super(message, { cause: extras.cause });
    this.name = 'GantryError';
    this.status = ERROR_STATUS[code];
  }
}

export function notFound(what: string): GantryError {
  return new GantryError('not_found', `This ${what} does not exist, or it is not yours to see.`);
}

export function invalid(fields: FieldFault[]): GantryError {
  return new GantryError('invalid', 'Nothing was changed. Mend the fields named below and send it again.', { fields });
}

/** What a job's handler throws when a retry cannot help: the run ends as failed with this code and message. */
export class PermanentJobError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'PermanentJobError';
  }
}

/** What a handler throws to be run again later; no slot is held until then. */
export class RetryLaterError extends Error {
  constructor(
    readonly delayMs: number,
    message: string,
  ) {
    super(message);
    this.name = 'RetryLaterError';
  }
}

/** By name besides: a plug-in may have thrown the class of another copy of this package. */
export function isPermanent(thrown: unknown): thrown is PermanentJobError {
  return thrown instanceof PermanentJobError || (isNamed(thrown, 'PermanentJobError') && 'code' in thrown);
}

export function isRetryLater(thrown: unknown): thrown is RetryLaterError {
  return thrown instanceof RetryLaterError || (isNamed(thrown, 'RetryLaterError') && 'delayMs' in thrown);
}

function isNamed(thrown: unknown, name: string): thrown is Error {
  return thrown instanceof Error && thrown.name === name;
}

/** Of a text of megabytes only so much is looked at. */
const MAX_THROWN = 100_000;

/** A readable line of whatever was thrown: strings, nulls, huge stacks, and things that have no text at all. */
export function messageOf(thrown: unknown, limit = 10_000): string {
  let text: string;
  try {
    text = textOf(thrown);
  } catch {
    text = 'something was thrown that has no text';
  }
  return maskSecrets(cleanText(text.slice(0, MAX_THROWN))).slice(0, limit);
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return String(thrown.message || thrown.name);
  if (thrown === null || thrown === undefined || thrown === '')
    return `${JSON.stringify(thrown) ?? 'undefined'} was thrown`;
  if (typeof thrown === 'object') return JSON.stringify(thrown) ?? String(thrown);
  return String(thrown);
}

/** PostgreSQL text cannot hold U+0000, and lone surrogates are no characters: both are replaced. */
export function cleanText(text: string): string {
  return text.replace(/\u0000/g, '\uFFFD').toWellFormed();
}
