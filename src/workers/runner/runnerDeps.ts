// What the runners need, handed in by workerService.
import type { Kysely } from 'kysely';
import type { DB } from '../../db/generated/database';
import type { Claimer } from '../../db/queries/claims';
import type { Waker } from '../../db/wake';
import type { Catalog } from '../../jobs/catalog';
import type { HandlerDeps } from '../../jobs/define';
import type { Logger } from '../../lib/logger';
import type { Isolates } from '../isolate/isolates';
import type { Holdings } from './holdings';

export interface RunnerDeps {
  db: Kysely<DB>;
  catalog: Catalog;
  handlerDeps: HandlerDeps;
  logger: Logger;
  waker: Waker;
  claimer: Claimer;
  holdings: Holdings;
  /** Processes of their own for work that runs alone; null within one. */
  isolates: Isolates | null;
  cancelGraceMs: number;
  retentionDays: number;
  /** Of the log of one run. */
  logLimitBytes: number;
  /** Work joins the traces of the requests that led to it. */
  isTracing?: boolean;
}
