// What the runners need, handed in by workerService.
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import type { Claimer } from '../../db/queries/claims';
import type { Waker } from '../../db/wake';
import type { Catalog } from '../../jobs/catalog';
import type { HandlerDeps } from '../../jobs/define';
import type { Logger } from '../../lib/logger';
import type { Holdings } from './holdings';

export interface RunnerDeps {
  db: Kysely<DB>;
  catalog: Catalog;
  handlerDeps: HandlerDeps;
  logger: Logger;
  waker: Waker;
  claimer: Claimer;
  holdings: Holdings;
  cancelGraceMs: number;
  retentionDays: number;
}

/**
 * Workers that may die in a row with the same run or chunk in hand, without a commit in between, before it is taken for
 * poison. Generous, because a neighbour in the same process may have been the killer.
 */
export const MAX_CRASHES = 10;
