// The log of a run as its workers write it: numbered in the order in which it can be read, cut at its limit, free of secrets.
import path from 'node:path';
import { appendLog, listLogLines, logLimitOf, type LogLineRow } from '../../src/db/queries/logLines';
import { listReportEntries } from '../../src/db/queries/reports';
import { rememberSecret } from '../../src/lib/secrets';
import { backends, jobOf, runJobToEnd, startEngine, startJob, untilState, type Engine } from '../support/engine';
import { killSpawned, spawnWorker } from '../support/spawnWorker';
import { until } from '../support/until';

const ALL = { after: 0, limit: 10_000 };
const told = (line: LogLineRow) =>
  JSON.parse(line.message) as { chunk: number; line: number; pid: number; clock: number };

describe.each(backends())('the log of a run on %s', (backend) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend });
  });
  afterAll(() => engine.stop());

  it('is seen within 3 s while the job runs, and whoever follows it by number misses no line [G31]', async () => {
    const rows = Array.from({ length: 8 }, () => ({}));
    const job = await startJob(engine, { kind: 'test.chatty', params: { lines: 30, pauseMs: 50 }, rows });
    const seen: LogLineRow[] = [];
    await until(
      async () => {
        const isOver = (await jobOf(engine, job.id)).finishedAt !== null;
        const more = await listLogLines(engine.db, job.id, 1, { after: seen.at(-1)?.seq ?? 0, limit: 7 });
        const now = Date.now();
        if (!isOver) for (const line of more) expect(now - told(line).clock).toBeLessThan(3000);
        seen.push(...more);
        return isOver && more.length === 0;
      },
      'the log to end',
      20_000,
    );
    expect(seen.map((line) => line.seq)).toEqual(Array.from({ length: 240 }, (_, index) => index + 1));
  });

  it('takes nothing from a worker that lost its lease', async () => {
    const job = await runJobToEnd(engine, { kind: 'test.teller', params: { log: [['info', 'mine']] } });
    const stale = { jobId: job.id, run: 1, chunk: null, epoch: 1 };
    await appendLog(engine.db, stale, [{ level: 'error', message: 'not mine' }], logLimitOf(1e6));
    const lines = await listLogLines(engine.db, job.id, 1, ALL);
    expect(lines.map((line) => line.message)).toEqual(['mine']);
  });

  it('numbers the lines of each run from 1 on', async () => {
    const job = await runJobToEnd(engine, {
      kind: 'test.teller',
      params: {
        log: [
          ['info', 'a'],
          ['warn', 'b'],
        ],
      },
    });
    const line = { jobId: job.id, run: 2, level: 'info', message: 'as the version before writes it' };
    await engine.db.insertInto('logLine').values(line).execute();
    await engine.db.insertInto('logLine').values(line).execute();
    expect((await listLogLines(engine.db, job.id, 1, ALL)).map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await listLogLines(engine.db, job.id, 2, ALL)).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('holds no secret, raw, in base64 or percent-encoded, nor do report and error', async () => {
    const secret = 'Zx9/ä secret+of&tests';
    rememberSecret(secret);
    const forms = [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(`user:${secret}`).toString('base64'),
      encodeURIComponent(secret),
    ];
    const text = `see ${forms.join(' and ')}`;
    const params = { log: [['info', text]], report: [['error', text]], fail: text };
    const job = await runJobToEnd(engine, { kind: 'test.teller', params });
    const kept = JSON.stringify([
      await listLogLines(engine.db, job.id, 1, ALL),
      await listReportEntries(engine.db, job.id, 1),
      (await jobOf(engine, job.id)).errorMessage,
    ]);
    expect(kept.match(/\[secret\]/g)).toHaveLength(12);
    for (const form of [secret, encodeURIComponent(secret), forms[1]?.slice(0, 20), forms[2]?.slice(8, 30)]) {
      expect(kept).not.toContain(form);
    }
  });
});

describe('a log at its limit', () => {
  let engine: Engine;
  beforeAll(async () => {
    // 1,000 bytes; 10 lines; 1 error more.
    engine = await startEngine({ backend: 'postgres', env: { LOG_LIMIT_MB: '0.002' } });
  });
  afterAll(() => engine.stop());

  it('says where it was cut, and keeps errors up to a limit of their own', async () => {
    const log = Array.from({ length: 60 }, (_, index) => [index % 10 === 9 ? 'error' : 'info', `line ${index}`]);
    const job = await runJobToEnd(engine, { kind: 'test.teller', params: { log } });
    const lines = await listLogLines(engine.db, job.id, 1, ALL);
    expect(lines.map(({ message }) => message.slice(0, 34))).toEqual([
      ...Array.from({ length: 20 }, (_, index) => `line ${index}`),
      'The log of this run was cut here: ',
      'line 29',
      'line 39',
      'From here on errors are not kept e',
    ]);
    expect(lines[20]?.message).toContain('the next 2 errors');
  });

  it('counts the bytes of all workers together', async () => {
    const log = Array.from({ length: 5 }, () => ['info', 'x'.repeat(700)]);
    const job = await runJobToEnd(engine, { kind: 'test.teller', params: { log } });
    const lines = await listLogLines(engine.db, job.id, 1, ALL);
    expect(lines.map(({ level }) => level)).toEqual(['info', 'info', 'warn']);
  });
});

// Only a Redis queue is fetched from with a wrong clock: on PostgreSQL such a worker waits (skewGuard).
const withRedis = backends().includes('redis') ? describe : describe.skip;
withRedis('workers whose clocks are five minutes apart', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine({ backend: 'redis', workers: 0 });
  });
  afterEach(killSpawned);
  afterAll(() => engine.stop());

  it('write one log whose numbers and times rise together [G32]', async () => {
    const skewed = (ms: number) =>
      spawnWorker(engine, {
        NODE_OPTIONS: `--require ${path.join(__dirname, '..', 'support', 'skewClock.cjs')}`,
        TEST_CLOCK_SKEW_MS: String(ms),
      });
    await Promise.all([skewed(-150_000), skewed(150_000)]);
    const rows = Array.from({ length: 24 }, () => ({}));
    const job = await startJob(engine, { kind: 'test.chatty', params: { lines: 4, pauseMs: 20 }, rows });
    await untilState(engine, job.id, 'succeeded', 20_000);
    const lines = await listLogLines(engine.db, job.id, 1, ALL);
    const clocks = lines.map((line) => told(line).clock);
    expect(Math.max(...clocks) - Math.min(...clocks)).toBeGreaterThan(290_000);
    expect(new Set(lines.map((line) => told(line).pid)).size).toBe(2);
    expect(lines.map((line) => line.seq)).toEqual(Array.from({ length: 96 }, (_, index) => index + 1));
    const times = lines.map((line) => line.at.getTime());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (let chunk = 0; chunk < 24; chunk += 1) {
      const own = lines.map(told).filter((line) => line.chunk === chunk);
      expect(own.map(({ line }) => line)).toEqual([0, 1, 2, 3]);
    }
  }, 40_000);
});
