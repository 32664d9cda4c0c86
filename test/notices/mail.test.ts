// Notices at a real mail server: one per ended job, none lost while it is away, none under another Message-ID when the link
// is cut after the final dot.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { simpleParser } from 'mailparser';
import { createEmailChannel } from '../../src/notices/channels/email';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import { writeNotice } from '../../src/notices/catalog';
import type { NoticePayload } from '../../src/notices/payload';
import { freePort } from '../support/redisServer';
import { runJobToEnd, startEngine, type Engine } from '../support/engine';
import { until } from '../support/until';
import { openSink, type Sink } from './smtpSink';

jest.setTimeout(40_000);

describe('mail', () => {
  let engine: Engine;
  let sink: Sink;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    sink = await openSink(port);
    engine = await startEngine({
      backend: 'postgres',
      env: {
        SMTP_URL: `smtp://127.0.0.1:${port}`,
        BASE_URL: 'https://gantry.example.test',
        MAIL_FROM: 'Gantry <jobs@example.test>',
      },
      noticeFirstDelayMs: 300,
    });
  });
  beforeEach(() => {
    sink.mails.length = 0;
    sink.answer = 'take';
  });
  afterAll(async () => {
    await engine.stop();
    await sink.close();
  });
  const start = (value: unknown, title?: string): ReturnType<typeof runJobToEnd> =>
    runJobToEnd(engine, { kind: 'test.echo', params: { value }, title, notify: { email: true } });
  const states = async (): Promise<Record<string, number>> => {
    const rows = await engine.db
      .selectFrom('notice')
      .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute();
    return Object.fromEntries(rows.map((row) => [row.state, Number(row.count)]));
  };
  const nothingDue = async (): Promise<boolean> => {
    const { due = 0, sending = 0 } = await states();
    return due + sending === 0;
  };

  it('[G52] sends one message for each ended job, to its owner alone, with a link to it', async () => {
    const jobs = await Promise.all([1, 2, 3].map((value) => start(value, `Job <${value}> & more`)));
    await until(() => sink.mails.length === 3, 'three mails');
    await until(nothingDue, 'all to be marked');
    expect(sink.mails).toHaveLength(3);
    for (const job of jobs) {
      const mail = sink.mails.find((each) => each.text?.includes(job.id));
      expect(mail?.subject).toBe(`${job.title} succeeded`);
      expect(mail?.envelopeTo).toEqual([engine.actor.email]);
      expect(mail?.text).toContain(`https://gantry.example.test/admin/jobs/${job.id}`);
      expect(mail?.html).toContain(job.title.replace(/&/, '&amp;').replace(/</, '&lt;').replace(/>/, '&gt;'));
      expect(mail?.messageId).toMatch(/^<[0-9a-f-]{36}@example\.test>$/);
    }
  });

  it('tells of failed rows and the most frequent causes', async () => {
    await runJobToEnd(engine, {
      kind: 'test.effects',
      rows: [{ bad: true }, { bad: true }, {}],
      notify: { email: true },
    });
    await until(() => sink.mails.length === 1, 'the mail');
    expect(sink.mails[0]?.subject).toBe('Effects completed with errors');
    expect(sink.mails[0]?.text).toContain('Rows: 3 in all, 1 good, 2 failed, 0 skipped.');
    expect(sink.mails[0]?.text).toContain('2 x bad: This row is bad.');
  });

  it('sends nothing where it was switched off', async () => {
    const quiet = await runJobToEnd(engine, { kind: 'test.echo', params: { value: 1 } });
    const loud = await start(1);
    await until(() => sink.mails.length === 1, 'the other mail');
    await until(nothingDue, 'all to be marked');
    expect(sink.mails.map((mail) => mail.text?.includes(quiet.id))).toEqual([false]);
    expect(sink.mails[0]?.text).toContain(loud.id);
  });

  it('loses none while the mail server is away', async () => {
    await sink.close();
    const jobs = await Promise.all([1, 2, 3, 4, 5].map((value) => start(value)));
    await until(async () => ((await states())['due'] ?? 0) === 5, 'five notices to wait for their retry');
    sink = await openSink(port);
    await until(() => sink.mails.length >= 5, 'five mails');
    await until(nothingDue, 'all to be marked');
    expect(sink.mails).toHaveLength(5);
    for (const job of jobs) expect(sink.mails.filter((mail) => mail.text?.includes(job.id))).toHaveLength(1);
  });

  it('sends once more under the same Message-ID when the link is cut after the final dot', async () => {
    sink.answer = 'drop';
    const job = await start(1);
    await until(() => sink.mails.length === 2, 'the message to come twice');
    await until(nothingDue, 'all to be marked');
    expect(new Set(sink.mails.map((mail) => mail.messageId)).size).toBe(1);
    const notice = await engine.db
      .selectFrom('notice')
      .select(['state', 'ambiguous', 'attempts'])
      .where('jobId', '=', job.id)
      .executeTakeFirstOrThrow();
    expect(notice).toEqual({ state: 'sent', ambiguous: true, attempts: 2 });
  });

  it('[G52] sends exactly one mail for each of many while the server is busy at first', async () => {
    sink.answer = 'busy';
    const jobs = await Promise.all(Array.from({ length: 20 }, (_, value) => start(value)));
    await until(async () => ((await states())['due'] ?? 0) === 20, 'all to wait for their retry');
    sink.answer = 'take';
    await until(nothingDue, 'all to be marked', 20_000);
    for (const job of jobs) expect(sink.mails.filter((mail) => mail.text?.includes(job.id))).toHaveLength(1);
    expect(sink.mails).toHaveLength(20);
  });

  it('tries again after a 4xx and gives up at a 5xx', async () => {
    sink.answer = 'busy';
    const patient = await start(1);
    await until(async () => ((await states())['due'] ?? 0) === 1, 'the retry to be planned');
    sink.answer = 'take';
    await until(() => sink.mails.length === 1, 'the mail');
    sink.answer = 'refuse';
    const refused = await start(1);
    await until(async () => ((await states())['failed'] ?? 0) === 1, 'the notice to fail');
    expect(sink.mails[0]?.text).toContain(patient.id);
    const notice = await engine.db
      .selectFrom('notice')
      .select(['attempts', 'lastError'])
      .where('jobId', '=', refused.id)
      .executeTakeFirstOrThrow();
    expect(notice.attempts).toBe(1);
    expect(notice.lastError).toContain('550');
  });
});

describe('mail as files', () => {
  const context = { baseUrl: 'http://x', approvalLinks: createApprovalLinks('ab'.repeat(32)) };
  const payload: NoticePayload = {
    jobId: 'j',
    run: 1,
    kind: 'test.echo',
    title: 'T',
    state: 'failed',
    ownerName: 'Ünal "the" Owner',
    total: null,
    good: 0,
    failed: 0,
    skipped: 0,
    startedAt: null,
    finishedAt: '2026-11-24T10:00:00.000Z',
    error: { code: 'broke', message: '<b>no</b>' },
    topErrors: [],
  };

  it('writes each message once, however often it is sent', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gantry-mail-'));
    try {
      const channel = createEmailChannel({ smtpUrl: undefined, from: 'Gantry <g@example.test>', folder });
      const message = {
        id: 'n1',
        recipient: { name: payload.ownerName, address: 'a@example.test' },
        ...writeNotice('job-ended', JSON.stringify(payload), context),
      };
      expect(await channel.send(message)).toEqual({ type: 'sent' });
      expect(await channel.send(message)).toEqual({ type: 'sent' });
      expect(readdirSync(folder)).toEqual(['n1.eml']);
      const mail = await simpleParser(readFileSync(path.join(folder, 'n1.eml')));
      expect(mail.subject).toBe('T failed');
      expect(mail.html).toContain('&lt;b&gt;no&lt;/b&gt;');
      expect(mail.text).toContain('<b>no</b> (broke)');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each(['a\r\nBcc: x@example.test', 'a\u0000b', 'a\u2028b'])('refuses control characters: %j', async (subject) => {
    const channel = createEmailChannel({
      smtpUrl: undefined,
      from: 'Gantry <g@example.test>',
      folder: '/nonexistent/mail',
    });
    const message = { id: 'n1', recipient: { name: 'A', address: 'a@example.test' }, subject, text: '', html: '' };
    expect((await channel.send(message)).type).toBe('refused');
    expect(
      (await channel.send({ ...message, subject: 'S', recipient: { name: subject, address: 'a@example.test' } })).type,
    ).toBe('refused');
  });
});
