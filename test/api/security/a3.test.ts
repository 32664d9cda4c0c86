// A3: fields that nobody asked for, in every write of the contract: refused, and nothing stored.
import { sql } from 'kysely';
import { z } from 'zod';
import { fullPath } from '../../../src/api/router';
import { allRoutes } from '../../../src/api/routes/allRoutes';
import { newId } from '../../../src/lib/ids';
import { startTestServer, type TestServer } from '../../support/webServer';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(() => server.stop());

type Json = Record<string, unknown>;
const WANTED = [
  'role',
  'owner',
  'ownerId',
  'userId',
  'status',
  'state',
  'epoch',
  'id',
  'version',
  'createdAt',
  'passwordHash',
  'isAdmin',
];

const writes = allRoutes.flatMap(({ endpoint }) => {
  const { body } = endpoint;
  if (!body) return [];
  const schema = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' }) as Json;
  return [[`${endpoint.method.toUpperCase()} ${fullPath({ endpoint })}`, schema] as const];
});

/** Places of a schema at which more fields than those named would be taken. */
function openPlaces(node: unknown, at: string): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties, additionalProperties } = node as Json;
  const here = properties !== undefined && additionalProperties !== false ? [at] : [];
  return [...here, ...Object.entries(node).flatMap(([name, each]) => openPlaces(each, `${at}.${name}`))];
}

it('has writes to try', () => expect(writes.length).toBeGreaterThan(25));

it.each(writes)('%s says exactly which fields it takes, at every depth', (_name, schema) => {
  expect(openPlaces(schema, 'body')).toEqual([]);
});

async function countRows(): Promise<unknown> {
  const { rows } = await sql`
    select relname, (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I', relname), false, true, '')))[1]::text as count
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not in ('audit', 'feed', 'change', 'worker')
    order by relname`.execute(server.database.kysely);
  return rows;
}

it.each(writes)('%s stores no field beyond them', async (name, schema) => {
  const [method = '', path = ''] = name.split(' ');
  const address = path.replace(/:(\w+)/g, (_all, param: string) =>
    /^(project|stage|scenario|artifact|deployment|history)Id$/.test(param) ? '9' : newId(),
  );
  const known = new Set(
    JSON.stringify(schema)
      .match(/"[A-Za-z]+"(?=:)/g)
      ?.map((each) => each.slice(1, -1)),
  );
  const before = await countRows();
  for (const field of WANTED.filter((each) => !known.has(each))) {
    const answer = await server.call(
      'superadmin',
      method,
      address,
      { [field]: 'superadmin' },
      { 'If-Match': '"1"', 'Sec-Fetch-Site': 'same-origin' },
    );
    // 401, 404: the address itself proves who calls, and did not.
    if (![401, 404].includes(answer.status)) expect([field, answer.status]).toEqual([field, 422]);
  }
  expect(await countRows()).toEqual(before);
});
