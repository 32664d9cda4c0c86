// Calls an operation's endpoint for one chunk: signed, without redirects, never to a private address that was not allowed.
// Handed to handlers by the composition root. It tries once; when to try again is decided in the ledger.
import { createHmac } from 'node:crypto';
import { Agent, request } from 'undici';
import { messageOf } from '../../lib/errors';
import { parseRetryAfter } from '../../lib/retryAfter';
import { inSpan, traceparentOfCall } from '../../lib/tracing';
import type { HandlerDeps, OperationAnswer, OperationCall } from '../define';
import { createHostGuard, RefusedHostError, type Resolve } from './hostGuard';
import { readAnswer, readRefusal } from './operationAnswer';

/** Results of a thousand rows with long messages fit; anything larger is no answer. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

export type CallOperation = HandlerDeps['callOperation'] & { close(): Promise<void> };

export function createCallOperation(options: { allowHosts: string[]; resolve?: Resolve }): CallOperation {
  const guard = createHostGuard(options.allowHosts, options.resolve);
  const agent = new Agent({
    connect: { lookup: guard.lookup, timeout: CONNECT_TIMEOUT_MS },
    // Time is kept by the operation's own timeout.
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  const call = async (wanted: OperationCall, signal: AbortSignal): Promise<OperationAnswer> => {
    const fault = guard.faultOf(wanted.endpoint);
    if (fault) return refused('endpoint_refused', `The endpoint was not called: it ${fault}.`);
    const timeout = AbortSignal.timeout(wanted.timeoutMs);
    try {
      const response = await request(wanted.endpoint, {
        dispatcher: agent,
        method: 'POST',
        headers: headersOf(wanted),
        body: wanted.body,
        signal: AbortSignal.any([signal, timeout]),
      });
      const { statusCode: status } = response;
      const retryAfter = response.headers['retry-after'];
      const body = await readLimited(response.body);
      if (status >= 200 && status < 300) {
        return body === null
          ? refused('bad_answer', `The endpoint's answer is larger than ${MAX_ANSWER_BYTES} bytes.`)
          : readAnswer(body);
      }
      if (status === 429 || status >= 500) {
        const header = Array.isArray(retryAfter) ? retryAfter[0] : retryAfter;
        const afterMs = status === 429 || status === 503 ? parseRetryAfter(header, Date.now()) : null;
        return { type: 'retry', afterMs, message: `The endpoint answered ${status}.` };
      }
      if (status < 400) {
        return refused('endpoint_refused', `The endpoint answered ${status}; redirects are not followed.`);
      }
      return refused('endpoint_refused', readRefusal(body ?? '') ?? `The endpoint answered ${status}.`);
    } catch (error) {
      // The work itself has to stop: that is no answer of the endpoint.
      signal.throwIfAborted();
      if (error instanceof RefusedHostError) {
        return refused('endpoint_refused', `The endpoint was not called: ${error.message}.`);
      }
      const message = timeout.aborted
        ? `The endpoint did not answer within ${wanted.timeoutMs} ms.`
        : `The endpoint could not be reached: ${messageOf(error, 500)}`;
      return { type: 'retry', afterMs: null, message };
    }
  };
  const traced = (wanted: OperationCall, signal: AbortSignal): Promise<OperationAnswer> =>
    inSpan('operation call', { kind: 'client', attributes: spanAttributes(wanted) }, () => call(wanted, signal));
  return Object.assign(traced, { close: () => agent.destroy() });
}

/** The address without its query, which may hold keys. */
function spanAttributes({ endpoint, idempotencyKey }: OperationCall): Record<string, string> {
  return { 'url.full': endpoint.replace(/[?#].*$/s, ''), 'gantry.idempotency_key': idempotencyKey };
}

function refused(code: string, message: string): OperationAnswer {
  return { type: 'refused', code, message };
}

function headersOf({ body, idempotencyKey, jobId, secret }: OperationCall): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000));
  return {
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'gantry',
    'idempotency-key': idempotencyKey,
    'x-gantry-job': jobId,
    'x-gantry-timestamp': timestamp,
    traceparent: traceparentOfCall(),
    ...(secret === null ? {} : { 'x-gantry-signature': sign(secret, timestamp, body) }),
  };
}

/** `v1=` and the hex HMAC-SHA256 of `timestamp.rawBody`. */
export function sign(secret: string, timestamp: string, body: string): string {
  return `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
}

/** @returns null when the body is larger than an answer may be; the rest of it is not read. */
async function readLimited(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string | null> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > MAX_ANSWER_BYTES) {
      body.destroy();
      return null;
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
