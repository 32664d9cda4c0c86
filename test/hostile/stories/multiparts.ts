// Multipart bodies that are bent, broken or posing (reliability B9), byte for byte. Boundary: x.
export interface MultipartStory {
  name: string;
  body: string;
  /** Default: multipart/form-data; boundary=x */
  contentType?: string;
  /** 200: taken. Else the statuses of which the refusal has one. */
  answer: number[];
  /** Rows of the job that is made. */
  rows?: number;
}

export const TYPE = 'multipart/form-data; boundary=x';
const JOB = '{"kind":"test.effects","params":{}}';
const part = (head: string, content: string): string => `--x\r\n${head}\r\n\r\n${content}\r\n`;
const named = (name: string, content: string, more = ''): string =>
  part(`Content-Disposition: form-data; name="${name}"${more}`, content);
const csv = '; filename="r.csv"\r\nContent-Type: text/csv';
const job = named('job', JOB);
const rows = named('rows', 'a,b\n1,2\n', csv);
const END = '--x--\r\n';
const bad = (name: string, body: string, ...answer: number[]): MultipartStory => ({
  ...{ name, body },
  answer: answer.length > 0 ? answer : [400],
});
const good = (name: string, body: string, count = 1): MultipartStory => ({ name, body, answer: [202], rows: count });
const typed = (name: string, contentType: string, body: string, ...answer: number[]): MultipartStory => ({
  ...{ name, contentType, body, answer },
});

export const UPLOADS: MultipartStory[] = [
  good('a whole one', job + rows + END),
  good('text before the first boundary', `preamble\r\n${job}${rows}${END}`),
  good('text after the last boundary', `${job}${rows}${END}epilogue --x`),
  good('an end without a line break', `${job}${rows}--x--`),
  good('heads in odd letters', job.replace('Content-Disposition', 'cOnTeNt-dIsPoSiTiOn') + rows + END),
  good('a file name with a path', job + rows.replace('r.csv', '../../../etc/r.csv') + END),
  good('a file name with a U+0000 escaped', job + rows.replace('r.csv', 'r%00.csv') + END),
  good('a file name of ten thousand letters', job + rows.replace('r.csv', `${'r'.repeat(10_000)}.csv`) + END),
  good('a boundary inside a row', job + named('rows', 'a,b\n"--x",2\n', csv) + END),
  good('fifty heads more', job + rows.replace('\r\n\r\n', `\r\n${'X-A: b\r\n'.repeat(40)}\r\n`) + END),
  bad('nothing', '', 400),
  bad('an end alone', END),
  bad('a beginning alone', '--x\r\n'),
  bad('a boundary alone', '--x'),
  bad('line feeds for line breaks', (job + rows + END).replaceAll('\r\n', '\n')),
  bad('another boundary', (job + rows + END).replaceAll('--x', '--y')),
  bad('the boundary in capitals', (job + rows + END).replaceAll('--x', '--X')),
  bad('no end', job + rows),
  bad('no end in the head of a part', `${job}--x\r\nContent-Disposition: form-data; name="rows"`),
  bad('no end in the rows', job + rows.slice(0, -6)),
  bad('no end in the job', job.slice(0, -10)),
  bad('a part without a head', `--x\r\n\r\n${JOB}\r\n${rows}${END}`),
  bad('a part without a name', part('Content-Disposition: form-data', JOB) + rows + END),
  bad('an empty name', named('', JOB) + rows + END),
  bad('a name that every object has', named('__proto__', JOB) + named('constructor', JOB) + rows + END),
  bad('a name of a million letters', named('n'.repeat(1_000_000), JOB) + rows + END),
  bad('names with brackets', named('job[kind]', 'test.effects') + named('job[params]', '{}') + rows + END),
  bad('deeply nested names', named(`job${'[a]'.repeat(10_000)}`, JOB) + END),
  bad('a thousand parts', Array.from({ length: 1000 }, (_, at) => named(`p${at}`, 'x')).join('') + END),
  bad('a thousand empty parts', '--x\r\n\r\n\r\n'.repeat(1000) + END),
  bad('a thousand boundaries', '--x\r\n'.repeat(1000) + END),
  bad('a head of a megabyte', part(`X-Long: ${'a'.repeat(1_000_000)}`, JOB) + END),
  bad('a hundred thousand heads', part('X-A: b\r\n'.repeat(100_000).slice(0, -2), JOB) + END),
  bad('a folded head', part('Content-Disposition:\r\n form-data;\r\n name="other"', JOB) + END),
  bad('a nested multipart', named('job', `--y\r\n${job}--y--`, '\r\nContent-Type: multipart/mixed; boundary=y') + END),
  bad(
    'a job in base64',
    named('job', Buffer.from(JOB).toString('base64'), '\r\nContent-Transfer-Encoding: base64') + rows + END,
    202,
    400,
  ),
  bad('a job in UTF-16', named('job', Buffer.from(JOB, 'utf16le').toString('latin1')) + rows + END),
  bad('a job that is a list', named('job', '[]') + rows + END, 422),
  bad('a job that is null', named('job', 'null') + rows + END, 400, 422),
  bad('an empty job', named('job', '') + rows + END),
  bad(
    'a job with __proto__',
    named('job', '{"kind":"test.effects","params":{},"__proto__":{"polluted":1}}') + rows + END,
    422,
  ),
  bad('rows that are a field', job + named('rows', 'a,b\n1,2\n') + END),
  bad('rows of no bytes', job + named('rows', '', csv) + END, 422),
  bad('rows that are no UTF-8', job + named('rows', 'a,b\n\xff\xfe,2\n', csv) + END, 422),
  bad('rows with one quote', job + named('rows', 'a,b\n"1,2\n', csv) + END, 422),
  bad('a header twice', job + named('rows', 'a,a\n1,2\n', csv) + END, 422),
  bad('a cell of two megabytes', job + named('rows', `a,b\n${'1'.repeat(2_000_000)},2\n`, csv) + END, 413, 422),
  bad('a line of a hundred thousand cells', job + named('rows', `${'a,'.repeat(100_000)}\n`, csv) + END, 422),
  typed('no boundary', 'multipart/form-data', job + rows + END, 400),
  typed('an empty boundary', 'multipart/form-data; boundary=', job + rows + END, 400),
  typed('a boundary of ten thousand letters', `multipart/form-data; boundary=${'x'.repeat(10_000)}`, job + END, 400),
  typed('a boundary of blanks', 'multipart/form-data; boundary="  "', job + rows + END, 400),
  typed('two boundaries', 'multipart/form-data; boundary=y; boundary=x', job + rows + END, 400, 202),
  typed('JSON that poses as multipart', TYPE, JOB, 400),
  typed('multipart that poses as JSON', 'application/json', job + rows + END, 400),
  typed('multipart of another kind', 'multipart/mixed; boundary=x', job + rows + END, 400, 415),
  typed('multipart/related', 'multipart/related; boundary=x', job + rows + END, 400, 415),
];

const file = (name: string, content: string): string =>
  named('file', content, `; filename="${name}"\r\nContent-Type: application/octet-stream`);

/** Uploads of an artifact. */
export const ARTIFACTS: MultipartStory[] = [
  { name: 'a whole one', body: file('site.bin', 'content') + END, answer: [201] },
  { name: 'a path for a name', body: file('../../../../tmp/evil.bin', 'content') + END, answer: [201, 422] },
  { name: 'a name with a U+0000', body: file('a\u0000.bin', 'content') + END, answer: [201, 400, 422] },
  bad('no name', named('file', 'content', '; filename=""') + END, 201, 422),
  bad('an empty file', file('a.bin', '') + END, 422),
  bad('a file that never ends', file('a.bin', 'content'), 422),
  bad('a second file', file('a.bin', 'content') + file('b.bin', 'content') + END, 422),
  bad('a field behind the file', file('a.bin', 'content') + named('more', 'x') + END, 422),
  bad('a field before the file', named('more', 'x') + file('a.bin', 'content') + END, 422),
  bad('a file of another name', file('a.bin', 'c').replace('"file"', '"other"') + END, 422),
  bad('nothing', END, 422),
  bad('two megabytes', file('a.bin', 'x'.repeat(2_000_000)) + END, 413),
  typed('no boundary', 'multipart/form-data', file('a.bin', 'c') + END, 422),
  typed('JSON', 'application/json', '{"file":"x"}', 415),
];
