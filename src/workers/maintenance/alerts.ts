// Tells superadmins what is wrong with the installation, once an incident, and when it is over. Runs in workers and in web
// processes, so that it is told, too, that no worker is there; one process at a time looks, and what it finds is written with
// the mails about it in one transaction.
import type { Database, Tx } from '../../db/database';
import {
  closeAlert,
  countLiveWorkers,
  findWaiting,
  isWorking,
  listOpenAlerts,
  lockWatch,
  openAlert,
  owedSince,
  pruneAlerts,
  readMailTrouble,
  updateAlert,
  type AlertRow,
} from '../../db/queries/alerts';
import { databaseNow } from '../../db/queries/clock';
import { insertNotice } from '../../db/queries/endings';
import { insertChange } from '../../db/queries/events';
import { listAlertReaders } from '../../db/queries/recipients';
import type { Waker } from '../../db/wake';
import { startLoop } from '../../lib/abort';
import { messageOf } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Logger } from '../../lib/logger';
import type { AlertFigures, AlertKind, AlertPayload } from '../../notices/payload';
import { nextAfter } from './schedule';

export interface AlertDeps {
  database: Database;
  waker: Waker;
  logger: Logger;
  leaseMs: number;
  /** How long jobs wait, or mail fails three times as long, before it is told (ALERT_AFTER_MS). */
  afterMs: number;
  retentionCron: string;
}

const EVERY_MS = 15_000;
/** What waited while nothing ran gets this time to be taken up before anybody is told of it. */
const SETTLE_MS = 60_000;
/** Without any worker nothing will change by itself: told sooner. */
const NO_WORKER_MS = 60_000;
const KEEP_MS = 90 * 24 * 3_600_000;
/** So many refusals in a row are no single bad message. */
const MANY_REFUSED = 5;
const MANY_UNDELIVERED = 10;

export function startAlerts(deps: AlertDeps): { stop(): Promise<void> } {
  const startedAt = performance.now();
  const round = async (): Promise<void> => {
    if (performance.now() - startedAt >= Math.min(SETTLE_MS, deps.afterMs)) await watchOnce(deps);
  };
  return startLoop(Math.min(EVERY_MS, deps.afterMs), round, (error) =>
    deps.logger.warn({ error: messageOf(error, 300) }, 'looking for what is wrong failed'),
  );
}

/** One look at everything. */
export async function watchOnce(deps: AlertDeps): Promise<void> {
  const changed = await deps.database.kysely.transaction().execute(async (tx) => {
    if (!(await lockWatch(tx))) return false;
    const open = await listOpenAlerts(tx);
    const found = await look(tx, deps);
    const moved: AlertRow[] = [];
    for (const kind of Object.keys(found) as AlertKind[]) {
      const figures = found[kind];
      const alert = open.find((row) => row.kind === kind);
      if (figures && alert) await updateAlert(tx, alert.id, JSON.stringify(figures));
      const row =
        figures && !alert
          ? await openAlert(tx, newId(), kind, JSON.stringify(figures))
          : !figures && alert
            ? await closeAlert(tx, alert.id)
            : null;
      if (row) moved.push(row);
    }
    for (const row of moved) await tell(tx, row);
    await pruneAlerts(tx, KEEP_MS);
    for (const { kind, closedAt } of moved) deps.logger.warn({ alert: kind, over: closedAt !== null }, 'alert');
    return moved.length > 0;
  });
  if (!changed) return;
  deps.waker.wake('gantry_notice');
  deps.waker.wake('gantry_change');
}

/** Null: nothing is wrong. */
async function look(tx: Tx, deps: AlertDeps): Promise<Record<AlertKind, AlertFigures | null>> {
  const { afterMs } = deps;
  const hasWorker = (await countLiveWorkers(tx, deps.leaseMs)) > 0;
  const waiting = await findWaiting(tx, hasWorker ? afterMs : Math.min(afterMs, NO_WORKER_MS));
  const stalled = waiting && hasWorker && !(await isWorking(tx, afterMs));
  const mail = await readMailTrouble(tx, 3 * afterMs);
  const mailFails =
    (mail.undelivered > 0 && (mail.sent === 0 || mail.undelivered >= MANY_UNDELIVERED)) ||
    (mail.refused >= MANY_REFUSED && mail.sent === 0);
  return {
    'no-worker': hasWorker ? null : waiting,
    'queue-stalled': stalled ? waiting : null,
    'mail-failing': mailFails ? { undelivered: mail.undelivered, refused: mail.refused } : null,
    'retention-late': await lateRetention(tx, deps.retentionCron),
  };
}

/** Late is a run that is owed for a whole period: twice the period since the last one. */
async function lateRetention(tx: Tx, cron: string): Promise<AlertFigures | null> {
  const owed = await owedSince(tx, 'retention');
  if (!owed || nextAfter(cron, owed) > (await databaseNow(tx))) return null;
  return { owedSince: owed.toISOString() };
}

async function tell(tx: Tx, alert: AlertRow): Promise<void> {
  for (const { email, ...reader } of await listAlertReaders(tx)) {
    const payload: AlertPayload = {
      reader,
      alert: alert.kind as AlertKind,
      openedAt: alert.openedAt.toISOString(),
      closedAt: alert.closedAt?.toISOString() ?? null,
      figures: JSON.parse(alert.figures) as AlertFigures,
    };
    await insertNotice(tx, {
      id: newId(),
      jobId: alert.id,
      run: 1,
      kind: alert.closedAt ? 'alert-recovered' : 'alert',
      recipient: email,
      payload: JSON.stringify(payload),
    });
  }
  await insertChange(tx, 'alert', alert.id, null);
}
