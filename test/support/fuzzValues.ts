// Values for fuzzed requests, made from JSON schemas: valid, nearly valid, and rubbish. Called by fuzzRequests.ts.
import fc from 'fast-check';
import { TEXTS } from '../hostile/stories/texts';

export type Schema = {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
};

/** Stands for the id of something that there is, of the kind that is named so in paths. */
export class KnownId {
  constructor(
    readonly name: string,
    readonly which: number,
  ) {}
}

const KINDS = ['test.echo', 'test.effects', 'users.update', 'users.deactivate', 'jobs.export', 'operation.fuzzed'];
const ADDRESSES = ['http://127.0.0.1:9/', 'https://nowhere.invalid/rows', 'http://[::1]/', 'http://169.254.169.254/'];
const TIMES = ['2026-11-24T10:00:00Z', '9999-12-31T23:59:59.999999Z', '0001-01-01T00:00:00+14:00'];
const SINCE = [...TIMES, '-24h', '2026-11-24', '2026-02-30'];
const USERS = ['user@example.org', 'power_user@example.org'];
const PUBLIC_KEY = 'MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

/** What belongs together and no schema says so. */
const JOBS = [
  { kind: 'test.echo', params: { value: 1 } },
  { kind: 'test.effects', params: {}, rows: [{ n: 1 }, { bad: true }] },
  { kind: 'users.update', params: {}, rows: USERS.map((email) => ({ email, name: 'New' })) },
  { kind: 'users.deactivate', params: {}, rows: [{ email: 'power_user@example.org' }] },
  { kind: 'operation.fuzzed', params: {}, rows: [{ id: 1 }] },
  { kind: 'jobs.export', params: { format: 'csv', state: 'failed' } },
];
const DEPLOY_CONFIG = { strategy: 'normal', deploy: [{ sourcePath: '/', deployPath: 'site' }] };

/** What a name asks for says more than its schema. */
const BY_NAME: Record<string, fc.Arbitrary<unknown>> = {
  kind: fc.constantFrom(...KINDS),
  kinds: fc.uniqueArray(fc.constantFrom(...KINDS), { maxLength: 3 }),
  endpoint: fc.constantFrom(...ADDRESSES),
  since: fc.constantFrom(...SINCE),
  until: fc.constantFrom(...SINCE),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Mars/Olympus'),
  state: fc.constantFrom('failed', 'paused,queued', '-failed', 'lost'),
  ids: fc.array(knownId('jobId'), { minLength: 1, maxLength: 3 }),
  owner: fc.oneof(fc.constant('me'), knownId('userId')),
  user: fc.constantFrom(...USERS),
  to: fc.constantFrom(...USERS),
  decision: fc.constantFrom('approve', 'reject'),
  params: fc.constantFrom<unknown>({}, {}, { value: 1 }),
  publicKey: fc.constant(PUBLIC_KEY),
  config: fc.constant(DEPLOY_CONFIG),
  target: fc.constantFrom({ agents: ['nobody'] }, { labels: { zone: 'x' } }),
  artifactId: knownId('artifactId'),
  stageId: knownId('stageId'),
  project: knownId('projectId'),
};

/** The first ones, which were there from the start, more often than others. */
export function knownId(name: string): fc.Arbitrary<KnownId> {
  return fc.oneof(fc.constant(0), fc.nat(7)).map((which) => new KnownId(name, which));
}

/** What a text is replaced with: hostile texts, ends of ranges, and things of other types. */
export const RUBBISH_TEXT = fc.oneof(
  fc.constantFrom(...TEXTS.map(({ text }) => text)),
  fc.constantFrom('', ' ', '-1', '0', '1e400', '9007199254740993', '99999999999999999999', 'null', 'x'.repeat(5001)),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
export const RUBBISH: fc.Arbitrary<unknown> = fc.oneof(
  RUBBISH_TEXT,
  fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 1e300, -0, 2 ** 53, 2 ** 31, [], {}, [[]], [null], { a: null }),
  fc.jsonValue({ maxDepth: 3 }),
);

export function valid(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each) => valid(each, name)));
  const named = BY_NAME[name];
  if (named) return named;
  if (Array.isArray(schema.type)) return fc.oneof(...schema.type.map((type) => valid({ ...schema, type }, name)));
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer': {
      const min = Math.max(schema.minimum ?? -1000, (schema.exclusiveMinimum ?? -1001) + 1);
      const max = Math.min(schema.maximum ?? 1_000_000, Number.MAX_SAFE_INTEGER);
      return fc.oneof(fc.integer({ min, max: Math.min(max, min + 100) }), fc.constantFrom(min, max));
    }
    case 'number':
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1e6, noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array': {
      const minLength = schema.minItems ?? 0;
      return fc.array(valid(schema.items ?? {}, name), { minLength, maxLength: Math.max(minLength, 3) });
    }
    case 'object': {
      const { properties = {}, required = [], additionalProperties: more } = schema;
      const members = Object.entries(properties).map(([key, each]) => [key, valid(each, key)] as const);
      const optional = members.map(([key]) => key).filter((key) => !required.includes(key));
      // Few of them at a time: many do not go together.
      const known = fc
        .subarray(optional, { maxLength: Math.min(3, optional.length) })
        .chain((chosen) =>
          fc.record(Object.fromEntries(members.filter(([key]) => required.includes(key) || chosen.includes(key)))),
        );
      if ('kind' in properties && 'params' in properties) {
        return fc.tuple(known, fc.constantFrom(...JOBS)).map(([some, job]) => ({ ...some, rows: undefined, ...job }));
      }
      if (typeof more !== 'object' || members.length > 0) return known;
      return fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), valid(more), { maxKeys: 3 });
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function text({ format, pattern, minLength = 0, maxLength = 100 }: Schema): fc.Arbitrary<string> {
  if (format === 'email') return fc.nat(999).map((at) => `fuzz${at}@example.org`);
  if (format === 'uri') return fc.constantFrom(...ADDRESSES);
  if (format === 'date-time') return fc.constantFrom(...TIMES);
  if (format === 'uuid') return fc.uuid();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, 'u'));
  const unit = fc.constantFrom<'grapheme' | 'grapheme-ascii'>('grapheme', 'grapheme-ascii');
  return unit.chain((each) => fc.string({ unit: each, minLength, maxLength: Math.min(maxLength, minLength + 20) }));
}

/** A valid value with one thing in it dropped, added, or replaced. */
export function nearly(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  const how = fc.record({ at: fc.nat(), act: fc.constantFrom('drop', 'add', 'replace'), rubbish: RUBBISH });
  return fc.tuple(valid(schema, name), how).map(([value, { at, act, rubbish }]) => spoil(value, at, act, rubbish));
}

function spoil(value: unknown, at: number, act: string, rubbish: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof KnownId) return rubbish;
  const keys = Object.keys(value);
  const key = keys[at % Math.max(1, keys.length)];
  if (act === 'add' || key === undefined) {
    if (Array.isArray(value)) return [...(value as unknown[]), rubbish];
    return Object.fromEntries([...Object.entries(value), [at % 3 === 0 ? '__proto__' : `more${at % 5}`, rubbish]]);
  }
  const member = (value as Record<string, unknown>)[key];
  const isDeep = typeof member === 'object' && member !== null && at % 2 === 0;
  const changed = isDeep ? spoil(member, Math.floor(at / 2), act, rubbish) : rubbish;
  if (Array.isArray(value)) {
    const items = value as unknown[];
    return act === 'drop' ? items.filter((_item, place) => String(place) !== key) : items.with(Number(key), changed);
  }
  const members = Object.entries(value).filter(([each]) => act !== 'drop' || each !== key);
  return Object.fromEntries(members.map(([each, kept]) => [each, each === key ? changed : kept]));
}
