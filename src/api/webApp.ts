// The Express application: borders first, then the routes of the contract, then pages; every way out is a problem document.
import express, { type Express, type RequestHandler } from 'express';
import { GantryError } from '../lib/errors';
import { adminUi } from './adminUi';
import type { ApiDeps } from './apiDeps';
import { authenticate, demandScope, refuseWrongToken } from './auth/authenticate';
import { sessions } from './auth/sessions';
import { createBoard } from './board';
import { docsPage, openApiFile } from './docsPage';
import { refuseCrossSite } from './middleware/crossSite';
import { noSuchRoute, problems } from './middleware/problem';
import { rateLimits } from './middleware/rateLimits';
import { requestId } from './middleware/requestId';
import { noStore, securityHeaders } from './middleware/securityHeaders';
import { buildRouter } from './router';
import { allRoutes } from './routes/allRoutes';

const BOARD_PATH = '/admin/queues';

export function createWebApp(deps: ApiDeps, secretKey: string): Express {
  const { config, db } = deps;
  const origin = new URL(config.baseUrl).origin;
  const isSecure = origin.startsWith('https:');
  const app = express();
  app.disable('x-powered-by');
  app.set('query parser', 'simple');
  app.use(deps.metrics.observe, requestId, ...securityHeaders(isSecure));
  app.get('/', (_request, response) => response.redirect('/admin/'));
  const known: RequestHandler[] = [sessions({ db, secretKey, isSecure }), authenticate(db)];
  app.use(
    ['/api/v1', '/metrics', '/manage', '/inventory'],
    noStore,
    ...known,
    rateLimits(config.rateLimitPerMinute),
    refuseWrongToken,
    refuseCrossSite(origin),
  );
  app.use('/api/docs', docsPage());
  app.get('/api/openapi.json', openApiFile());
  app.use(buildRouter(allRoutes, deps));
  app.use(BOARD_PATH, noStore, ...known, superadminsOnly, createBoard(deps.queue, BOARD_PATH));
  app.use('/admin', adminUi());
  app.use(noSuchRoute, problems(deps.logger, deps.denials));
  return app;
}

const superadminsOnly: RequestHandler = (request, _response, next) => {
  if (request.caller) demandScope(request, 'admin');
  if (request.caller?.user.role === 'superadmin') return next();
  next(
    new GantryError(
      request.caller ? 'forbidden' : 'not_signed_in',
      'The queue board is for superadmins. Sign in at /admin/ as one.',
    ),
  );
};
