// Makes the router from the routes: each request is checked against its declaration, its caller against the access, and only
// then handed to the handler. Nothing is mounted that is not declared.
import { Router, type Request, type RequestHandler } from 'express';
import type { ZodType } from 'zod';
import { findBadText } from '../jobs/badText';
import { GantryError, type FieldFault } from '../lib/errors';
import { inSpan } from '../lib/tracing';
import type { ApiDeps } from './apiDeps';
import { actorOf, demandScope } from './auth/authenticate';
import type { Route } from './contract/endpoint';
import { scopeOf } from './contract/scopes';
import { jsonBody } from './jsonBody';

export const API_ROOT = '/api/v1';

export function buildRouter(routes: Route[], deps: ApiDeps): Router {
  const router = Router({ caseSensitive: true, strict: false });
  const readJson = jsonBody();
  for (const route of routes) {
    const { endpoint } = route;
    const handlers: RequestHandler[] = [guard(endpoint)];
    if (endpoint.body) handlers.push(demandJson, readJson);
    router[endpoint.method](fullPath(route), ...handlers, serve(route, deps));
  }
  return router;
}

export function fullPath(route: Pick<Route, 'endpoint'>): string {
  return route.endpoint.root ? route.endpoint.path : API_ROOT + route.endpoint.path;
}

function guard(endpoint: Route['endpoint']): RequestHandler {
  const { access } = endpoint;
  const scope = scopeOf(endpoint);
  return (request, _response, next) => {
    if (access === 'anonymous') return next();
    const actor = actorOf(request);
    if (scope !== null) demandScope(request, scope);
    if (access === 'signedIn' || access.includes(actor.role)) return next();
    throw new GantryError(
      'forbidden',
      `Your role (${actor.role.replace('_', ' ')}) may not do this; nothing was changed. Ask a superadmin.`,
    );
  };
}

const demandJson: RequestHandler = (request, _response, next) => {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && !request.is('application/json'))
    throw new GantryError('wrong_type', 'This call takes JSON: send Content-Type: application/json.');
  next();
};

function serve(route: Route, deps: ApiDeps): RequestHandler {
  const { endpoint } = route;
  return async (request, response) => {
    const faults: FieldFault[] = [];
    const params = check(endpoint.params, request.params, '', faults);
    // A malformed id names nothing that exists.
    if (faults.length > 0)
      throw new GantryError('not_found', 'There is nothing under this address, or it is not yours to see.');
    const query = check(endpoint.query, request.query, '', faults);
    const body = endpoint.body
      ? check(endpoint.body, (request as { body?: unknown }).body ?? {}, '', faults)
      : undefined;
    if (faults.length > 0)
      throw new GantryError('invalid', 'Nothing was changed. Mend the fields named below and send it again.', {
        fields: faults,
      });
    const call = {
      params,
      query,
      body,
      request,
      response,
      deps,
      actor: endpoint.access === 'anonymous' ? undefined : actorOf(request),
    };
    const answer = await traced(route, request, () => route.handle(call as never));
    if (response.headersSent || response.writableEnded) return;
    response.status(endpoint.status);
    if (answer === undefined) response.end();
    else response.json(answer);
  };
}

function traced<T>(route: Route, request: Request, handle: () => Promise<T>): Promise<T> {
  const { traceparent } = request.headers;
  const attributes = {
    'http.route': fullPath(route),
    'http.request.method': request.method,
    'gantry.request.id': request.id,
  };
  const parent = typeof traceparent === 'string' ? traceparent : null;
  return inSpan(`${request.method} ${fullPath(route)}`, { kind: 'server', attributes, parent }, handle);
}

const BAD_TEXT = 'holds U+0000 or half of a surrogate pair';

function check(schema: ZodType, value: unknown, prefix: string, faults: FieldFault[]): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    const badText = findBadText(parsed.data, '');
    if (badText !== null) faults.push({ path: prefix + badText.slice(1), message: BAD_TEXT });
    return parsed.data;
  }
  for (const issue of parsed.error.issues) {
    const keys = 'keys' in issue && Array.isArray(issue.keys) ? issue.keys : [undefined];
    for (const key of keys) {
      const path = [...issue.path, ...(key === undefined ? [] : [key])].map(String).join('.');
      faults.push({ path: prefix + path, message: key === undefined ? issue.message : 'is not known here' });
    }
  }
  return undefined;
}

/** `If-Match` carries the version that the caller read. */
export function versionOf(request: Request): number {
  const version = Number(/^"?(\d{1,9})"?$/.exec(request.headers['if-match'] ?? '')?.[1] ?? NaN);
  if (Number.isInteger(version)) return version;
  throw new GantryError(
    'invalid',
    'Say which version you changed, so that nobody else is overwritten: If-Match: "<version>".',
    { fields: [{ path: 'If-Match', message: 'takes the version of the document that was read' }] },
  );
}
