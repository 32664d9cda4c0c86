// Turns the notices that wait for it into one mail for each recipient, at the times of DIGEST_CRON: those of users who want it
// so, and those beyond what one recipient is sent in a minute. Each digest is written in one transaction with what it tells of.
import type { Database } from '../../db/database';
import { gatherHeld, listHeldRecipients } from '../../db/queries/digests';
import type { Waker } from '../../db/wake';
import { startLoop } from '../../lib/abort';
import { messageOf } from '../../lib/errors';
import type { Logger } from '../../lib/logger';
import { declare, runIfDue } from './schedule';

export interface DigestDeps {
  database: Database;
  waker: Waker;
  logger: Logger;
  cron: string;
}

const DIGESTS = 'digests';
const LOOK_MS = 5000;
const RECIPIENTS = 200;
/** Jobs that a digest names; the others are counted. */
const NAMED = 50;

export async function startDigests(deps: DigestDeps): Promise<{ stop(): Promise<void> }> {
  const db = deps.database.kysely;
  await declare(db, DIGESTS, deps.cron);
  return startLoop(
    LOOK_MS,
    async () => void (await runIfDue(db, DIGESTS, deps.cron, () => writeDigests(deps))),
    (error) => deps.logger.warn({ error: messageOf(error, 300) }, 'writing digests failed; it is tried again'),
  );
}

/** @returns how many digests were written. */
export async function writeDigests(deps: Pick<DigestDeps, 'database' | 'waker'>): Promise<number> {
  const db = deps.database.kysely;
  let written = 0;
  let after: string | null = null;
  do {
    const recipients = await listHeldRecipients(db, after, RECIPIENTS);
    for (const recipient of recipients) {
      const wrote = await db.transaction().execute((tx) => gatherHeld(tx, recipient, NAMED));
      if (wrote) written += 1;
    }
    after = recipients.length === RECIPIENTS ? (recipients.at(-1) ?? null) : null;
  } while (after !== null);
  if (written > 0) deps.waker.wake('gantry_notice');
  return written;
}
