// A TCP link between us and a store that can be cut, refused, or made to lose bytes without a word (half-open).
import { createServer, connect, type Socket } from 'node:net';

export interface TcpProxy {
  port: number;
  /** Ends the links that stand and refuses new ones. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** From now on bytes of the links that stand are lost; new links work, unless they shall be lost, too. */
  swallow(also?: 'also new links'): void;
  close(): Promise<void>;
}

export async function openTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    if (isSilent) client.on('data', () => undefined);
    else client.pipe(upstream).pipe(client);
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const refuse = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      sockets.forEach((socket) => socket.destroy());
    });
  await listen(0);
  const { port } = server.address() as { port: number };
  return {
    port,
    refuse,
    accept: () => listen(port),
    swallow: (also) => {
      isSilent = also !== undefined;
      sockets.forEach((socket) => socket.unpipe().on('data', () => undefined));
    },
    close: refuse,
  };
}

/** The same address, through the proxy. */
export function through(url: string, proxy: TcpProxy): string {
  const changed = new URL(url);
  changed.port = String(proxy.port);
  return changed.href;
}
