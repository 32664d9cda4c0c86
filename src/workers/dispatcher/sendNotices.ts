// Sends the notices that are due: any number of processes may do it, each notice is claimed under a lease.
// What a channel says decides: sent, later with a growing wait for 72 hours, refused for good, or sent once more when it may
// have been delivered.
import type { Database } from '../../db/database';
import {
  claimNotices,
  delayNotice,
  markNoticeEnded,
  markNoticeSent,
  renewNotices,
  type ClaimedNotice,
} from '../../db/queries/notices';
import { suppressAddress } from '../../db/queries/recipients';
import { withRetry } from '../../db/retry';
import { startLoop, waitAtMost } from '../../lib/abort';
import { exhaustive } from '../../lib/exhaustive';
import { messageOf } from '../../lib/errors';
import type { ApprovalLinks } from '../../lib/approvalLink';
import type { Logger } from '../../lib/logger';
import type { Delivery, NoticeChannel } from '../../notices/define';
import { writeNotice } from '../../notices/catalog';

export interface NoticeDeps {
  database: Database;
  channel: NoticeChannel;
  baseUrl: string;
  approvalLinks: ApprovalLinks;
  logger: Logger;
  /** Tests make the first waits short. */
  firstDelayMs?: number;
}

const POLL_MS = 2000;
const BATCH = 10;
/** Renewed while a message is on its way, since a server may take minutes after the final dot. */
const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** A message in hand may end by itself at a stop; then it is left to its lease. */
const STOP_MS = 3000;
/** The first retry is quick, for a sink that restarts; then the waits triple up to an hour. */
const FIRST_DELAY_MS = 5000;
const MAX_DELAY_MS = 3_600_000;
const GIVE_UP_MS = 72 * 3_600_000;

export function startNotices(deps: NoticeDeps): { stop(): Promise<void> } {
  const { database, logger } = deps;
  const round = async (): Promise<boolean> => {
    const claimed = await claimNotices(database.kysely, BATCH, LEASE_MS);
    const renewing = setInterval(() => {
      renewNotices(database.kysely, claimed, LEASE_MS).catch(() => undefined);
    }, RENEW_MS);
    try {
      await Promise.all(claimed.map((notice) => handle(deps, notice)));
    } finally {
      clearInterval(renewing);
    }
    return claimed.length === BATCH;
  };
  const loop = startLoop(POLL_MS, round, (error) =>
    logger.warn({ error: messageOf(error, 300) }, 'sending notices failed'),
  );
  const unlisten = database.listen('gantry_notice', loop.wake);
  return {
    stop: async () => {
      unlisten();
      await waitAtMost(loop.stop(), STOP_MS);
      deps.channel.close();
    },
  };
}

async function handle(deps: NoticeDeps, notice: ClaimedNotice): Promise<void> {
  const db = deps.database.kysely;
  const delivery = await deliver(deps, notice);
  await withRetry(async () => {
    switch (delivery.type) {
      case 'sent':
        return markNoticeSent(db, notice);
      case 'refused':
        if (delivery.addressIsGone) await suppressAddress(db, notice.recipient, delivery.error);
        return markNoticeEnded(db, notice, 'failed', notice.suppressed ? 'suppressed' : 'permanent', delivery.error);
      case 'ambiguous':
        // Once more under the same Message-ID; then a person may look.
        return notice.ambiguous
          ? markNoticeEnded(db, notice, 'unknown', 'temporary', delivery.error)
          : delayNotice(db, notice, delayOf(deps, notice), delivery.error, true);
      case 'later':
        return notice.ageMs > GIVE_UP_MS
          ? markNoticeEnded(db, notice, 'failed', 'temporary', `given up after 72 hours: ${delivery.error}`)
          : delayNotice(db, notice, delayOf(deps, notice), delivery.error, false);
      default:
        return exhaustive(delivery);
    }
  });
  if (delivery.type !== 'sent') {
    deps.logger.warn({ noticeId: notice.id, jobId: notice.jobId, ...delivery }, 'a notice was not delivered');
  }
}

async function deliver(deps: NoticeDeps, notice: ClaimedNotice): Promise<Delivery> {
  if (notice.suppressed) return { type: 'refused', error: `nothing is sent to this address: ${notice.suppressed}` };
  let message;
  try {
    const { readerName, ...rendered } = writeNotice(notice.kind, notice.payload, deps);
    message = { id: notice.id, recipient: { name: readerName, address: notice.recipient }, ...rendered };
  } catch (error) {
    return { type: 'refused', error: `the notice could not be written: ${messageOf(error, 300)}` };
  }
  return deps.channel.send(message);
}

function delayOf(deps: NoticeDeps, notice: ClaimedNotice): number {
  const first = deps.firstDelayMs ?? FIRST_DELAY_MS;
  return Math.min(first * 3 ** (notice.attempts - 1), MAX_DELAY_MS) * (1 + Math.random() / 10);
}
