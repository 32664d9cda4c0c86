// Notices in each language: words, numbers, plural forms and the time of the reader's zone, and nothing left unfilled.
import { writeNotice } from '../../src/notices/catalog';
import { createApprovalLinks } from '../../src/lib/approvalLink';
import type { NoticePayload } from '../../src/notices/payload';

const context = { baseUrl: 'https://g.test', approvalLinks: createApprovalLinks('ab'.repeat(32)) };
const readers = {
  en: { name: 'Ann', language: 'en', timeZone: 'America/New_York' },
  fr: { name: 'Ann', language: 'fr', timeZone: 'Europe/Paris' },
  ko: { name: 'Ann', language: 'ko', timeZone: 'Asia/Seoul' },
};
const ended: NoticePayload = {
  jobId: 'the-job',
  run: 2,
  kind: 'k',
  title: 'Import <b>& Co',
  state: 'completed_with_errors',
  ownerName: 'Bob',
  total: 12_345,
  good: 12_000,
  failed: 344,
  skipped: 1,
  startedAt: '2026-11-24T10:00:00.000Z',
  finishedAt: '2026-11-24T11:02:05.000Z',
  error: null,
  topErrors: [{ code: 'bad', message: '<i>', count: 1234 }],
};
const write = (kind: string, payload: object): ReturnType<typeof writeNotice> =>
  writeNotice(kind, JSON.stringify(payload), context);
/** French groups digits by narrow spaces. */
const plain = (text: string): string => text.replace(/[\u00a0\u202f]/g, ' ');

it.each([
  ['en', 'Import <b>& Co completed with errors', '12,345', 'Nov 24, 2026, 06:02:05', '1 hr 2 min 5 sec', '1 skipped'],
  ['fr', 'La tâche « Import <b>& Co » s’est', '12 345', '24 nov. 2026, 12:02:05', '1 h 2 min 5 s', '1 ignorée'],
  ['ko', '‘Import <b>& Co’ 작업이 오류', '12,345', '2026년 11월 24일 20시 2분 5초', '1시간 2분 5초', '1개'],
] as const)('tells of an ended job in %s', (language, subject, total, finishedAt, took, skipped) => {
  const notice = write('job-ended', { ...ended, reader: readers[language] });
  expect(notice.subject).toContain(subject);
  for (const part of [total, finishedAt, took, skipped]) expect(plain(notice.text)).toContain(part);
  expect(notice.text).toContain('https://g.test/admin/jobs/the-job');
  expect(notice.html).toContain(`<html lang="${language}">`);
  expect(notice.html).toContain('Import &lt;b&gt;&amp; Co');
  expect(notice.html).not.toContain('<i>');
});

it.each(['en', 'fr', 'ko'] as const)('leaves nothing unfilled in %s', (language) => {
  const reader = readers[language];
  const states = ['succeeded', 'completed_with_errors', 'failed', 'canceled', 'rejected', 'withdrawn', 'expired'];
  const alerts = ['no-worker', 'queue-stalled', 'mail-failing', 'retention-late'];
  const figures = { waiting: 1, oldestWaitSeconds: 400, undelivered: 3, refused: 1, owedSince: ended.finishedAt };
  const openedAt = ended.finishedAt;
  const notices = [
    ...states.flatMap((state) => [
      write('job-ended', { ...ended, reader, state }),
      write('job-ended', { ...ended, reader: { ...reader, name: '' }, state, toOther: true, startedAt: null }),
    ]),
    ...[1, 1200].map((count) =>
      write('digest', {
        reader,
        counts: Object.fromEntries(states.map((state) => [state, count])),
        jobs: [{ jobId: 'j', title: 'T', state: 'failed', failed: count, finishedAt: openedAt }],
      }),
    ),
    ...alerts.flatMap((alert) => [
      write('alert', { reader, alert, openedAt, closedAt: null, figures }),
      write('alert-recovered', { reader, alert, openedAt, closedAt: openedAt, figures }),
    ]),
  ];
  const subjects = notices.map(({ subject }) => subject);
  expect(new Set(subjects).size).toBe(7 + 2 + 8);
  for (const { subject, text, html } of notices) {
    expect(subject).not.toMatch(/undefined|\[object|\{\{|[\r\n]/);
    expect(text + html).not.toMatch(/undefined|\[object|\{\{|NaN|Invalid/);
    expect(html).toContain('href="https://g.test/admin');
  }
});

it.each([
  ['en', '1 job ended', '2 jobs ended'],
  ['fr', '1 tâche terminée', '2 tâches terminées'],
  ['ko', '작업 1개가 종료되었습니다', '작업 2개가 종료되었습니다'],
] as const)('has the plural forms of %s', (language, one, two) => {
  const digest = (count: number): string =>
    write('digest', { reader: readers[language], counts: { succeeded: count }, jobs: [] }).subject;
  expect([digest(1), digest(2)]).toEqual([one, two]);
});

it('still writes notices of an earlier version, and for a language or zone that it does not know', () => {
  expect(write('job-ended', ended)).toMatchObject({
    readerName: 'Bob',
    subject: 'Import <b>& Co completed with errors',
  });
  const odd = write('job-ended', { ...ended, reader: { name: 'A', language: 'xx', timeZone: 'No/Where' } });
  expect(odd.text).toContain('11:02:05 UTC');
});

it('puts titles and names with line breaks into one line of the head', () => {
  const reader = { name: 'Ann\r\nBcc: x@y.test', language: 'en', timeZone: 'UTC' };
  const notice = write('job-ended', { ...ended, reader, title: 'Two\nlines\u2028', state: 'succeeded' });
  expect([notice.subject, notice.readerName]).toEqual(['Two lines  succeeded', 'Ann Bcc: x@y.test']);
});

it('cuts a long subject between whole characters', () => {
  const { subject } = write('job-ended', { ...ended, title: '😀'.repeat(300) });
  expect([...subject]).toHaveLength(200);
  expect(subject.isWellFormed()).toBe(true);
});
