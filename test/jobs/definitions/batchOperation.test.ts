import { buildBody, buildOperationDefinition, lineOf } from '../../../src/jobs/definitions/batch-operation';
import { createCatalog } from '../../../src/jobs/catalog';
import type { ChunkContext, OperationAnswer, OperationCall } from '../../../src/jobs/define';
import { defineJob } from '../../../src/jobs/define';
import { z } from 'zod';
import { buildOperation, openTestLedger, type TestLedger } from '../../support/factories';

let ledger: TestLedger;
beforeAll(async () => {
  ledger = await openTestLedger();
});
afterAll(() => ledger.close());

function contextOf(answer: OperationAnswer, calls: OperationCall[] = []): ChunkContext<Record<string, unknown>> {
  return {
    jobId: 'j',
    run: 2,
    chunk: 3,
    firstRowIndex: 30,
    params: { n: 1 },
    paramsText: '{"n":1.0}',
    idempotencyKey: 'j:2:30',
    signal: new AbortController().signal,
    deps: {
      callOperation: (call: OperationCall) => {
        calls.push(call);
        return Promise.resolve(answer);
      },
    },
  } as unknown as ChunkContext<Record<string, unknown>>;
}

const rows = [
  { rowIndex: 30, data: { n: 1 }, json: '{"n":1.0}' },
  { rowIndex: 32, data: { a: 'é"' } },
];

it('writes parameters and JSON rows as they were sent', () => {
  const body = buildBody(
    { jobId: 'j', run: 1, chunk: 0, paramsText: '{"big":12345678901234567890}' },
    rows.map(lineOf),
  );
  expect(body).toBe(
    '{"jobId":"j","run":1,"chunk":0,"params":{"big":12345678901234567890},"rows":[{"rowIndex":30,"data":{"n":1.0}},{"rowIndex":32,"data":{"a":"é\\""}}]}',
  );
  const dry = JSON.parse(buildBody({ jobId: 'j', run: 1, chunk: 0, dryRun: true, paramsText: '{}' }, [])) as object;
  expect(dry).toEqual({ jobId: 'j', run: 1, chunk: 0, dryRun: true, params: {}, rows: [] });
});

it('calls the endpoint once a chunk and hands on its results', async () => {
  const row = await buildOperation(ledger.db, { secretBox: 'sealed', endpoint: 'https://e.test/x', timeoutMs: 77 });
  const definition = buildOperationDefinition(row, (box) => `opened ${box}`);
  const calls: OperationCall[] = [];
  const results = [{ rowIndex: 30, success: true }];
  expect(await definition.processChunk(contextOf({ type: 'results', results }, calls), rows)).toEqual({
    type: 'done',
    results,
  });
  expect(calls).toMatchObject([
    { endpoint: 'https://e.test/x', timeoutMs: 77, secret: 'opened sealed', idempotencyKey: 'j:2:30' },
  ]);
  expect(JSON.parse(calls[0]?.body ?? '')).toMatchObject({ jobId: 'j', run: 2, chunk: 3 });
});

it('fails the rows of a refused chunk, and wants an unavailable endpoint tried again', async () => {
  const definition = buildOperationDefinition(await buildOperation(ledger.db), (box) => box);
  const refused = { type: 'refused', code: 'endpoint_refused', message: 'no' } as const;
  expect(await definition.processChunk(contextOf(refused), rows)).toEqual({
    type: 'done',
    results: [30, 32].map((rowIndex) => ({ rowIndex, success: false, code: 'endpoint_refused', message: 'no' })),
  });
  const retry = { type: 'retry', afterMs: 7, message: 'busy' } as const;
  expect(await definition.processChunk(contextOf(retry), rows)).toEqual({ ...retry, code: 'endpoint_unavailable' });
});

it('does not open a secret before it is needed', async () => {
  const row = await buildOperation(ledger.db, { secretBox: 'sealed under another key' });
  const definition = buildOperationDefinition(row, () => {
    throw new Error('does not open');
  });
  expect(definition.kind).toBe(`operation.${row.key}`);
  await expect(definition.processChunk(contextOf({ type: 'results', results: [] }), rows)).rejects.toThrow(
    'does not open',
  );
});

it('checks parameters by the schema of the operation, with the path of each fault', async () => {
  const paramsSchema = JSON.stringify({
    type: 'object',
    required: ['day'],
    properties: {
      day: { type: 'string', format: 'date' },
      deep: { type: 'object', properties: { n: { minimum: 1 } } },
    },
    additionalProperties: false,
  });
  const definition = buildOperationDefinition(await buildOperation(ledger.db, { paramsSchema }), (box) => box);
  expect(definition.params.safeParse({ day: '2026-11-24' }).success).toBe(true);
  const wrong = definition.params.safeParse({ deep: { n: 0 } });
  expect(wrong.error?.issues.map((issue) => issue.path.join('.')).sort()).toEqual(['day', 'deep.n']);
  for (const value of [{ day: 'tomorrow' }, { day: '2026-11-24', x: 1 }, [], null, 'x']) {
    expect(definition.params.safeParse(value).success).toBe(false);
  }
});

it('stands in the catalogue as long as its row does, with what it says now', async () => {
  const { catalog } = ledger.deps;
  const { key } = await buildOperation(ledger.db, { chunkSize: 7, retry: '{"attempts":2}', needsApproval: true });
  const kind = `operation.${key}`;
  expect(await catalog.get(kind)).toMatchObject({
    kind,
    chunkSize: 7,
    retry: { attempts: 2, minDelayMs: 1000 },
    policy: { needsApproval: true },
  });
  await ledger.db.updateTable('operation').set({ chunkSize: 8 }).where('key', '=', key).execute();
  expect(await catalog.get(kind)).toMatchObject({ chunkSize: 8 });
  expect((await catalog.list()).map((definition) => definition.kind)).toContain(kind);
  await ledger.db.deleteFrom('operation').where('key', '=', key).execute();
  expect(await catalog.get(kind)).toBeNull();
});

it('refuses two definitions of one kind, and plug-ins that claim an operation', () => {
  const own = (kind: string) =>
    defineJob({ kind, title: 'T', menu: ['T'], roles: ['user'], params: z.any(), run: () => Promise.resolve() });
  const options = { openSecret: (box: string) => box };
  expect(() => createCatalog(ledger.db, { ...options, plugins: [own('a'), own('b')] })).not.toThrow();
  expect(() => createCatalog(ledger.db, { ...options, plugins: [own('a'), own('a')] })).toThrow('"a"');
  expect(() => createCatalog(ledger.db, { ...options, plugins: [own('users.import')] })).toThrow('users.import');
  expect(() => createCatalog(ledger.db, { ...options, plugins: [own('operation.x')] })).toThrow('operation.x');
});
