// No private, loopback or special address is reached, however it is spelt; a canary counts connections.
import { createServer, type Server } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createCallOperation } from '../../../src/jobs/massActions/callOperation';
import { createHostGuard, type Resolve } from '../../../src/jobs/massActions/hostGuard';

let canary: Server;
let port: number;
let connections = 0;
beforeAll(async () => {
  canary = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => canary.listen(0, '::', resolve));
  port = (canary.address() as AddressInfo).port;
});
afterAll(() => new Promise((resolve) => canary.close(resolve)));

const call = (endpoint: string, allowHosts: string[] = [], resolve?: Resolve) => {
  const operation = createCallOperation({ allowHosts, ...(resolve ? { resolve } : {}) });
  const wanted = { endpoint, body: '{}', idempotencyKey: 'k', jobId: 'j', secret: null, timeoutMs: 2000 };
  return operation(wanted, new AbortController().signal).finally(() => operation.close());
};

/** A DNS that gives what the test wants, another answer each time. */
const dns = (...answers: string[][]): Resolve =>
  ((
    _name: string,
    _options: unknown,
    callback: (error: null, found: { address: string; family: number }[]) => void,
  ) => {
    const found = answers.length > 1 ? (answers.shift() ?? []) : (answers[0] ?? []);
    callback(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as Resolve;

const HOSTS = [
  ...['127.0.0.1', '127.1', '127.255.255.254', '2130706433', '0x7f000001', '0177.0.0.1', '0x7f.1', '017700000001'],
  ...['0.0.0.0', '0', '10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.255.255'],
  ...['169.254.169.254', '169.254.0.1', '100.64.0.1', '100.127.255.255', '192.0.0.1', '192.0.2.1', '198.18.0.1'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.255', '240.0.0.1', '255.255.255.255'],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::ffff:10.0.0.1]'],
  ...['[fe80::1]', '[fc00::1]', '[fd12:3456::1]', '[ff02::1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[2001::1]'],
  ...[
    '[2001:db8::1]',
    '[::127.0.0.1]',
    '[100::1]',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    '１２７.０.０.１',
  ],
];

it.each(HOSTS)('refuses %s', async (host) => {
  for (const scheme of ['http', 'https']) {
    expect(await call(`${scheme}://${host}:${port}/`)).toMatchObject({ type: 'refused', code: 'endpoint_refused' });
  }
  expect(connections).toBe(0);
});

it.each(['ftp://example.com/', 'file:///etc/passwd', 'gopher://example.com/', 'data:,x', 'nonsense', '', 'http://'])(
  'takes no %j',
  async (endpoint) => {
    expect(await call(endpoint)).toMatchObject({ type: 'refused' });
  },
);

it('takes no user name in an address', async () => {
  expect(await call('http://example.com@127.0.0.1/')).toMatchObject({ type: 'refused' });
  expect(createHostGuard([]).faultOf('http://user@example.com/')).toContain('user name');
});

it.each([['127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['10.1.2.3'], ['169.254.169.254'], ['fd00::1']])(
  'refuses a name that leads to %s',
  async (address) => {
    const result = await call(`http://public.example:${port}/`, [], dns([address]));
    expect(result).toMatchObject({ type: 'refused', message: expect.stringContaining('public.example') });
    expect(connections).toBe(0);
  },
);

it('connects to an address it has checked, whatever the DNS says next', async () => {
  const asked: string[] = [];
  const guard = createHostGuard([], dns(['127.0.0.1', '93.184.216.34'], ['127.0.0.1']));
  guard.lookup('rebind.example', { all: true }, (error, found) => {
    expect(error).toBeNull();
    asked.push(...(found as { address: string }[]).map((one) => one.address));
  });
  expect(asked).toEqual(['93.184.216.34']);
});

it.each([
  ['127.0.0.1', ['127.0.0.1']],
  ['127.0.0.1', ['127.0.0.0/8']],
  ['[::1]', ['::1']],
  ['[::1]', ['::1/128']],
  ['localhost', ['LocalHost']],
])('reaches %s when the operator allows %j', async (host, allow) => {
  const before = connections;
  expect(await call(`http://${host}:${port}/`, allow)).toMatchObject({ type: 'retry' });
  expect(connections).toBeGreaterThan(before);
});

it('allows a block up to its edge and not beyond', () => {
  const guard = createHostGuard(['10.1.0.0/16', 'fd00::/16']);
  expect(guard.faultOf('http://10.1.255.255/')).toBeNull();
  expect(guard.faultOf('http://10.2.0.0/')).not.toBeNull();
  expect(guard.faultOf('http://[fd00:ffff::1]/')).toBeNull();
  expect(guard.faultOf('http://[fd01::1]/')).not.toBeNull();
  expect(guard.faultOf('http://8.8.8.8/')).toBeNull();
});
