// Every text field a caller fills, with every hostile text (reliability B1): kept word for word, or refused in words.
import { startTestServer, type Answer, type TestServer } from '../support/webServer';
import { HUGE, TEXTS } from './stories/texts';

let server: TestServer;
let serial = 0;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

// Well-formed JSON may hold half a surrogate pair only as an escape, which JSON.stringify writes.
const admin = (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer> =>
  server.call('superadmin', method, `/api/v1${path}`, body, headers);

interface Field {
  name: string;
  /** Sends the text; the answer of what refused it or kept it. */
  send(text: string): Promise<Answer>;
  /** Reads back what was kept, in a call of its own where there is one. */
  read(answer: Answer): Promise<unknown> | unknown;
  /** Takes a megabyte. */
  isLarge?: boolean;
}

const echo = { kind: 'test.echo', params: { value: 1 } };
const newJob = async (): Promise<string> => (await admin('POST', '/jobs', echo)).body.id as string;
const own = async (id: string) => (await admin('GET', `/jobs/${id}`)).body;

const FIELDS: Field[] = [
  {
    name: 'title of a job',
    send: (text) => admin('POST', '/jobs', { ...echo, title: text }),
    read: async ({ body }) => (await own(body.id)).title,
  },
  {
    name: 'parameter of a job',
    send: (text) => admin('POST', '/jobs', { ...echo, params: { value: text } }),
    read: async ({ body }) => (await own(body.id)).params.value,
    isLarge: true,
  },
  {
    name: 'reason of a cancel',
    send: async (text) => admin('POST', `/jobs/${await newJob()}/cancel`, { reason: text }),
    read: async ({ body }) => (await own(body.id)).cancelReason,
  },
  {
    name: 'own name',
    send: async (text) => {
      const { version } = (await admin('GET', '/me')).body;
      return admin('PATCH', '/me', { name: text }, { 'If-Match': String(version) });
    },
    read: async () => (await admin('GET', '/me')).body.name,
  },
  {
    name: 'name of a user',
    send: (text) => admin('POST', '/users', { email: `u${(serial += 1)}@example.org`, name: text, role: 'user' }),
    read: async ({ body }) => (await admin('GET', `/users/${body.id}`)).body.name,
  },
  {
    name: 'name of a token',
    send: (text) => admin('POST', '/tokens', { name: text }),
    read: async ({ body }) =>
      (await admin('GET', '/tokens?limit=1')).body.items.find(({ id }: { id: string }) => id === body.id).name,
  },
  {
    name: 'name of a saved filter',
    send: (text) => admin('POST', '/saved-filters', { name: text, filter: {} }),
    read: async ({ body }) =>
      (await admin('GET', '/saved-filters?limit=1')).body.items.find(({ id }: { id: string }) => id === body.id).name,
  },
  {
    name: 'search of a saved filter',
    send: (text) => admin('POST', '/saved-filters', { name: `f${(serial += 1)}`, filter: { q: text } }),
    read: ({ body }) => body.filter.q,
  },
  {
    name: 'title of an operation',
    send: (text) =>
      admin('POST', '/operations', {
        ...{ key: `op${(serial += 1)}`, title: text, menu: 'Tests', endpoint: 'http://127.0.0.1:9/' },
        roles: ['superadmin'],
      }),
    read: async ({ body }) => (await admin('GET', `/operations/${body.key}`)).body.title,
  },
  {
    name: 'description in the schema of an operation',
    send: (text) =>
      admin('POST', '/operations', {
        ...{ key: `op${(serial += 1)}`, title: 'T', menu: 'Tests', endpoint: 'http://127.0.0.1:9/' },
        ...{ roles: ['superadmin'], paramsSchema: { type: 'object', description: text } },
      }),
    read: async ({ body }) => (await admin('GET', `/operations/${body.key}`)).body.paramsSchema.description,
    isLarge: true,
  },
];

const stories = FIELDS.flatMap((field) => TEXTS.map((story) => [field.name, story.name, field, story] as const));

it('has its two hundred stories', () => expect(stories.length).toBeGreaterThanOrEqual(200));

it.each(stories)('%s: %s', async (_field, _text, field, { text, kept }) => {
  const answer = await field.send(text);
  if (!kept) return expect([answer.status, answer.body.code]).toEqual([422, 'invalid']);
  expect([200, 201, 202]).toContain(answer.status);
  expect(await field.read(answer)).toBe(text);
});

it.each(FIELDS.map((field) => [field.name, field] as const))('%s: a megabyte', async (_name, field) => {
  const answer = await field.send(HUGE);
  if (!field.isLarge) return expect([413, 422]).toContain(answer.status);
  expect([201, 202]).toContain(answer.status);
  expect(await field.read(answer)).toBe(HUGE);
});

it.each(TEXTS)('is searched for as it is written: $name', async ({ text, kept }) => {
  for (const query of ['q', 'kind', 'owner', 'state', 'since', 'timeZone']) {
    // Half a surrogate pair cannot be written into an address at all: it becomes the replacement character.
    const answer = await admin('GET', `/jobs?${query}=${encodeURIComponent(text.toWellFormed())}`);
    expect(answer.status).toBeLessThan(500);
    if (text.includes('\u0000')) expect(answer.status).toBe(422);
  }
  if (!kept) return;
  const { body } = await admin('POST', '/jobs', { ...echo, title: `found ${text}` });
  const found = await admin('GET', `/jobs?q=${encodeURIComponent(`found ${text}`)}`);
  expect(found.body.items.map(({ id }: { id: string }) => id)).toContain(body.id);
});
