// bull-board over our queues, for looking only. Who may look is decided before this router; here every write is refused.
import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { ExpressAdapter } from '@bull-board/express';
import { Router, type Express, type RequestHandler } from 'express';
import { GantryError } from '../lib/errors';
import type { Queue } from '../queue/createQueue';

const refuseWrites: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next();
  next(
    new GantryError(
      'method_not_allowed',
      'This board is for looking only; nothing was changed. Cancel, requeue and delete on the Background jobs page.',
    ),
  );
};

/** @param basePath where the router is mounted, such as `/admin/queues`. */
export function createBoard(queue: Queue, basePath: string): Router {
  const adapter = new ExpressAdapter();
  adapter.setBasePath(basePath);
  createBullBoard({
    queues: queue.boardQueues().map((each) => new BullMQAdapter(each, { readOnlyMode: true })),
    serverAdapter: adapter,
  });
  const router = Router();
  // bull-board brings an application of its own, which would tell what it is made with.
  const board = adapter.getRouter() as Express;
  board.disable('x-powered-by');
  router.use(refuseWrites, board);
  return router;
}
