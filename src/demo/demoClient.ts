// The demo is a client like any other: it knows the public HTTP API and a token, and nothing of the program's inside.

export interface DemoClient {
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body: unknown): Promise<T>;
  patch<T>(path: string, body: unknown, version: number): Promise<T>;
  /** One part, streamed from memory: what a browser's file field sends. */
  upload<T>(path: string, parts: Record<string, string | File>): Promise<T>;
  text(path: string): Promise<string>;
}

export class DemoCallError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'DemoCallError';
  }
}

export function createDemoClient(baseUrl: string, token: string): DemoClient {
  const call = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`${baseUrl}${path}`, {
      ...init,
      method,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string> | undefined) },
    });
    if (response.ok) return response;
    const text = await response.text();
    throw new DemoCallError(response.status, `${method} ${path} answered ${response.status}: ${text.slice(0, 1000)}`);
  };
  const json = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  });
  const read = async <T>(answer: Promise<Response>): Promise<T> => (await answer).json() as Promise<T>;
  return {
    get: (path) => read(call('GET', path)),
    post: (path, body) => read(call('POST', path, json(body))),
    patch: (path, body, version) => read(call('PATCH', path, json(body, { 'if-match': String(version) }))),
    upload: (path, parts) => {
      const form = new FormData();
      for (const [name, part] of Object.entries(parts)) form.append(name, part);
      return read(call('POST', path, { body: form }));
    },
    text: async (path) => (await call('GET', path)).text(),
  };
}

/** Asks again until `isDone` says so. @throws Error with the last answer when time is up. */
export async function poll<T>(
  ask: () => Promise<T>,
  isDone: (answer: T) => boolean,
  options: { withinMs: number; everyMs: number; what: string },
): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    const answer = await ask();
    if (isDone(answer)) return answer;
    if (performance.now() > deadline) {
      throw new Error(
        `${options.what} did not come within ${options.withinMs / 1000} s; last seen: ${JSON.stringify(answer).slice(0, 1000)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, options.everyMs));
  }
}
