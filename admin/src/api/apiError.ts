// The one error that a refused call throws. Made by client.ts and uploadJob.ts, put into words by errorText.ts.

export interface Problem {
  title?: string;
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

/** `body` is what the answer held, parsed where it was JSON: a proxy's page instead of a problem tells only the status. */
export function apiErrorOf(status: number, body: unknown, retryAfter: string | null): ApiError {
  const problem = typeof body === 'object' && body !== null ? (body as Problem) : {};
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ApiError(status, problem, Number.isFinite(seconds) ? seconds : null);
}
