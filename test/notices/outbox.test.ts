// The notice is written with the end of its run: whatever dies afterwards, exactly one mail goes out. And senders of the version
// before, which know ended jobs only, never take a notice of another kind.
import { sql } from 'kysely';
import { freePort } from '../support/redisServer';
import { startEngine, startJob, untilState, type Engine } from '../support/engine';
import { killSpawned, spawnWorker } from '../support/spawnWorker';
import { newId } from '../../src/lib/ids';
import { until } from '../support/until';
import { openSink, type Sink } from './smtpSink';

jest.setTimeout(40_000);

let engine: Engine;
let sink: Sink | null = null;
beforeAll(async () => {
  engine = await startEngine({ backend: 'postgres', workers: 0 });
});
afterEach(killSpawned);
afterAll(async () => {
  await engine.stop();
  await sink?.close();
});

const due = async (): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from notice where state = 'due' and attempts > 0`.execute(engine.db);
  return rows[0]?.count ?? 0;
};

it('[G52] sends one mail for each terminal state though the worker that ended the jobs was killed', async () => {
  const port = await freePort();
  const env = { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Gantry <g@example.test>' };
  const first = await spawnWorker(engine, env);
  const good = await startJob(engine, { kind: 'test.echo', params: { value: 1 }, notify: { email: true } });
  const bad = await startJob(engine, { kind: 'test.effects', rows: [{ bad: true }], notify: { email: true } });
  await untilState(engine, good.id, 'succeeded');
  await untilState(engine, bad.id, 'failed');
  await until(async () => (await due()) === 2, 'two notices that found no mail server');
  await first.kill('SIGKILL');
  sink = await openSink(port);
  await sql`update notice set due_at = gantry_now()`.execute(engine.db);
  await spawnWorker(engine, env);
  await until(() => sink?.mails.length === 2, 'two mails');
  await until(async () => (await due()) === 0, 'both to be marked');
  expect(sink.mails.map((mail) => mail.subject).sort()).toEqual(['Echo succeeded', 'Effects failed']);
});

it('keeps notices of new kinds from senders of the version before', async () => {
  const [old, fresh] = [newId(), newId()];
  for (const [id, kind] of [
    [old, 'job-ended'],
    [fresh, 'alert'],
  ] as const)
    await sql`insert into notice (id, job_id, run, kind, recipient, payload, due_at)
      values (${id}, ${id}, 1, ${kind}, 'a@b.test', '{}', 'infinity')`.execute(engine.db);
  // As the version before claims, and as it renews what it claimed.
  const { rows } = await sql<{ id: string }>`
    update notice set state = 'sending', attempts = attempts + 1, lease_until = gantry_now()
    where id in (${old}, ${fresh}) returning id`.execute(engine.db);
  expect(rows.map(({ id }) => id)).toEqual([old]);
});
