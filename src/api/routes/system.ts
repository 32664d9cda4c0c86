// Workers, audit, the event stream, health and figures.
import type { Request, Response } from 'express';
import { listAudit } from '../../db/queries/audit';
import { databaseNow } from '../../db/queries/clock';
import { readFigures } from '../../db/queries/figures';
import { listWorkers } from '../../db/queries/workers';
import { GantryError } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import { decodeCursor, encodeCursor } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/system';
import { metricsText } from '../presenters/metrics';
import { serveStream } from '../stream';
import { badCursor } from './jobs';

const CHECK_MS = 3000;

export const systemRoutes: Route[] = [
  implement(contract.listWorkers, async ({ query, deps }) => {
    const cursor = decodeCursor(query.cursor, 2);
    if (query.cursor !== undefined && !cursor) throw badCursor();
    const after = cursor ? { heartbeatAt: new Date(String(cursor[0])), id: String(cursor[1]) } : undefined;
    const rows = await listWorkers(deps.db, { after, limit: query.limit + 1 });
    const now = (await databaseNow(deps.db)).getTime();
    const items = rows.slice(0, query.limit).map((row) => ({
      ...row,
      state: (row.state !== 'stopped' && now - row.heartbeatAt.getTime() > deps.config.leaseMs
        ? 'unreachable'
        : row.state) as 'connected',
      startedAt: row.startedAt.toISOString(),
      heartbeatAt: row.heartbeatAt.toISOString(),
    }));
    const last = rows.length > query.limit ? rows[query.limit - 1] : undefined;
    return { items, nextCursor: last ? encodeCursor([last.heartbeatAt.toISOString(), last.id]) : null };
  }),
  implement(contract.listAudit, async ({ query, deps }) => {
    const { cursor: text, limit, ...filter } = query;
    const cursor = decodeCursor(text, 1);
    if (text !== undefined && !cursor) throw badCursor();
    const rows = await listAudit(deps.db, { ...filter, before: cursor ? Number(cursor[0]) : null, limit });
    const parse = (json: string | null): unknown => (json === null ? null : JSON.parse(json));
    const items = rows.map(({ actorId, actorName, at, before, after, ...row }) => ({
      ...row,
      at: at.toISOString(),
      actor: { id: actorId, name: actorName },
      before: parse(before),
      after: parse(after),
    }));
    return { items, nextCursor: rows.length === limit ? encodeCursor([rows[rows.length - 1]?.id]) : null };
  }),
  implement(contract.streamEvents, ({ actor, deps, request, response }) => serveStream(deps, actor, request, response)),
  implement(contract.getHealth, () => Promise.resolve({ status: 'ok' as const, checks: { process: 'ok' } })),
  implement(contract.getReadiness, async ({ deps, response }) => {
    const checks = { database: await tell(() => databaseNow(deps.db)), queue: await tell(() => deps.queue.ping()) };
    const isReady = Object.values(checks).every((check) => check === 'ok');
    if (!isReady) response.status(503).setHeader('Retry-After', '2');
    const document = { status: isReady ? ('ok' as const) : ('unavailable' as const), checks };
    if (isReady) return document;
    response.json(document);
    return undefined;
  }),
  implement(contract.getMetrics, async ({ deps, request, response }) => {
    requireMetricsReader(request);
    await sendMetrics(deps, response);
  }),
];

async function tell(ask: () => Promise<unknown>): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), CHECK_MS);
  });
  try {
    await Promise.race([ask(), late]);
    return 'ok';
  } catch {
    return 'does not answer';
  } finally {
    clearTimeout(timer);
  }
}

/** A proxy in front makes every address look like loopback: then the header tells, and only a token opens. */
function requireMetricsReader(request: Request): void {
  const address = request.socket.remoteAddress ?? '';
  const isLoopback = /^(127\.|::1$|::ffff:127\.)/.test(address) && request.headers['x-forwarded-for'] === undefined;
  if (isLoopback || request.caller?.user.role === 'superadmin') return;
  throw new GantryError(
    request.caller ? 'forbidden' : 'not_signed_in',
    'Figures are for loopback and for tokens of superadmins.',
  );
}

async function sendMetrics(deps: ApiDeps, response: Response): Promise<void> {
  const figures = await readFigures(deps.db, deps.config.leaseMs);
  const queue = await deps.queue.inspect();
  response.status(200).setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
  response.end(metricsText(figures, queue));
}
