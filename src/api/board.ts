// bull-board over our queues, for looking only. Who may look is decided before this router; here every write is refused.
// Its page is served under our Content-Security-Policy: nothing from other hosts, no inline styles.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Router, type Express, type RequestHandler } from 'express';
import { GantryError } from '../lib/errors';
import type { Queue } from '../queue/createQueue';

const UI_CONFIG = {
  boardTitle: 'Gantry queues',
  favIcon: { default: 'static/images/logo.svg', alternative: 'static/favicon-32x32.png' },
};
/** The one style that bull-board's own script puts into the page. */
const STYLE_HASH = "'sha256-r2N1TB/gHbBtBZFKg7ejmq1acVSREzucTAEw6ga4hoU='";
const CSP = 'Content-Security-Policy';

const refuseWrites: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  next(
    new GantryError(
      'method_not_allowed',
      'This board is for looking only; nothing was changed. Cancel, requeue and delete on the Background jobs page.',
    ),
  );
};

/**
 * bull-board finds its files and its API by a <base> of our own origin; without it, only its first page would load.
 * All else stays as strict as it is elsewhere.
 */
const adaptPolicy: RequestHandler = (_request, response, next) => {
  const policy = response.getHeader(CSP);
  if (typeof policy === 'string') {
    const adapted = policy
      .replace("base-uri 'none'", "base-uri 'self'")
      .replace('style-src ', `style-src ${STYLE_HASH} `);
    response.setHeader(CSP, adapted);
  }
  next();
};

/** Takes out what the policy would refuse anyway and a browser would complain of: foreign fonts and inline styles. */
function tidyPage(html: string): string {
  return html
    .replace(/<link[^>]+href="https?:[^>]*>/g, '')
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/ style="[^"]*"/g, '');
}

/** @param basePath where the router is mounted, such as `/admin/queues`. */
export function createBoard(queue: Queue, basePath: string): Router {
  const adapter = new ExpressAdapter();
  // bull-board brings an application of its own, which would tell what it is made with.
  const board = adapter.getRouter() as Express;
  board.disable('x-powered-by');
  adapter.setBasePath(basePath);
  adapter.setEntryRoute = ({ route, handler }) => {
    board.get(route, (_request, response, next) => {
      const page = handler({ basePath, uiConfig: UI_CONFIG });
      board.render(page.name, page.params, (error: Error | null, html: string) =>
        error ? next(error) : response.type('html').send(tidyPage(html)),
      );
    });
    return adapter;
  };
  createBullBoard({
    queues: queue.boardQueues().map((each) => new BullMQAdapter(each, { readOnlyMode: true })),
    serverAdapter: adapter,
    options: { uiConfig: UI_CONFIG },
  });
  const router = Router();
  router.use(refuseWrites, adaptPolicy, board);
  return router;
}
