// Endpoints of operations that lead inside (reliability B6). {port} is the port of a canary that no call may reach.
export interface EndpointStory {
  endpoint: string;
  /** Told when the operation is made; otherwise with the first call, when the name is resolved. */
  atOnce: boolean;
  /** What the DNS says, another answer at each question, the last one from then on. */
  dns?: string[][];
}

const told = (...endpoints: string[]): EndpointStory[] => endpoints.map((endpoint) => ({ endpoint, atOnce: true }));
const host = (...hosts: string[]): EndpointStory[] => told(...hosts.map((each) => `http://${each}:{port}/`));
const named = (name: string, ...dns: string[][]): EndpointStory => ({
  endpoint: `http://${name}:{port}/`,
  atOnce: false,
  dns,
});
/** Of a host that the operator allows, which sends its callers on to the canary. */
const sentOn = (how: string): EndpointStory => ({ endpoint: `http://127.0.0.2:{port}/${how}`, atOnce: false });

export const ENDPOINTS: EndpointStory[] = [
  // Loopback in all its spellings.
  ...host(
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '127.000.000.001',
    '127.0.0.1.',
    'localhost',
    'LOCALHOST',
  ),
  ...host(
    'localhost.',
    'a.localhost',
    '0',
    '0.0.0.0',
    '2130706433',
    '017700000001',
    '0x7f000001',
    '0x7f.1',
    '0177.0.0.1',
  ),
  ...host('0x7F.0x0.0x0.0x1', '[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]'),
  // Networks that are not public, and the services of clouds.
  ...host('10.0.0.1', '10.255.255.255', '172.16.0.1', '172.31.255.255', '192.168.0.1', '100.64.0.1', '169.254.0.1'),
  ...told(
    'http://169.254.169.254/latest/meta-data/',
    'http://[fd00:ec2::254]/',
    'http://100.100.100.200/',
    'http://2852039166/',
  ),
  ...host(
    '192.0.0.1',
    '192.0.2.1',
    '198.18.0.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '[fe80::1]',
    '[fc00::1]',
  ),
  ...host('[fd12:3456::1]', '[ff02::1]', '[fec0::1]', '[2001:db8::1]', '[100::1]'),
  // IPv4 in the clothes of IPv6.
  ...host('[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:7f00:1]', '[::ffff:10.0.0.1]', '[::127.0.0.1]'),
  ...host(
    '[::7f00:1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2001::1]',
  ),
  // Letters that become others, and signs that are taken away.
  ...host(
    '１２７.０.０.１',
    '①②⑦.⓪.⓪.①',
    '127。0。0。1',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'loc\u00adalhost',
    'lo\tcal\nhost',
    '%31%32%37.0.0.1',
  ),
  // User names, slashes and schemes.
  ...told(
    'http://public.test@127.0.0.1:{port}/',
    'http://public.test:80@127.0.0.1:{port}/',
    'http://a:b@public.test:{port}/',
  ),
  ...told(
    'http://127.0.0.1:{port}#@public.test/',
    'http://127.0.0.1:{port}\\@public.test/',
    'http:\\\\127.0.0.1:{port}\\',
  ),
  ...told(
    'http:127.0.0.1:{port}/',
    'http:/127.0.0.1:{port}/',
    'http:////127.0.0.1:{port}/',
    ' \thttp://127.0.0.1:{port}/',
  ),
  ...told('HTTP://127.0.0.1:{port}/', 'https://127.0.0.1:{port}/', 'https://[::1]:{port}/', 'ftp://127.0.0.1:{port}/'),
  ...told('file:///etc/passwd', 'gopher://127.0.0.1:{port}/_x', 'dict://127.0.0.1:{port}/', 'ldap://127.0.0.1:{port}/'),
  ...told(
    'ws://127.0.0.1:{port}/',
    'unix:/var/run/docker.sock',
    'data:,x',
    'javascript:0',
    'blob:http://127.0.0.1:{port}/x',
  ),
  ...told(
    '//127.0.0.1:{port}/',
    '127.0.0.1:{port}',
    'http://127.0.0.1:22/',
    'http://127.0.0.1:6379/',
    'http://127.0.0.1:65536/',
  ),
  ...told(
    'http://127.0.0.1:-1/',
    'http://[::1%25lo]:{port}/',
    'http://[::1',
    'http://127.0.0.1%00.public.test/',
    'http://',
    '',
  ),
  // Names of the DNS.
  named('inside.test', ['127.0.0.1']),
  named('127.0.0.1.nip.test', ['127.0.0.1']),
  named('inside.test.', ['127.0.0.1']),
  named('xn--bcher-kva.test', ['127.0.0.1']),
  named('inside6.test', ['::1']),
  named('mapped.test', ['::ffff:127.0.0.1']),
  named('compatible.test', ['::127.0.0.1']),
  named('nat64.test', ['64:ff9b::7f00:1']),
  named('nobody.test', ['0.0.0.0']),
  named('metadata.test', ['169.254.169.254']),
  named('lan.test', ['10.0.0.1']),
  named('unique-local.test', ['fd00::1']),
  named('several.test', ['127.0.0.1', '::1', '10.0.0.1']),
  // An address that may be called at the first question, the canary's at all others.
  named('rebound.test', ['127.0.0.2'], ['127.0.0.1']),
  named('rebound6.test', ['127.0.0.2'], ['::1']),
  named('both.test', ['127.0.0.2', '127.0.0.1'], ['127.0.0.1', '127.0.0.2']),
  // Redirects.
  ...['301', '302', '303', '307', '308', '300', '304', '305', '201', '200-refresh'].map(sentOn),
];
