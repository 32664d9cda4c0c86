// An operation's endpoint for tests: judges each row by a function, remembers how often it was sent each row, and can be held.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RowsEndpoint {
  url: string;
  /** How often each row index arrived, over all runs. */
  sent: Map<number, number>;
  calls(): number;
  /** From now on calls wait until `release`. */
  hold(): void;
  release(): void;
  stop(): Promise<void>;
}

export type Judge = (data: Record<string, string>) => { code: string; message: string } | null;

interface Body {
  rows: { rowIndex: number; data: Record<string, string> }[];
}

export function startRowsEndpoint(judge: Judge): Promise<RowsEndpoint> {
  const sent = new Map<number, number>();
  let calls = 0;
  let held: Promise<void> | null = null;
  let letGo: () => void = () => undefined;
  const server = createServer((request, response) => {
    void read(request).then(async (body) => {
      calls += 1;
      for (const { rowIndex } of body.rows) sent.set(rowIndex, (sent.get(rowIndex) ?? 0) + 1);
      await held;
      const results = body.rows.map(({ rowIndex, data }) => {
        const fault = judge(data);
        return fault ? { rowIndex, success: false, ...fault } : { rowIndex, success: true };
      });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ results }));
    });
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/rows`,
        sent,
        calls: () => calls,
        hold: () => {
          held = new Promise((release) => (letGo = release));
        },
        release: () => {
          held = null;
          letGo();
        },
        stop: () =>
          new Promise((done) => {
            letGo();
            server.close(() => done());
            server.closeAllConnections();
          }),
      }),
    ),
  );
}

async function read(request: IncomingMessage): Promise<Body> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return JSON.parse(Buffer.concat(parts).toString('utf8')) as Body;
}
