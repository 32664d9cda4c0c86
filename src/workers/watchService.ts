// What goes on in every process of Gantry, workers or not: notices are sent, and superadmins are told of what is wrong.
// Started by workerService.ts, and by app.ts for a web service alone, so that it is told, too, when no worker is left.
// A web service alone sends only by a mail server that it was given: else it would write files where nobody looks.
import path from 'node:path';
import type { Config } from '../config/config';
import type { Database } from '../db/database';
import type { Waker } from '../db/wake';
import type { ApprovalLinks } from '../lib/approvalLink';
import type { Logger } from '../lib/logger';
import { createEmailChannel } from '../notices/channels/email';
import { startNotices } from './dispatcher/sendNotices';
import { startAlerts } from './maintenance/alerts';

export interface WatchDeps {
  database: Database;
  waker: Waker;
  config: Config;
  logger: Logger;
  approvalLinks: ApprovalLinks;
  isWorker: boolean;
  /** Tests make the first waits short. */
  noticeFirstDelayMs?: number | undefined;
}

export function startWatch(deps: WatchDeps): { stop(): Promise<void> } {
  const { config, database, logger, waker } = deps;
  const sends = deps.isWorker || config.mail.smtpUrl !== undefined;
  const notices = sends
    ? startNotices({
        database,
        channel: createEmailChannel({ ...config.mail, folder: path.join(config.dataDir, 'mail') }),
        baseUrl: config.baseUrl,
        approvalLinks: deps.approvalLinks,
        logger,
        firstDelayMs: deps.noticeFirstDelayMs,
      })
    : null;
  const alerts = startAlerts({
    database,
    waker,
    logger,
    leaseMs: config.leaseMs,
    afterMs: config.alertAfterMs,
    retentionCron: config.retention.cron,
  });
  return { stop: async () => void (await Promise.all([notices?.stop(), alerts.stop()])) };
}
