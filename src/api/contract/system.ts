// The endpoints of workers, events and the state of the system.
import { z } from 'zod';
import { instant, page, paging, uuid } from './common';
import { endpoint, SUPERADMIN } from './endpoint';

export const listWorkers = endpoint({
  method: 'get',
  path: '/workers',
  tag: 'system',
  summary: 'Worker processes, latest heartbeat first',
  access: SUPERADMIN,
  query: z.strictObject(paging),
  response: page(
    z.object({
      id: uuid,
      host: z.string(),
      pid: z.int(),
      version: z.string(),
      slots: z.int(),
      busy: z.int(),
      /** Of those: slots of handlers that did not heed their signal; they are free when the handler returns. */
      stuck: z.int(),
      memoryBytes: z.int().nullable(),
      /** unreachable: silent for longer than a lease, its work goes to others; unknown: for more than ten minutes. */
      state: z.enum(['connected', 'draining', 'stopped', 'unreachable', 'unknown']),
      /** What it holds. */
      current: z.array(
        z.object({ jobId: uuid, run: z.int(), chunk: z.int().nullable(), kind: z.string(), title: z.string() }),
      ),
      startedAt: instant,
      heartbeatAt: instant,
    }),
  ),
});

export const streamEvents = endpoint({
  method: 'get',
  path: '/stream',
  tag: 'system',
  summary:
    'Server-sent events `job`, `deployment`, `notification`, `alert` (superadmins) and `reset`; resumed by Last-Event-ID',
  access: 'signedIn',
  scope: 'jobs:read',
  headers: ['Last-Event-ID'],
  contentType: 'text/event-stream',
});

const health = z.object({ status: z.enum(['ok', 'unavailable']), checks: z.record(z.string(), z.string()) });
export const getHealth = endpoint({
  method: 'get',
  path: '/healthz',
  root: true,
  tag: 'system',
  summary: 'The process is up',
  access: 'anonymous',
  response: health,
});
export const getReadiness = endpoint({
  method: 'get',
  path: '/readyz',
  root: true,
  tag: 'system',
  summary: 'Database and queue are reachable; 503 when not',
  access: 'anonymous',
  response: health,
});
export const getMetrics = endpoint({
  method: 'get',
  path: '/metrics',
  root: true,
  tag: 'system',
  summary: 'Prometheus text, for loopback or a superadmin token',
  access: 'anonymous',
  contentType: 'text/plain',
});
export const getOpenApi = endpoint({
  method: 'get',
  path: '/api/openapi.json',
  root: true,
  tag: 'system',
  summary: 'This contract',
  access: 'anonymous',
  response: z.unknown(),
});
