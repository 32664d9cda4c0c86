// E-mail: a mail server by SMTP_URL, else one .eml file a message. Used by the notice sender of the workers.
// One recipient a message, addresses as objects, control characters refused, nothing read from files or URLs.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { createTransport, type SendMailOptions } from 'nodemailer';
import { messageOf } from '../../lib/errors';
import { isPlainAddress } from '../address';
import type { Delivery, NoticeChannel, NoticeMessage } from '../define';

export interface EmailOptions {
  smtpUrl: string | undefined;
  from: string;
  /** Folder of the .eml files. */
  folder: string;
}

export function createEmailChannel(options: EmailOptions): NoticeChannel {
  return options.smtpUrl ? smtpChannel(options.smtpUrl, options.from) : fileChannel(options.folder, options.from);
}

/** RFC 5321 asks to wait ten minutes after the final dot: a shorter wait makes duplicates. */
const AFTER_DOT_MS = 600_000;

function smtpChannel(url: string, from: string): NoticeChannel {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 3,
    // The ledger decides on every retry.
    maxRequeues: 0,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: AFTER_DOT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  } as Parameters<typeof createTransport>[0]);
  // An idle pooled connection may break; the next message opens another.
  transport.on('error', () => undefined);
  // Messages whose last byte was handed to the socket: if the link breaks now, the server may have taken them.
  const handedOver = new Set<string>();
  transport.use('stream', (mail, done) => {
    const { message, data } = mail as unknown as {
      message: { transform(make: () => PassThrough): void };
      data: { messageId: string };
    };
    message.transform(() => new PassThrough().once('end', () => handedOver.add(data.messageId)));
    done();
  });
  return {
    send: async (message) => {
      const mail = compose(message, from);
      if (typeof mail === 'string') return { type: 'refused', error: mail };
      try {
        await transport.sendMail(mail);
        return { type: 'sent' };
      } catch (error) {
        return judge(error, handedOver.has(mail.messageId));
      } finally {
        handedOver.delete(mail.messageId);
      }
    },
    close: () => transport.close(),
  };
}

/** Replies to these commands are about the message; a 5xx to any other (sign-in, greeting) is the operator's to mend. */
const ABOUT_MESSAGE = new Set(['MAIL FROM', 'RCPT TO', 'DATA', 'API']);

function judge(thrown: unknown, handedOver: boolean): Delivery {
  const { responseCode, command, code } = thrown as { responseCode?: number; command?: string; code?: string };
  const error = messageOf(thrown, 500);
  if (responseCode && responseCode >= 500 && ABOUT_MESSAGE.has(command ?? ''))
    return { type: 'refused', error, ...(command === 'RCPT TO' && isGone(error) ? { addressIsGone: true } : {}) };
  if (responseCode) return { type: 'later', error };
  if (code === 'EENVELOPE') return { type: 'refused', error };
  return handedOver ? { type: 'ambiguous', error } : { type: 'later', error };
}

/** RFC 3463: 5.1.x is a bad address and 5.2.1 a closed mailbox; without such a number the reply code tells. */
function isGone(reply: string): boolean {
  const [, enhanced] = /\b(5\.\d{1,3}\.\d{1,3})\b/.exec(reply) ?? [];
  return enhanced ? /^5\.(1\.\d+|2\.1)$/.test(enhanced) : /\b55[013]\b/.test(reply);
}

function fileChannel(folder: string, from: string): NoticeChannel {
  const transport = createTransport({
    streamTransport: true,
    buffer: true,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async (message) => {
      const mail = compose(message, from);
      if (typeof mail === 'string') return { type: 'refused', error: mail };
      try {
        const { message: source } = await transport.sendMail(mail);
        await mkdir(folder, { recursive: true });
        const file = path.join(folder, `${message.id}.eml`);
        // Written aside and renamed, so that nobody reads half of it; a retry replaces the same file.
        await writeFile(`${file}.part`, source as Buffer);
        await rename(`${file}.part`, file);
        return { type: 'sent' };
      } catch (error) {
        return { type: 'later', error: messageOf(error, 500) };
      }
    },
    close: () => undefined,
  };
}

/** The same for every try of a notice. */
export function messageIdOf(noticeId: string, from: string): string {
  return `<${noticeId}@${/@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost'}>`;
}

const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** @returns the mail, or why it is none. */
function compose(message: NoticeMessage, from: string): (SendMailOptions & { messageId: string }) | string {
  const { recipient, subject } = message;
  if ([recipient.name, subject].some((text) => CONTROL.test(text)))
    return 'The subject or name holds control characters. Nothing was sent.';
  if (!isPlainAddress(recipient.address)) return 'The recipient is no plain e-mail address. Nothing was sent.';
  return {
    from,
    to: { name: recipient.name, address: recipient.address },
    subject,
    text: message.text,
    html: message.html,
    messageId: messageIdOf(message.id, from),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
