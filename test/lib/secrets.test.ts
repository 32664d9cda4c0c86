// The program's own log: no secret in any form, one line for each event whatever it holds.
import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { createLogger } from '../../src/lib/logger';
import { createSecretBox } from '../../src/lib/secretBox';
import { maskSecrets, rememberPasswordOf, rememberSecret } from '../../src/lib/secrets';

function captured(log: (logger: ReturnType<typeof createLogger>) => void): string {
  let text = '';
  const destination = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      text += bytes.toString();
      done();
    },
  });
  log(createLogger({ level: 'debug' }, destination));
  return text;
}

it('masks what was remembered: values, passwords of addresses, and what was sealed', () => {
  const box = createSecretBox('cd'.repeat(32));
  box.open(box.seal('operation-secret-"1"'));
  rememberPasswordOf('postgres://gantry:p%40ss%2Fword9@db/gantry');
  rememberPasswordOf('postgres://postgres:postgres@db/gantry');
  rememberSecret('short');
  const text = captured((logger) => {
    logger.info({ url: 'postgres://gantry:p%40ss%2Fword9@db/gantry' }, 'for p@ss/word9');
    logger.error({ error: 'signed with operation-secret-"1"' }, 'no');
    logger.warn({ basic: Buffer.from('gantry:p@ss/word9').toString('base64') }, 'postgres is short');
  });
  for (const part of ['p%40ss', 'p@ss', 'operation-secret', Buffer.from('ss/word').toString('base64').slice(1, -2)])
    expect(text).not.toContain(part);
  expect(text.match(/\[secret\]/g)?.length).toBeGreaterThanOrEqual(4);
  expect(text).toContain('postgres is short');
});

it('lets none of fifty values through, raw, in base64 at any place, or percent-encoded', () => {
  const values = Array.from({ length: 50 }, (_, index) => `${randomBytes(6 + index).toString('base64')}&ü"\\${index}`);
  values.forEach(rememberSecret);
  const forms = values.flatMap((value) => [
    value,
    encodeURIComponent(value),
    ...['', 'a', 'ab'].map((before) => Buffer.from(`${before}${value}`).toString('base64')),
    Buffer.from(value).toString('base64url'),
  ]);
  const text = captured((logger) => forms.forEach((form) => logger.info({ form }, `see ${form}.`)));
  expect(text.trimEnd().split('\n')).toHaveLength(forms.length);
  // What may stay of a base64 text are the characters that it shares with what stands beside it.
  for (const form of forms) expect(text).not.toContain(JSON.stringify(form).slice(1, -1).slice(4, 20));
});

it('masks fields by their name, at any of three depths', () => {
  const text = captured((logger) => {
    logger.info({
      password: 'one',
      user: { token: 'two' },
      request: { headers: { authorization: 'three', cookie: 'four' } },
    });
  });
  for (const value of ['one', 'two', 'three', 'four']) expect(text).not.toContain(`"${value}"`);
});

it('writes one line for each event, whatever is in it', () => {
  const text = captured((logger) => {
    logger.info({ name: 'a\r\n{"level":60,"msg":"forged"}' }, 'b\n\u001b[2Jc');
  });
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(text).not.toContain('\u001b');
  expect(JSON.parse(text)).toMatchObject({ level: 30, msg: 'b\n\u001b[2Jc' });
});

it('leaves text without secrets as it is, and is quick about it', () => {
  const text = 'nothing to hide '.repeat(1000);
  const startedAt = performance.now();
  for (let round = 0; round < 100; round += 1) expect(maskSecrets(text)).toBe(text);
  expect(performance.now() - startedAt).toBeLessThan(2000);
});
