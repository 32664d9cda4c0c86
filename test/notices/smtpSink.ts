// A real mail server for tests: keeps what it took, with the envelope and the bytes, and fails as it is told to.
import { simpleParser, type ParsedMail } from 'mailparser';
import { SMTPServer } from 'smtp-server';

export interface TakenMail extends ParsedMail {
  raw: string;
  envelopeTo: string[];
}

export interface Sink {
  mails: TakenMail[];
  /** What becomes of a message after its final dot. */
  answer: 'take' | 'drop' | 'refuse' | 'busy';
  /** Addresses that are refused, with the reply. */
  refusedAddresses: Map<string, { code: number; text: string }>;
  close(): Promise<void>;
}

export async function openSink(port: number): Promise<Sink> {
  const sink: Sink = { mails: [], answer: 'take', refusedAddresses: new Map(), close: () => Promise.resolve() };
  const reply = (code: number, text = 'not now'): Error => Object.assign(new Error(text), { responseCode: code });
  const server = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    closeTimeout: 100,
    onRcptTo: ({ address }, _session, done) => {
      const refusal = sink.refusedAddresses.get(address);
      done(refusal ? reply(refusal.code, refusal.text) : undefined);
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const raw = Buffer.concat(parts);
        void simpleParser(raw).then((mail) => {
          if (sink.answer === 'refuse') return done(reply(550));
          if (sink.answer === 'busy') return done(reply(451));
          const envelopeTo = session.envelope.rcptTo.map(({ address }) => address);
          sink.mails.push(Object.assign(mail, { raw: raw.toString('latin1'), envelopeTo }));
          if (sink.answer === 'take') return done();
          sink.answer = 'take';
          // Taken, but the client never hears of it.
          const connections = (server as unknown as { connections: Set<{ id: string; _socket: { destroy(): void } }> })
            .connections;
          connections.forEach((connection) => connection.id === session.id && connection._socket.destroy());
        });
      });
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  sink.close = () => new Promise((resolve) => server.close(() => resolve()));
  return sink;
}
