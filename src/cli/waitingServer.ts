// Listens in the web service's place while the database is away at the start: alive, but not ready, for everybody who asks.
// It hands the port over by closing, and never answers 200 on anything but /healthz.
import { createServer } from 'node:http';
import { BARE_HEADERS } from '../api/middleware/bareAnswer';

export interface WaitingServer {
  close(): Promise<void>;
}

const RETRY_AFTER_SECONDS = 2;

export function startWaitingServer(host: string, port: number): Promise<WaitingServer> {
  const server = createServer((request, response) => {
    const alive = request.url === '/healthz';
    const problem = {
      type: 'about:blank',
      title: 'Service unavailable',
      status: 503,
      code: 'unavailable',
      detail: 'The database is away. Nothing was changed; ask again in a moment.',
    };
    response.writeHead(alive ? 200 : 503, {
      ...BARE_HEADERS,
      'content-type': alive ? 'application/json' : 'application/problem+json',
      'retry-after': String(RETRY_AFTER_SECONDS),
      connection: 'close',
    });
    response.end(JSON.stringify(alive ? { status: 'ok' } : { ...problem, database: 'away' }));
    request.resume();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () =>
      resolve({
        close: () =>
          new Promise((done) => {
            server.close(() => done());
            server.closeAllConnections();
          }),
      }),
    );
  });
}
