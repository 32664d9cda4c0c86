// The provider of oidcProvider.mjs, and a browser that keeps cookies for each origin and follows redirects.
import { fork } from 'node:child_process';
import path from 'node:path';

export interface TestProvider {
  issuer: string;
  setPerson(subject: string, claims: object): Promise<void>;
  stop(): Promise<void>;
}

export async function startOidcProvider(client: {
  id: string;
  secret: string;
  redirectUri: string;
}): Promise<TestProvider> {
  const child = fork(path.join(__dirname, 'oidcProvider.mjs'), [client.id, client.secret, client.redirectUri], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: [],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const { issuer } = await new Promise<{ issuer: string }>((resolve, reject) => {
    child.once('message', (message) => resolve(message as { issuer: string }));
    child.once('exit', (code) => reject(new Error(`the provider ended with ${code}`)));
  });
  return {
    issuer,
    setPerson: async (subject, claims) => {
      await fetch(`${issuer}/people/${subject}`, { method: 'PUT', body: JSON.stringify(claims) });
    },
    stop: () => {
      child.disconnect();
      return ended;
    },
  };
}

export interface Browser {
  /** Goes there, and on to wherever it is sent until `stopAt` or a page. */
  go(url: string, stopAt?: (url: URL) => boolean): Promise<{ url: URL; status: number }>;
  cookie(origin: string): string;
}

export function createBrowser(): Browser {
  const jars = new Map<string, Map<string, string>>();
  const cookie = (origin: string): string =>
    [...(jars.get(origin) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  return {
    cookie,
    go: async (start, stopAt = () => false) => {
      let url = new URL(start);
      for (let hops = 0; hops < 12; hops += 1) {
        const response = await fetch(url, { redirect: 'manual', headers: { Cookie: cookie(url.origin) } });
        await response.arrayBuffer();
        const jar = jars.get(url.origin) ?? new Map<string, string>();
        jars.set(url.origin, jar);
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          if (/expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
          else jar.set(name, value);
        }
        const next = response.headers.get('location');
        if (next === null) return { url, status: response.status };
        url = new URL(next, url);
        if (stopAt(url)) return { url, status: response.status };
      }
      throw new Error('sent around in circles');
    },
  };
}
