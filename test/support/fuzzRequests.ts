// Requests made from openapi.json: by its schemas, nearly by them, and rubbish. Called by fuzz.ts; it sends nothing itself.
// The same seed gives the same requests; what stands for an id is named here and looked up when it is sent.
import fc from 'fast-check';
import contract from '../../openapi.json';
import { KnownId, knownId, nearly, RUBBISH_TEXT, valid, type Schema } from './fuzzValues';

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  schema: Schema;
}

export interface Operation {
  method: string;
  path: string;
  parameters: Parameter[];
  /** By content type. */
  bodies: Record<string, Schema>;
}

/** What stands between two slashes, or for a parameter; all but `raw` is encoded when it is sent. */
export type Piece = string | KnownId | { raw: string };

/** A body that is sent as it is. */
export class Verbatim {
  constructor(readonly text: string) {}
}

export interface FuzzRequest {
  as: 'superadmin' | 'user' | null;
  method: string;
  path: Piece[];
  query: [name: string, value: Piece][];
  headers: Record<string, string>;
  body: { type: string; content: unknown } | null;
}

/** An endless answer is no answer: the stream has tests of its own. */
const ENDLESS = new Set(['/api/v1/stream']);

export const OPERATIONS: Operation[] = Object.entries(contract.paths as Record<string, Record<string, unknown>>)
  .filter(([path]) => !ENDLESS.has(path))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, declared]) => {
      const { parameters = [], requestBody } = declared as {
        parameters?: Parameter[];
        requestBody?: { content: Record<string, { schema: Schema }> };
      };
      const bodies = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => [type, schema] as const);
      return { method: method.toUpperCase(), path, parameters, bodies: Object.fromEntries(bodies) };
    }),
  );

/** What is as it should be, and what is not. A request has one odd thing at most, or nothing behind it would be reached. */
interface Twofold<T> {
  usual: fc.Arbitrary<T>;
  odd: fc.Arbitrary<T>;
}

const RAW = fc
  .constantFrom('%00', '%zz', '%', '%ff%fe', '%2e%2e', '%2f', '%c0%af', '%ed%a0%80', '%0d%0a', "'", '..;')
  .map((raw) => ({ raw }));

function pathOf({ path, parameters }: Operation): Twofold<FuzzRequest['path']> {
  const pieces = path.split('/').slice(1);
  const filled = (fill: (name: string) => fc.Arbitrary<Piece>): fc.Arbitrary<FuzzRequest['path']> =>
    fc.tuple(
      ...pieces.map((piece) => {
        const name = /^\{(\w+)\}$/.exec(piece)?.[1];
        return name === undefined ? fc.constant<Piece>({ raw: piece }) : fill(name);
      }),
    );
  const schemaOf = (wanted: string): Schema =>
    parameters.find((each) => each.in === 'path' && each.name === wanted)?.schema ?? {};
  // An empty piece would ask for another path.
  const rubbish = RUBBISH_TEXT.filter((each) => each !== '');
  return {
    usual: filled(knownId),
    odd: filled((name) =>
      fc.oneof<fc.Arbitrary<Piece>[]>(valid(schemaOf(name)).map(String), rubbish, RAW, knownId(name)),
    ),
  };
}

function queryOf({ parameters }: Operation): Twofold<FuzzRequest['query']> {
  type Query = FuzzRequest['query'];
  const declared = parameters.filter((each) => each.in === 'query');
  const extra = fc.constantFrom<Query[number]>(['unknown', '1'], ['limit[]', '1'], ['__proto__', 'x'], ['', '']);
  if (declared.length === 0)
    return { usual: fc.constant<Query>([]), odd: fc.array(extra, { minLength: 1, maxLength: 2 }) };
  const one = ({ name, schema }: Parameter): fc.Arbitrary<Query[number]> =>
    fc.tuple(
      fc.constant(name),
      valid(schema, name).map((value) => (value instanceof KnownId ? value : String(value))),
    );
  const wrong = fc.tuple(
    fc.constantFrom(...declared).map(({ name }) => name),
    fc.oneof<fc.Arbitrary<Piece>[]>(RUBBISH_TEXT, RAW),
  );
  // A cursor that no list gave out is refused; those have tests of their own.
  const given = declared.filter(({ name }) => name !== 'cursor');
  const usual: fc.Arbitrary<Query> =
    given.length === 0
      ? fc.constant<Query>([])
      : fc.uniqueArray(fc.constantFrom(...given).chain(one), { maxLength: 4, selector: ([name]) => name });
  return { usual, odd: fc.tuple(usual, fc.oneof(wrong, wrong, extra)).map(([some, more]) => [...some, more]) };
}

const HEADERS: Record<string, Twofold<string>> = {
  'If-Match': {
    usual: fc.constantFrom('1', '2', '3'),
    odd: fc.constantFrom('*', '0', '-1', '1e9', '"1"', '9'.repeat(30), '', 'x'),
  },
  'Idempotency-Key': {
    usual: fc.nat(100_000).map(String),
    odd: fc.constantFrom('', ' ', 'x'.repeat(300), 'a\u00ffb', "';--", '1', '1'),
  },
};
const ODD_HEADERS = fc.constantFrom<[string, string]>(
  ['Accept', 'text/html'],
  ['Accept', 'nonsense;q=2'],
  ['Accept-Language', 'xx-,;q'],
  ['Content-Encoding', 'gzip'],
  ['Content-Encoding', 'br, x'],
  ['Cookie', 'gantry_session=%00; __Host-gantry_session=x; =; a'],
  ['Authorization', 'Bearer'],
  ['Authorization', 'Basic Og=='],
  ['Authorization', 'Gantry-Agent x'],
  ['Origin', 'null'],
  ['Sec-Fetch-Site', 'cross-site'],
  ['X-Forwarded-For', '::1, x'],
  ['X-Forwarded-Host', 'evil.test'],
  ['X-Http-Method-Override', 'DELETE'],
  ['X-Request-Id', 'x'.repeat(500)],
  ['Range', 'bytes=9-1,-'],
  ['If-None-Match', '*'],
  ['Traceparent', '00-x'],
);

function headersOf({ parameters }: Operation): Twofold<Record<string, string>> {
  const named = parameters.flatMap(({ name }) => (HEADERS[name] ? [[name, HEADERS[name]] as const] : []));
  const usual = fc.record<Record<string, string>>(
    Object.fromEntries(named.map(([name, { usual: each }]) => [name, each])),
  );
  const others = ODD_HEADERS.map(([name, value]) => ({ [name]: value }));
  const own = named.map(([name, { odd }]) => odd.map((value) => ({ [name]: value })));
  const odd = fc.oneof(others, ...own, ...own);
  return { usual, odd: fc.tuple(usual, odd).map(([some, more]) => ({ ...some, ...more })) };
}

const BOUNDARY = 'fuzz-boundary';
const MULTIPART = `multipart/form-data; boundary=${BOUNDARY}`;
const CSV = ['id\n1\n2\n', 'email,name\nuser@example.org,New\n', '', '\uFEFFa;b\n1;2', '"a\n', 'a,a\n1,2', '\u0000'];

function bodyOf({ bodies }: Operation): Twofold<FuzzRequest['body']> {
  const none = fc.constant(null);
  const noise = fc.record({
    type: fc.constantFrom('application/json', MULTIPART, 'text/plain', 'application/json; charset=utf-7', 'x'),
    content: fc
      .oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom(`--${BOUNDARY}\r\n\r\n`, '{"a":', '[]', '{}', 'null', '[[[', '{"__proto__":{"x":1}}'),
      )
      .map((text) => new Verbatim(text)),
  });
  const made = (make: typeof valid): fc.Arbitrary<FuzzRequest['body']>[] =>
    Object.entries(bodies).map(([type, schema]) =>
      fc.tuple(make(schema), fc.constantFrom(...CSV)).map(([content, csv]) => {
        if (!type.startsWith('multipart/')) return { type, content };
        const parts: Record<string, unknown> =
          typeof content === 'object' && content !== null ? { ...content } : { rubbish: content };
        // With a file of rows there are none in the document.
        if (typeof parts['job'] === 'object') parts['job'] = { ...parts['job'], rows: undefined };
        const files = Object.keys(parts).filter((name) => FILES.has(name));
        return { type: MULTIPART, content: { ...parts, ...Object.fromEntries(files.map((name) => [name, csv])) } };
      }),
    );
  const usual = made(valid);
  if (usual.length === 0) return { usual: none, odd: noise };
  return {
    usual: fc.oneof(...usual),
    odd: fc.oneof({ weight: 4, arbitrary: fc.oneof(...made(nearly)) }, { weight: 1, arbitrary: fc.oneof(none, noise) }),
  };
}

const FILES = new Set(['rows', 'file']);

/** Each member a part; what is no text is sent as JSON, files as they are. */
function multipart(members: Record<string, unknown>): string {
  const parts = Object.entries(members).map(([name, value]) => {
    const file = FILES.has(name) ? '; filename="rows.csv"\r\nContent-Type: text/csv' : '';
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${text}\r\n`;
  });
  return `${parts.join('')}--${BOUNDARY}--\r\n`;
}

/** How a document is written in a content type, once ids are put in. */
export function written(type: string, content: unknown): string {
  if (content instanceof Verbatim) return content.text;
  if (type === MULTIPART) return multipart(content as Record<string, unknown>);
  if (type === 'application/x-www-form-urlencoded' && typeof content === 'object') {
    return new URLSearchParams(
      Object.entries(content ?? {}).map(([name, value]): [string, string] => [name, String(value)]),
    ).toString();
  }
  return JSON.stringify(content) ?? '';
}

/** Half of them valid, half with one odd thing. */
export function requestTo(operation: Operation): fc.Arbitrary<FuzzRequest> {
  const path = pathOf(operation);
  const query = queryOf(operation);
  const headers = headersOf(operation);
  const body = bodyOf(operation);
  const odds = [
    ...(operation.path.includes('{') ? ['path'] : []),
    ...(operation.parameters.some((each) => each.in === 'query') ? ['query', 'query'] : ['query']),
    'headers',
    ...(Object.keys(operation.bodies).length > 0 ? ['body', 'body', 'body'] : ['body']),
  ];
  const one = (odd: string | null): fc.Arbitrary<FuzzRequest> =>
    fc.record({
      as: fc.constantFrom(...CALLERS),
      method: fc.constant(operation.method),
      path: odd === 'path' ? path.odd : path.usual,
      query: odd === 'query' ? query.odd : query.usual,
      headers: odd === 'headers' ? headers.odd : headers.usual,
      body: odd === 'body' ? body.odd : body.usual,
    });
  return fc.oneof(
    { weight: odds.length, arbitrary: one(null) },
    ...odds.map((odd) => ({ weight: 1, arbitrary: one(odd) })),
  );
}

/** The one who may do most is asked most. */
const CALLERS = ['superadmin', 'superadmin', 'superadmin', 'superadmin', 'user', 'user', null] as const;
