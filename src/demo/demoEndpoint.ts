// The other side of the demo's operation: an HTTP endpoint such as a user would have, on loopback. It checks the signature,
// takes its time as a real service does, and refuses rows whose seats are no positive whole number.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pause } from '../lib/abort';

export interface DemoEndpoint {
  url: string;
  secret: string;
  stop(): Promise<void>;
}

interface Call {
  rows: { rowIndex: number; data: Record<string, string> }[];
}

/** A call's share of the tour: 120 of them, some at once, take a few seconds, so that the bar can be seen moving. */
const CALL_TAKES_MS = 60;

export function isGoodSeats(seats: string | undefined): boolean {
  return /^[1-9]\d*$/.test(seats ?? '');
}

export function startDemoEndpoint(secret: string): Promise<DemoEndpoint> {
  const server = createServer((request, response) => {
    void answer(request, secret).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/seats`,
        secret,
        stop: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      }),
    );
  });
}

async function answer(request: IncomingMessage, secret: string): Promise<{ status: number; body: unknown }> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString('utf8');
  if (!isSigned(request, text, secret)) {
    return { status: 401, body: { code: 'bad_signature', message: 'The signature does not fit the body.' } };
  }
  await pause(CALL_TAKES_MS);
  const { rows } = JSON.parse(text) as Call;
  const results = rows.map(({ rowIndex, data }) =>
    isGoodSeats(data['seats'])
      ? { rowIndex, success: true }
      : {
          rowIndex,
          success: false,
          code: 'bad_seats',
          message: `seats is "${data['seats'] ?? ''}", but takes a positive whole number`,
        },
  );
  return { status: 200, body: { results } };
}

function isSigned(request: IncomingMessage, body: string, secret: string): boolean {
  const timestamp = String(request.headers['x-gantry-timestamp'] ?? '');
  const expected = `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
  const given = String(request.headers['x-gantry-signature'] ?? '');
  return given.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));
}
