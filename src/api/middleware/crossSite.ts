// Browsers send cookies unasked, so a change asked for by cookie must come from our own pages.
import type { RequestHandler } from 'express';
import { GantryError } from '../../lib/errors';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @param origin of BASE_URL; requests by token pass, since no browser adds one by itself. */
export function refuseCrossSite(origin: string): RequestHandler {
  return (request, _response, next) => {
    if (SAFE.has(request.method) || request.headers.authorization !== undefined) return next();
    const site = request.headers['sec-fetch-site'];
    const from = request.headers.origin;
    const isOurs =
      site !== undefined
        ? site === 'same-origin'
        : from === origin || from === `${request.protocol}://${request.headers.host}`;
    if (isOurs) return next();
    next(
      new GantryError(
        'cross_site',
        'This request did not come from a page of this Gantry, so nothing was changed. Use the admin UI, or send a token.',
      ),
    );
  };
}
