// How often one may call: signed-in callers by token or user, all others by address.
import type { RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import { GantryError } from '../../lib/errors';

const MINUTE_MS = 60_000;
/** Anonymous calls of one address in a minute (api.md). */
const ANONYMOUS_PER_MINUTE = 60;
const AGENT_DOWNLOADS = '/api/v1/agent/artifacts/';

export function rateLimits(perMinute: number): RequestHandler {
  const limits = (limit: number, keyOf: (request: Parameters<RequestHandler>[0]) => string): RequestHandler =>
    rateLimit({
      windowMs: MINUTE_MS,
      limit,
      keyGenerator: keyOf,
      standardHeaders: 'draft-7',
      legacyHeaders: false,
      handler: (_request, response, next) => {
        const retryAfterSeconds = Number(response.getHeader('Retry-After') ?? 60);
        next(
          new GantryError(
            'too_many_requests',
            `More than ${limit} calls in a minute. Nothing was changed; go on in ${retryAfterSeconds} s.`,
            { retryAfterSeconds },
          ),
        );
      },
    });
  const signedIn = limits(perMinute, (request) => request.caller?.key ?? '');
  const anonymous = limits(ANONYMOUS_PER_MINUTE, (request) => ipKeyGenerator(request.ip ?? ''));
  // Agents prove themselves on each download by a signature; many of them may share an address.
  const agents = limits(perMinute, (request) => `agents:${ipKeyGenerator(request.ip ?? '')}`);
  return (request, response, next) => {
    const isDownload = request.originalUrl.startsWith(AGENT_DOWNLOADS);
    (request.caller ? signedIn : isDownload ? agents : anonymous)(request, response, next);
  };
}
