// An operation's endpoint that keeps a stock of its own: it sets amounts, answers what they were, judges dry runs and undoes.
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StockEndpoint {
  url: string;
  stock: Map<string, number>;
  calls: { headers: IncomingHttpHeaders; body: StockCall; text: string }[];
  stop(): Promise<void>;
}

export interface StockCall {
  jobId: string;
  dryRun?: boolean;
  undo?: boolean;
  undoOf?: string;
  rows: { rowIndex: number; data: { sku: string; amount: string | number }; before?: { amount: number } }[];
}

/** @param count pieces `s0` and on, ten of each. */
export function startStockEndpoint(count: number): Promise<StockEndpoint> {
  const stock = new Map(Array.from({ length: count }, (_, n) => [`s${n}`, 10]));
  const calls: StockEndpoint['calls'] = [];
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      const body = JSON.parse(text) as StockCall;
      calls.push({ headers: request.headers, body, text });
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ results: body.rows.map((row) => answer(stock, body, row)) }));
    });
  });
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () =>
      resolve({
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/stock`,
        stock,
        calls,
        stop: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      }),
    ),
  );
}

function answer(stock: Map<string, number>, call: StockCall, { rowIndex, data, before }: StockCall['rows'][number]) {
  const amount = stock.get(data.sku);
  const wanted = Number(data.amount);
  if (amount === undefined)
    return { rowIndex, success: false, code: 'no_such_sku', message: `${data.sku} is not in stock` };
  if (call.undo && before) {
    const message = `${data.sku} was ${before.amount}, became ${wanted}, and is ${amount} now`;
    if (amount !== wanted) return { rowIndex, success: false, code: 'changed_since', message };
    stock.set(data.sku, before.amount);
    return { rowIndex, success: true };
  }
  if (call.dryRun) return { rowIndex, success: true, before: { amount }, after: { amount: wanted } };
  stock.set(data.sku, wanted);
  return { rowIndex, success: true, before: { amount } };
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
