// Turns whatever a call threw into the words a person reads. The only place where a problem document becomes text.
import { ApiError } from './apiError';

export interface ErrorText {
  title: string;
  text: string;
  /** Named faults of single fields, for forms. */
  fields: { path: string; message: string }[];
  requestId: string | null;
}

const TITLES: Record<number, string> = {
  400: 'The server could not read the request',
  401: 'You are signed out',
  403: 'Not allowed',
  404: 'Not found',
  409: 'The state forbids this now',
  412: 'Somebody else changed it first',
  413: 'Too large',
  415: 'Wrong type of file',
  422: 'The content is not accepted',
  429: 'Too many requests',
  503: 'The server cannot work right now',
};

export function errorText(error: unknown): ErrorText {
  if (error instanceof ApiError) {
    const { status, problem, retryAfterS } = error;
    const later = retryAfterS === null ? '' : ` Try again in ${retryAfterS} s.`;
    const detail = problem.detail ?? problem.title ?? `The server answered ${status}.`;
    return {
      title: TITLES[status] ?? problem.title ?? 'The server failed',
      text: `${detail}${later}`,
      fields: problem.fields ?? [],
      requestId: problem.requestId ?? null,
    };
  }
  if (error instanceof TypeError) {
    return {
      title: 'The server cannot be reached',
      text: 'Jobs that were accepted go on. Check the connection, then try again.',
      fields: [],
      requestId: null,
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { title: 'Something went wrong', text, fields: [], requestId: null };
}

/** One line, for a toast. */
export function errorLine(error: unknown): string {
  const { title, text, fields } = errorText(error);
  const first = fields[0];
  return first ? `${title}: ${first.path} ${first.message}` : `${title}: ${text}`;
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}
