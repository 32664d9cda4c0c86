// The one border where errors become answers: problem+json with a stable code. What is not known to us stays in our log.
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ERROR_STATUS, GantryError, type ErrorCode } from '../../lib/errors';
import { hideLinkToken } from '../../lib/approvalLink';
import { MAX_JSON_DEPTH } from '../../lib/jsonDepth';
import type { Logger } from '../../lib/logger';
import { isDenial, type DenialLog } from '../denials';
import { TOO_DEEP } from '../jsonBody';

const TITLES: Record<number, string> = {
  400: 'Not readable',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not there, or not yours',
  405: 'Not allowed here',
  409: 'The state forbids it',
  412: 'It changed meanwhile',
  413: 'Too large',
  415: 'Wrong type',
  422: 'Wrong content',
  429: 'Too many requests',
  500: 'Something broke',
  503: 'Not available now',
};

export const noSuchRoute: RequestHandler = (request, _response, next) => {
  next(
    new GantryError(
      'not_found',
      `There is nothing at ${request.method} ${request.path}. /api/docs lists what there is.`,
    ),
  );
};

/** Logged with who asked for what (ASVS 16.3). */
const DENIALS = new Set([401, 403, 429]);

export function problems(logger: Logger, denials: DenialLog): ErrorRequestHandler {
  // Express knows handlers of errors by their four parameters.
  return (thrown: unknown, request, response, _next) => {
    const error = asGantryError(thrown);
    // A client that went away in the middle of a file is no fault of ours.
    const isGone = response.destroyed || request.socket.destroyed;
    const about = {
      requestId: request.id,
      method: request.method,
      path: hideLinkToken(request.path),
      userId: request.caller?.user.id,
    };
    if (error.status >= 500 && !isGone) logger.error({ ...about, err: thrown }, 'a request failed');
    if (DENIALS.has(error.status))
      logger.warn({ ...about, address: request.ip, code: error.code }, 'a request was denied');
    if (isDenial(request, error)) denials.note(request, error);
    // Half an answer must not look like a whole one.
    if (response.headersSent || isGone) return void response.destroy();
    const { fields, retryAfterSeconds, more } = error.extras;
    if (retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(retryAfterSeconds));
    // What is left of a refused upload is not read: the connection cannot be used again.
    if (!request.readableEnded && request.method !== 'GET') response.setHeader('Connection', 'close');
    response
      .status(error.status)
      .type('application/problem+json')
      .send(
        JSON.stringify({
          type: `urn:gantry:problem:${error.code}`,
          title: TITLES[error.status] ?? 'Error',
          status: error.status,
          code: error.code,
          detail: error.message,
          ...(fields ? { fields } : {}),
          ...more,
          requestId: request.id,
        }),
      );
  };
}

/** Faults of the body parser, by their `type`. */
const PARSER: Record<string, [ErrorCode, string]> = {
  'entity.parse.failed': ['bad_request', 'The body is no readable JSON. Nothing was changed.'],
  'entity.too.large': [
    'too_large',
    'The body is too large. Send rows as an upload (multipart), which may be of any size up to the limit.',
  ],
  'encoding.unsupported': ['wrong_type', 'This content encoding is not taken.'],
  'charset.unsupported': ['wrong_type', 'JSON is taken in UTF-8 only.'],
  [TOO_DEEP]: ['bad_request', `The JSON is nested deeper than ${MAX_JSON_DEPTH} levels. Nothing was changed.`],
  'request.aborted': ['bad_request', 'The request broke off. Nothing was changed.'],
};

/** SQLSTATEs and socket errors that mean: the database is away, nothing was changed, try again. */
const AWAY = /^(57P0[123]|08...|53300|ECONNREFUSED|ECONNRESET|EPIPE)$/;

function asGantryError(thrown: unknown): GantryError {
  if (thrown instanceof GantryError) return thrown;
  const { type, code, status, message } = (thrown ?? {}) as {
    type?: string;
    code?: string;
    status?: number;
    message?: string;
  };
  const parser = type === undefined ? undefined : PARSER[type];
  if (parser) return new GantryError(parser[0], parser[1]);
  if (
    AWAY.test(code ?? '') ||
    /Connection terminated|timeout exceeded when trying to connect|Query read timeout/.test(message ?? '')
  ) {
    return new GantryError(
      'unavailable',
      'The database does not answer at the moment. What was accepted before is safe; try again shortly.',
      { retryAfterSeconds: 2, cause: thrown },
    );
  }
  const known = Object.keys(ERROR_STATUS).find((each) => ERROR_STATUS[each as ErrorCode] === status) as
    ErrorCode | undefined;
  if (known && status !== undefined && status < 500)
    return new GantryError(known, message ?? 'The request is not readable.');
  return new GantryError(
    'internal',
    'Something broke on our side. Nothing half done was kept; if it happens again, tell your operator the requestId.',
    { cause: thrown },
  );
}
