// What this web process counts by itself for /metrics: its requests and the figures of Node. Made once by the web service.
import type { RequestHandler } from 'express';
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client';

export interface Metrics {
  registry: Registry;
  /** Counts each request by the route it met, never by its address. */
  observe: RequestHandler;
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const seconds = new Histogram({
    name: 'gantry_http_request_seconds',
    help: 'Requests of this process, by how long they took',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry],
  });
  return {
    registry,
    observe: (request, response, next) => {
      const startedAt = performance.now();
      response.once('close', () => {
        const route = (request.route as { path?: unknown } | undefined)?.path;
        const labels = {
          method: METHODS.has(request.method) ? request.method : 'other',
          route: typeof route === 'string' ? route : 'none',
          status: response.writableFinished ? String(response.statusCode) : 'broken off',
        };
        seconds.observe(labels, (performance.now() - startedAt) / 1000);
      });
      next();
    },
  };
}
