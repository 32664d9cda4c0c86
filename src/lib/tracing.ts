// Traces by OpenTelemetry, off until startTracing is called by the composition root: then a request, the run or chunk that it
// led to, and each call of an operation are spans of one trace. Without it every function here is a cheap no-op.
import { randomBytes } from 'node:crypto';
import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
} from '@opentelemetry/api';
import { waitAtMost } from './abort';
import { messageOf } from './errors';

const NAME = 'gantry';
/** A collector that is away does not hold up a stop. */
const FLUSH_MS = 2000;

export interface Tracing {
  /** Sends what is left. */
  stop(): Promise<void>;
}

/** @param endpoint base address of an OTLP collector over HTTP, such as http://127.0.0.1:4318 */
export function startTracing(endpoint: string): Tracing {
  // The SDK is loaded only where it is used.
  /* eslint-disable @typescript-eslint/no-require-imports */
  const sdk = require('@opentelemetry/sdk-trace-node') as typeof import('@opentelemetry/sdk-trace-node');
  const otlp =
    require('@opentelemetry/exporter-trace-otlp-http') as typeof import('@opentelemetry/exporter-trace-otlp-http');
  const resources = require('@opentelemetry/resources') as typeof import('@opentelemetry/resources');
  /* eslint-enable @typescript-eslint/no-require-imports */
  const exporter = new otlp.OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` });
  const provider = new sdk.NodeTracerProvider({
    resource: resources.defaultResource().merge(resources.resourceFromAttributes({ 'service.name': NAME })),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)],
  });
  provider.register();
  return {
    stop: async () => {
      await waitAtMost(provider.shutdown(), FLUSH_MS).catch(() => undefined);
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

export interface SpanOptions {
  kind: 'server' | 'consumer' | 'client';
  attributes?: Attributes;
  /** A W3C traceparent of elsewhere; left out: the span at work here. */
  parent?: string | null | undefined;
}

const KIND = { server: SpanKind.SERVER, consumer: SpanKind.CONSUMER, client: SpanKind.CLIENT };

/** Runs `work` as a span. What it throws marks the span as failed, and goes on. */
export function inSpan<T>(name: string, options: SpanOptions, work: () => Promise<T>): Promise<T> {
  const { kind, attributes = {}, parent } = options;
  const under = typeof parent === 'string' ? contextOf(parent) : context.active();
  return trace.getTracer(NAME).startActiveSpan(name, { kind: KIND[kind], attributes }, under, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error, 300) });
      throw error;
    } finally {
      span.end();
    }
  });
}

function contextOf(traceparent: string): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent });
}

/** Of the span at work; null without tracing. */
export function currentTraceparent(): string | null {
  const carrier: { traceparent?: string } = {};
  propagation.inject(context.active(), carrier);
  return carrier.traceparent ?? null;
}

/** For a call to somebody else, who may trace although we do not: flagged as sampled, or he would not. */
export function traceparentOfCall(): string {
  return currentTraceparent() ?? `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}
