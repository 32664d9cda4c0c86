// Browsers send cookies unasked, so a change asked for by cookie must come from our own pages; and so must a sign-in.
import type { RequestHandler } from 'express';
import { GantryError } from '../../lib/errors';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const SIGN_IN = '/api/v1/session';

/** As the router sees it: without the query and a slash at the end. */
function pathOf(url: string): string {
  return (url.split('?')[0] ?? '').replace(/\/$/, '');
}

/** @param origin of BASE_URL. Tokens and agents' signatures pass, since no browser adds them by itself. */
export function refuseCrossSite(origin: string): RequestHandler {
  return (request, _response, next) => {
    const isByCookie = request.caller?.by === 'session' || pathOf(request.originalUrl) === SIGN_IN;
    if (SAFE.has(request.method) || !isByCookie) return next();
    const site = request.headers['sec-fetch-site'];
    const from = request.headers.origin;
    const here = `${request.protocol}://${request.headers.host}`;
    if (site !== undefined ? site === 'same-origin' : from === origin || from === here) return next();
    next(
      new GantryError(
        'cross_site',
        'This request did not come from a page of this Gantry, so nothing was changed. Use the admin UI, or send a token.',
      ),
    );
  };
}
