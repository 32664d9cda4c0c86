// Bodies that are no documents (reliability B2): what is sent, word for word, and what must be answered.
export interface ShapeStory {
  name: string;
  path: string;
  body: string | Buffer;
  headers?: Record<string, string>;
  answer: [status: number, code: string] | [status: 202 | 201 | 200];
}

const JOBS = '/api/v1/jobs';
const job = (more: string): string => `{"kind":"test.echo","params":{"value":1}${more}}`;
const params = (value: string): string => `{"kind":"test.echo","params":{"value":${value}}}`;
const keys = (count: number): string => `{${Array.from({ length: count }, (_, at) => `"k${at}":${at}`).join(',')}}`;
const story = (name: string, body: string | Buffer, ...answer: ShapeStory['answer']): ShapeStory => ({
  ...{ name, body, answer },
  path: JOBS,
});
const sent = (
  name: string,
  headers: Record<string, string>,
  body: string | Buffer,
  ...answer: ShapeStory['answer']
) => ({
  ...story(name, body, ...answer),
  headers,
});
const utf16 = Buffer.from(job(''), 'utf16le');

export const SHAPES: ShapeStory[] = [
  // No document at all.
  story('nothing', '', 422, 'invalid'),
  story('blanks', '   \n', 400, 'bad_request'),
  story('a word', 'null', 400, 'bad_request'),
  story('a number', '42', 400, 'bad_request'),
  story('a text', '"job"', 400, 'bad_request'),
  story('a list', '[]', 422, 'invalid'),
  story('a list of jobs', `[${job('')}]`, 422, 'invalid'),
  story('two documents', job('') + job(''), 400, 'bad_request'),
  story('half a document', job('').slice(0, -3), 400, 'bad_request'),
  story('a comment', `/* x */${job('')}`, 400, 'bad_request'),
  story('a comma too many', job(',"title":"x",'), 400, 'bad_request'),
  story('single quotes', "{'kind':'test.echo'}", 400, 'bad_request'),
  story('a bare key', '{kind:"test.echo"}', 400, 'bad_request'),
  story('NaN', params('NaN'), 400, 'bad_request'),
  story('Infinity', params('-Infinity'), 400, 'bad_request'),
  story('a hexadecimal number', params('0x10'), 400, 'bad_request'),
  story('a leading zero', params('01'), 400, 'bad_request'),
  story('a raw line break in a text', params('"a\nb"'), 400, 'bad_request'),
  story('a raw U+0000 in a text', params('"a\u0000b"'), 400, 'bad_request'),
  story('an unknown escape', params('"\\x41"'), 400, 'bad_request'),
  story('form fields', 'kind=test.echo&params=1', 400, 'bad_request'),
  story('XML with an entity', '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', 400, 'bad_request'),
  story('YAML', '!!js/function "function(){}"', 400, 'bad_request'),
  // Members that are not what they should be.
  story('a kind that is a number', '{"kind":1}', 422, 'invalid'),
  story('a kind that is a list', '{"kind":["test.echo"],"params":{"value":1}}', 422, 'invalid'),
  story('a kind that is an object', '{"kind":{"toString":"test.echo"}}', 422, 'invalid'),
  story('a kind that every object has', '{"kind":"constructor","params":{}}', 422, 'invalid'),
  story('a kind called __proto__', '{"kind":"__proto__","params":{}}', 422, 'invalid'),
  story('an empty kind', '{"kind":""}', 422, 'invalid'),
  story('no kind', '{"params":{"value":1}}', 422, 'invalid'),
  story('params that are null', '{"kind":"test.echo","params":null}', 422, 'invalid'),
  story('params that are a list', '{"kind":"test.echo","params":[1]}', 422, 'invalid'),
  story('params that are a text', '{"kind":"test.echo","params":"{}"}', 422, 'invalid'),
  story('a params member too many', '{"kind":"test.echo","params":{"value":1,"more":1}}', 422, 'invalid'),
  story('rows for a kind without', job(',"rows":[]'), 422, 'invalid'),
  story('rows that are an object', '{"kind":"test.effects","params":{},"rows":{"length":1e9}}', 422, 'invalid'),
  story('no rows', '{"kind":"test.effects","params":{},"rows":[]}', 422, 'no_rows'),
  story('a priority as text', job(',"priority":"9"'), 422, 'invalid'),
  story('a priority too high', job(',"priority":101'), 422, 'invalid'),
  story('a priority beyond all numbers', job(',"priority":1e999'), 422, 'invalid'),
  story('half a priority', job(',"priority":0.5'), 422, 'invalid'),
  story('a trial of none', job(',"trial":0'), 422, 'invalid'),
  story('a limit below zero', job(',"limits":{"maxFailed":-1}'), 422, 'invalid'),
  story('a share beyond all', job(',"limits":{"maxFailedPercent":100.001}'), 422, 'invalid'),
  story('another end of a limit', job(',"limits":{"maxFailed":1,"then":"explode"}'), 422, 'invalid'),
  story('a notice that is a word', job(',"notify":"yes"'), 422, 'invalid'),
  story('a notice to a list', job(',"notify":{"email":true,"to":["a@b.test"]}'), 422, 'invalid'),
  story('a notice to two', job(',"notify":{"email":true,"to":"a@b.test,c@d.test"}'), 422, 'invalid'),
  story('a notice with a header', job(',"notify":{"email":true,"to":"a@b.test\\r\\nBcc: c@d.test"}'), 422, 'invalid'),
  story('a title of blanks', job(',"title":"   "'), 422, 'invalid'),
  story('an unknown member', job(',"owner":"somebody"'), 422, 'invalid'),
  // Prototypes.
  story('__proto__ in the body', job(',"__proto__":{"polluted":true}'), 422, 'invalid'),
  story('constructor in the body', job(',"constructor":{"prototype":{"polluted":true}}'), 422, 'invalid'),
  story(
    '__proto__ in the params',
    '{"kind":"test.echo","params":{"value":1,"__proto__":{"polluted":true}}}',
    422,
    'invalid',
  ),
  story(
    '__proto__ in a value',
    params('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":1}}}'),
    202,
  ),
  story('a toJSON in a value', params('{"toJSON":"x","then":"y","valueOf":1}'), 202),
  // Sizes.
  story('ten thousand keys', params(keys(10_000)), 202),
  story('ten thousand unknown members', `{"kind":"test.echo",${keys(10_000).slice(1)}`, 422, 'invalid'),
  story('300 KB of a text', params(`"${'x'.repeat(300_000)}"`), 202),
  story('13 MB', params(`"${'x'.repeat(13_000_000)}"`), 413, 'too_large'),
  story('a key of a megabyte', params(`{"${'k'.repeat(1_000_000)}":1}`), 202),
  story('a number of a million digits', params('9'.repeat(1_000_000)), 422, 'invalid'),
  story('the same key twice', '{"kind":"nothing","kind":"test.echo","params":{"value":1}}', 202),
  story('numbers at their ends', params('[1e308,-1e308,5e-324,-0,9007199254740993]'), 202),
  story('a number beyond all numbers', params('1e999'), 422, 'invalid'),
  story('32 levels', params('['.repeat(30) + ']'.repeat(30)), 202),
  story('33 levels', params('['.repeat(31) + ']'.repeat(31)), 400, 'bad_request'),
  story('a million levels that never close', `{"kind":${'['.repeat(1_000_000)}`, 400, 'bad_request'),
  // How it is sent.
  sent('UTF-8 with a mark', {}, `\uFEFF${job('')}`, 400, 'bad_request'),
  sent(
    'bytes that are no UTF-8',
    {},
    Buffer.from([...Buffer.from('{"kind":"'), 0xff, 0xfe, ...Buffer.from('"}')]),
    422,
    'invalid',
  ),
  sent('UTF-16 that says so', { 'Content-Type': 'application/json; charset=utf-16' }, utf16, 400, 'bad_request'),
  sent('UTF-16 that does not say so', {}, utf16, 400, 'bad_request'),
  sent('another charset', { 'Content-Type': 'application/json; charset=iso-8859-1' }, job(''), 415, 'wrong_type'),
  sent('another encoding', { 'Content-Encoding': 'compress' }, job(''), 415, 'wrong_type'),
  sent('gzip that is none', { 'Content-Encoding': 'gzip' }, job(''), 400, 'bad_request'),
  sent('plain text', { 'Content-Type': 'text/plain' }, job(''), 415, 'wrong_type'),
  sent('a form', { 'Content-Type': 'application/x-www-form-urlencoded' }, job(''), 415, 'wrong_type'),
  sent('a JSON of another name', { 'Content-Type': 'application/ld+json' }, job(''), 415, 'wrong_type'),
  sent('an Idempotency-Key too long', { 'Idempotency-Key': 'k'.repeat(5000) }, job(''), 422, 'invalid'),
  sent('a method in a header', { 'X-HTTP-Method-Override': 'DELETE' }, job(''), 202),
];
