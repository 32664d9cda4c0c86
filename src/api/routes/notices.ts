// Notices and their delivery, suppressed addresses, alerts. Thin: find, command, present.
import { z } from 'zod';
import { listAlerts, type AlertRow } from '../../db/queries/alerts';
import { findNotice, listNotices, listNoticesOfJob, type NoticeRow } from '../../db/queries/noticeLists';
import { listSuppressions } from '../../db/queries/recipients';
import { liftSuppression, retryNotice } from '../../jobs/commands/noticeCommands';
import { notFound } from '../../lib/errors';
import { messageIdOf } from '../../notices/channels/email';
import type { AlertFigures, AlertKind } from '../../notices/payload';
import { tongueOf, type Tongue } from '../../notices/render';
import { alertWords } from '../../notices/templates/alert';
import { uuidCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/notices';
import { paged } from '../paged';
import { getVisibleJob } from './showJob';

const addressCursor = z.tuple([z.string().max(320).includes('@')]);

function presentNotice(row: NoticeRow, from: string): contract.NoticeDoc {
  const { id, kind, recipient, held, digestId, attempts, lastError } = row;
  return {
    ...{ id, kind, recipient, held, digestId, attempts, lastError },
    jobId: row.aboutJob ? row.jobId : null,
    run: row.aboutJob ? row.run : null,
    state: row.state,
    createdAt: row.createdAt.toISOString(),
    nextAttemptAt: row.nextAttemptAt?.toISOString() ?? null,
    sentAt: row.sentAt?.toISOString() ?? null,
    failure: row.failure as contract.NoticeDoc['failure'],
    messageId: messageIdOf(digestId ?? id, from),
  };
}

function presentAlert(row: AlertRow, tongue: Tongue) {
  const figures = JSON.parse(row.figures) as AlertFigures;
  return {
    id: row.id,
    kind: row.kind,
    state: row.closedAt ? ('over' as const) : ('open' as const),
    ...alertWords(row.kind as AlertKind, figures, tongue),
    figures: { ...figures },
    openedAt: row.openedAt.toISOString(),
    closedAt: row.closedAt?.toISOString() ?? null,
  };
}

export const noticeRoutes: Route[] = [
  implement(contract.listJobNotices, async ({ params, query, actor, deps }) => {
    await getVisibleJob(deps, actor, params.jobId);
    return paged(
      query,
      uuidCursor,
      ({ after, limit }) => listNoticesOfJob(deps.db, params.jobId, { after: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map((row) => presentNotice(row, deps.config.mail.from)),
    );
  }),
  implement(contract.listNotices, ({ query, deps }) =>
    paged(
      query,
      uuidCursor,
      ({ after, limit }) => listNotices(deps.db, { state: query.state ?? null, before: after?.[0] ?? null, limit }),
      (row) => [row.id],
      (rows) => rows.map((row) => presentNotice(row, deps.config.mail.from)),
    ),
  ),
  implement(contract.retryNotice, async ({ params, actor, deps }) => {
    await retryNotice(deps.commands, actor, params.noticeId);
    const row = await findNotice(deps.db, params.noticeId);
    if (!row) throw notFound('notice');
    return presentNotice(row, deps.config.mail.from);
  }),
  implement(contract.listSuppressions, ({ query, deps }) =>
    paged(
      query,
      addressCursor,
      ({ after, limit }) => listSuppressions(deps.db, { after: after?.[0] ?? null, limit }),
      (row) => [row.address],
      (rows) => rows.map((row) => ({ ...row, since: row.since.toISOString() })),
    ),
  ),
  implement(contract.liftSuppression, async ({ params, actor, deps }) => {
    await liftSuppression(deps.commands, actor, params.address);
    return undefined;
  }),
  implement(contract.listAlerts, ({ query, request, deps }) => {
    const tongue = tongueOf(request.caller?.user ?? { language: 'en', timeZone: 'UTC' });
    return paged(
      query,
      uuidCursor,
      ({ after, limit }) =>
        listAlerts(deps.db, {
          open: query.state === undefined ? null : query.state === 'open',
          after: after?.[0] ?? null,
          limit,
        }),
      (row) => [row.id],
      (rows) => rows.map((row) => presentAlert(row, tongue)),
    );
  }),
];
