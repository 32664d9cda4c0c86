// Workers, the event stream, health and figures.
import type { Request, Response } from 'express';
import { z } from 'zod';
import { databaseNow } from '../../db/queries/clock';
import { readFigures } from '../../db/queries/figures';
import { readDurations, readTotals } from '../../db/queries/statistics';
import { listHeldWork, listWorkers, type HeldWork, type WorkerRow } from '../../db/queries/workers';
import { GantryError } from '../../lib/errors';
import type { ApiDeps } from '../apiDeps';
import { demandScope } from '../auth/authenticate';
import { instant, uuid } from '../contract/common';
import { implement, type Route } from '../contract/endpoint';
import * as contract from '../contract/system';
import { paged } from '../paged';
import { MAX_KINDS, metricsText } from '../presenters/metrics';
import { serveStream } from '../stream';

const CHECK_MS = 3000;

const workerCursor = z.tuple([instant, uuid]);

/** So long after a worker was last heard from, nobody can say what became of it. */
const UNKNOWN_FROM_MS = 600_000;

function workerState(state: string, silentMs: number, leaseMs: number) {
  if (state === 'stopped' || silentMs <= leaseMs) return state as 'connected' | 'draining' | 'stopped';
  return silentMs <= UNKNOWN_FROM_MS ? ('unreachable' as const) : ('unknown' as const);
}

function presentWorker(row: WorkerRow, silentMs: number, leaseMs: number, held: HeldWork[]) {
  return {
    ...row,
    state: workerState(row.state, silentMs, leaseMs),
    current: held.filter(({ workerId }) => workerId === row.id).map(({ workerId: _worker, ...work }) => work),
    startedAt: row.startedAt.toISOString(),
    heartbeatAt: row.heartbeatAt.toISOString(),
  };
}

export const systemRoutes: Route[] = [
  implement(contract.listWorkers, async ({ query, deps }) => {
    const now = (await databaseNow(deps.db)).getTime();
    return paged(
      query,
      workerCursor,
      ({ after, limit }) =>
        listWorkers(deps.db, {
          after: after ? { heartbeatAt: new Date(after[0]), id: after[1] } : undefined,
          limit,
        }),
      (row) => [row.heartbeatAt.toISOString(), row.id],
      async (rows) => {
        const held = await listHeldWork(
          deps.db,
          rows.map(({ id }) => id),
        );
        return rows.map((row) => presentWorker(row, now - row.heartbeatAt.getTime(), deps.config.leaseMs, held));
      },
    );
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

const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/** A proxy in front makes every address look like loopback: then the header tells, and only a token opens. */
function requireMetricsReader(request: Request): void {
  const address = request.socket.remoteAddress ?? '';
  const isProxied = PROXY_HEADERS.some((name) => request.headers[name] !== undefined);
  const isLoopback = !isProxied && /^(127\.|::1$|::ffff:127\.)/.test(address);
  if (request.caller) demandScope(request, 'metrics:read');
  if (isLoopback || request.caller?.user.role === 'superadmin') return;
  throw new GantryError(
    request.caller ? 'forbidden' : 'not_signed_in',
    'Figures are for loopback and for tokens of superadmins.',
  );
}

async function sendMetrics(deps: ApiDeps, response: Response): Promise<void> {
  const [figures, queue, totals] = await Promise.all([
    readFigures(deps.db, deps.config.leaseMs),
    deps.queue.inspect(),
    readTotals(deps.db, MAX_KINDS),
  ]);
  const durations = await readDurations(
    deps.db,
    totals.map(({ kind }) => kind),
  );
  const text = await metricsText(deps.metrics.registry, { figures, queue, totals, durations });
  response.status(200).setHeader('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
  response.end(text);
}
