// Carries out commands on sets in every worker process: small batches of each set in turn, so that a large one holds up no
// small one. Woken when one is asked for, polls besides for those whose time to undo runs out.
import type { Config } from '../config/config';
import type { Database } from '../db/database';
import { beginDueBulkActions, pruneBulkActions } from '../db/queries/bulkItems';
import type { Waker } from '../db/wake';
import { carryOutSome } from '../jobs/bulk/carryOut';
import type { Catalog } from '../jobs/catalog';
import { commandSettings, type CommandDeps } from '../jobs/commandDeps';
import { startLoop } from '../lib/abort';
import { messageOf } from '../lib/errors';
import type { Logger } from '../lib/logger';

export interface BulkActionDeps {
  database: Database;
  catalog: Catalog;
  waker: Waker;
  config: Config;
  logger: Logger;
}

const POLL_MS = 1000;
/** Sets that take turns. */
const SETS = 20;
/** Kept as long as jobs are, but long enough to be read. */
const MIN_KEEP_DAYS = 1;
const PRUNE_MS = 600_000;
const PRUNE_BATCH = 5000;

export function startBulkActions(deps: BulkActionDeps): { stop(): Promise<void> } {
  const { database, catalog, waker, config, logger } = deps;
  const commands: CommandDeps = { db: database.kysely, catalog, waker, settings: commandSettings(config) };
  const complain = (what: string) => (error: unknown) =>
    logger.warn({ error: messageOf(error, 500) }, `${what}; it is tried again`);
  const round = async (signal: AbortSignal): Promise<boolean> => {
    let more = false;
    for (const id of await beginDueBulkActions(database.kysely, SETS)) {
      if (signal.aborted) return false;
      more = (await carryOutSome(commands, id, config.leaseMs)) || more;
    }
    return more;
  };
  const loop = startLoop(POLL_MS, round, complain('a round of commands on sets failed'));
  const pruning = startLoop(
    PRUNE_MS,
    () => pruneBulkActions(database.kysely, Math.max(config.retention.days, MIN_KEEP_DAYS), PRUNE_BATCH),
    complain('forgetting commands on sets failed'),
  );
  const unlisten = database.listen('gantry_bulk', loop.wake);
  return {
    stop: async () => {
      unlisten();
      await Promise.all([loop.stop(), pruning.stop()]);
    },
  };
}
