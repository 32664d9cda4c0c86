// Hostile texts and addresses at a real mail server (reliability B10): no header and no recipient more than was meant.
import { createEmailChannel } from '../../src/notices/channels/email';
import type { NoticeChannel, NoticeMessage } from '../../src/notices/define';
import { freePort } from '../support/redisServer';
import { openSink, type Sink } from './smtpSink';

const BREAKS = ['\r\n', '\n', '\r', '\u0000', '\u0085', '\u2028', '\u2029', '\v', '\u001b[2J'];
const INJECTIONS = ['Bcc: thief@evil.test', ' Bcc: thief@evil.test', '\r\n.\r\nMAIL FROM:<thief@evil.test>'];
const BROKEN = BREAKS.flatMap((lineBreak) => INJECTIONS.map((injection) => `a${lineBreak}${injection}`));

const ADDRESSES = [
  ...BREAKS.map((lineBreak) => `a@good.test${lineBreak}Bcc: thief@evil.test`),
  Array.from({ length: 50 }, (_, at) => `thief${at}@evil.test`).join(', '),
  Array.from({ length: 50 }, (_, at) => `thief${at}@evil.test`).join(';'),
  'a@good.test,thief@evil.test',
  'a@good.test thief@evil.test',
  '<a@good.test>, <thief@evil.test>',
  'Name <thief@evil.test>',
  '"a@good.test"@evil.test',
  '"thief@evil.test x"@good.test',
  '"a b"@good.test',
  'a\\@evil.test@good.test',
  'group: thief@evil.test;',
  `${'g:'.repeat(5000)}thief@evil.test${';'.repeat(5000)}`,
  `${'('.repeat(50_000)}a@good.test`,
  `${'<'.repeat(50_000)}a@good.test`,
  `${'a'.repeat(100_000)}@good.test`,
  `a@${'good.'.repeat(20_000)}test`,
  'a(comment)@good.test',
  'a@[127.0.0.1]',
  'a@good.test\t',
  '@good.test',
  'a@',
  '',
  'a@good.test> NOTIFY=SUCCESS ORCPT=rfc822;thief@evil.test',
  'a@good..test',
];

describe('the mail corpus', () => {
  let sink: Sink;
  let channel: NoticeChannel;
  beforeAll(async () => {
    const port = await freePort();
    sink = await openSink(port);
    const options = { smtpUrl: `smtp://127.0.0.1:${port}`, from: 'Gantry <g@good.test>', folder: '/nonexistent' };
    channel = createEmailChannel(options);
  });
  beforeEach(() => (sink.mails.length = 0));
  afterAll(async () => {
    channel.close();
    await sink.close();
  });
  const message = (more: Partial<NoticeMessage>): NoticeMessage => ({
    id: 'n1',
    recipient: { name: 'A', address: 'a@good.test' },
    subject: 'S',
    text: 'text',
    html: '<p>text</p>',
    ...more,
  });

  it('refuses breaks in subjects and names, before any mail server hears of them', async () => {
    for (const text of BROKEN) {
      expect(await channel.send(message({ subject: text }))).toMatchObject({ type: 'refused' });
      expect(await channel.send(message({ recipient: { name: text, address: 'a@good.test' } }))).toMatchObject({
        type: 'refused',
      });
    }
    expect(sink.mails).toEqual([]);
  });

  it('refuses lists, groups, quoted local parts and other addresses that are not one plain mailbox', async () => {
    for (const address of ADDRESSES) {
      expect([address, (await channel.send(message({ recipient: { name: 'A', address } }))).type]).toEqual([
        address,
        'refused',
      ]);
    }
    expect(sink.mails).toEqual([]);
  });

  it('puts names, subjects and bodies that look like headers or commands where they belong', async () => {
    const texts = [
      'thief@evil.test, b',
      '"x" <thief@evil.test>',
      'a; thief@evil.test',
      'group:thief@evil.test;',
      '=?UTF-8?B?DQpCY2M6IHRoaWVmQGV2aWwudGVzdA==?=',
      'Ünïcödé 작업 😀 «é»',
      'x'.repeat(900),
    ];
    for (const text of texts) {
      const body = `\r\n.\r\nRCPT TO:<thief@evil.test>\r\n${text}`;
      const sent = message({
        subject: text,
        recipient: { name: text, address: 'a@good.test' },
        text: body,
        html: body,
      });
      expect(await channel.send(sent)).toEqual({ type: 'sent' });
    }
    expect(sink.mails).toHaveLength(texts.length);
    sink.mails.forEach((mail, at) => {
      expect(mail.envelopeTo).toEqual(['a@good.test']);
      const head = mail.raw.slice(0, mail.raw.indexOf('\r\n\r\n'));
      // RFC 2047: headers are ASCII, whatever they say.
      expect(head).toMatch(/^[\x20-\x7e\r\n\t]*$/);
      const names = [...head.matchAll(/^([A-Za-z-]+):/gm)].map(([, name]) => name?.toLowerCase()).sort();
      expect(names).toEqual([
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
        'x-auto-response-suppress',
      ]);
      expect(mail.text).toContain('RCPT TO:<thief@evil.test>');
      // A subject that is itself written as an encoded word may be read as one; it is still no header of its own.
      if (!texts[at]?.startsWith('=?')) expect(mail.subject).toBe(texts[at]);
      const to = [mail.to ?? []].flat().flatMap(({ value }) => value);
      expect(to.map(({ address }) => address)).toEqual(['a@good.test']);
    });
  });
});
