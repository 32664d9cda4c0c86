// Browsers send cookies unasked, so a change asked for by cookie must come from our own pages.
import type { RequestHandler } from 'express';
import { AGENT_ENROL_PATH } from '../../lib/agentProtocol';
import { GantryError } from '../../lib/errors';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @param origin of BASE_URL; requests by token pass, since no browser adds one by itself. */
export function refuseCrossSite(origin: string): RequestHandler {
  return (request, _response, next) => {
    if (SAFE.has(request.method) || request.headers.authorization !== undefined) return next();
    // An agent is no browser and has a one-use token in the body; a page elsewhere that knew one could send it from anywhere.
    if (request.baseUrl + request.path === AGENT_ENROL_PATH) return next();
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
