// The archive corpus (reliability.md B7): whatever an archive says, nothing is written outside, and refusals are told apart.
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ARCHIVE_LIMITS, type ArchiveLimits } from '../../src/agent/archiveRules';
import { StepError } from '../../src/agent/stepError';
import { unpackArchive } from '../../src/agent/unpackArchive';
import type { AgentCommand } from '../../src/lib/agentProtocol';
import { buildTar, buildTarGz, buildZip, type TarEntry, type ZipEntry } from './buildArchive';
import { scratchFolder } from './startAgent';

type Format = AgentCommand['artifact']['format'];
let scratch: ReturnType<typeof scratchFolder>;
let into: string;

beforeEach(() => {
  scratch = scratchFolder();
  into = join(scratch.path, 'a', 'b', 'into');
  mkdirSync(into, { recursive: true });
});
afterEach(() => scratch.remove());

async function unpack(
  bytes: Buffer,
  format: Format,
  more: { sourcePath?: string; limits?: ArchiveLimits; name?: string } = {},
): Promise<void> {
  const path = join(scratch.path, 'artifact');
  writeFileSync(path, bytes);
  const file = await open(path, 'r');
  try {
    await unpackArchive({
      file,
      artifact: { name: more.name ?? 'site', format },
      sourcePath: more.sourcePath ?? '/',
      into,
      limits: more.limits ?? ARCHIVE_LIMITS,
      signal: new AbortController().signal,
    });
  } finally {
    await file.close();
  }
}

/** Each refusal starts from an empty folder, as the product does. */
async function refusalOf(unpacking: Promise<void>): Promise<string> {
  const error = await unpacking.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  rmSync(into, { recursive: true });
  mkdirSync(into);
  if (!(error instanceof StepError)) throw new Error(`no refusal, but ${String(error)}`);
  expect(error.code).toBe('unsafe_archive');
  return error.message;
}

/** The scratch folder holds the artifact and the way to `into`, nothing else. */
function expectNothingOutside(): void {
  expect(readdirSync(scratch.path).sort()).toEqual(['a', 'artifact']);
  expect(readdirSync(join(scratch.path, 'a'))).toEqual(['b']);
  expect(readdirSync(join(scratch.path, 'a', 'b'))).toEqual(['into']);
}

const good: TarEntry[] = [
  { name: './', type: 'directory' },
  { name: './index.html', content: 'hello' },
  { name: 'css/', type: 'directory', mode: 0o777 },
  { name: 'css/site.css', content: 'p{}', mode: 0o4755 },
  { name: `deep/${'long-name-'.repeat(15)}.txt`, content: 'long' },
  { name: 'empty', content: '' },
];

describe('a good archive', () => {
  const cases: [Format, () => Promise<Buffer>][] = [
    ['tar', () => buildTar(good)],
    ['tar.gz', () => buildTarGz(good)],
    [
      'zip',
      async () =>
        buildZip(
          good.map(({ name, content, type }) => ({
            name: name.replace('./', '') || 'x/',
            content,
            mode: type ? 0o40755 : name.endsWith('css') ? 0o104755 : 0o100644,
          })),
        ),
    ],
  ];
  it.each(cases)('is unpacked whole from %s, without setuid bits', async (format, build) => {
    await unpack(await build(), format);
    expect(readFileSync(join(into, 'index.html'), 'utf8')).toBe('hello');
    expect(readFileSync(join(into, 'css/site.css'), 'utf8')).toBe('p{}');
    expect(lstatSync(join(into, 'css/site.css')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(into, 'css')).mode & 0o7777 & 0o022).toBe(0);
    expect(readFileSync(join(into, good[4]?.name ?? ''), 'utf8')).toBe('long');
    expect(lstatSync(join(into, 'empty')).size).toBe(0);
    expectNothingOutside();
  });

  it('gives only what the source path names: a folder, or one file', async () => {
    const bytes = await buildTar(good);
    await unpack(bytes, 'tar', { sourcePath: '/css' });
    expect(readdirSync(into)).toEqual(['site.css']);
    await unpack(bytes, 'tar', { sourcePath: 'index.html' });
    expect(readdirSync(into).sort()).toEqual(['index.html', 'site.css']);
    expect(await refusalOf(unpack(bytes, 'tar', { sourcePath: '/cs' }))).toContain('it has no "/cs"');
  });

  it('may be one plain file', async () => {
    await unpack(Buffer.from('a,b'), 'file', { name: 'table.csv' });
    expect(readFileSync(join(into, 'table.csv'), 'utf8')).toBe('a,b');
  });
});

const file = (name: string): TarEntry => ({ name, content: 'evil' });
const badNames: [string, string[]][] = [
  ['leads out of its folder', ['../evil', 'a/../../evil', 'a/b/../../../evil', '..']],
  ['is an absolute path', ['/etc/evil', '//evil']],
  ['has a backslash', ['..\\evil', 'a\\evil', '\\\\host\\evil']],
  ['drive letter', ['C:evil', 'c:/evil']],
  ['control characters', ['a\nb', 'a\u001b[2J']],
  ['too long', [`${'x'.repeat(300)}`]],
  ['differ only by case', []],
];

describe('a bad name is refused', () => {
  const cases = badNames.flatMap(([why, names]) => names.map((name) => [name, why] as const));
  it.each(cases)('%j in tar and zip', async (name, why) => {
    expect(await refusalOf(unpack(await buildTar([file('ok'), file(name)]), 'tar'))).toContain(why);
    expect(await refusalOf(unpack(buildZip([{ name: 'ok2' }, { name, content: 'evil' }]), 'zip'))).toContain(why);
    expectNothingOutside();
  });

  const collisions: [string, TarEntry[], string][] = [
    ['the same file twice', [file('a'), file('a')], 'twice'],
    ['the same file spelled twice', [file('a/b'), file('./a//b')], 'twice'],
    ['names that differ by case', [file('A'), file('a')], 'differ only by case'],
    ['folders that differ by case', [file('Dir/x'), file('dir/y')], 'differ only by case'],
    ['names that differ by accents', [file('caf\u00e9'), file('cafe\u0301')], 'differ only by case'],
    ['a file where a folder is', [file('a/b'), file('a')], 'twice'],
    ['a folder where a file is', [file('a'), file('a/b')], 'twice'],
  ];
  it.each(collisions)('%s', async (_what, entries, why) => {
    expect(await refusalOf(unpack(await buildTar(entries), 'tar'))).toContain(why);
    expect(await refusalOf(unpack(buildZip(entries as ZipEntry[]), 'zip'))).toContain(why);
  });
});

describe('what is no file or folder is refused', () => {
  const types: NonNullable<TarEntry['type']>[] = ['symlink', 'link', 'character-device', 'block-device', 'fifo'];
  it.each(types)('%s in tar', async (type) => {
    const entries = [{ name: 'way', type, linkname: '/etc', size: 0 }, file('way/evil')];
    expect(await refusalOf(unpack(await buildTar(entries), 'tar'))).toContain('not a file or folder');
    expect(readdirSync(into)).toEqual([]);
  });
  it.each([0o120777, 0o020666, 0o060666, 0o010666, 0o140777])('mode %o in zip', async (mode) => {
    const entries: ZipEntry[] = [{ name: 'way', mode, content: '/etc' }, { name: 'way/evil' }];
    expect(await refusalOf(unpack(buildZip(entries), 'zip'))).toContain('not a file or folder');
    expect(readdirSync(into)).toEqual([]);
  });
  it('an encrypted entry', async () => {
    expect(await refusalOf(unpack(buildZip([{ name: 'x', content: 'y', flags: 1 }]), 'zip'))).toContain('encrypted');
  });
});

describe('limits', () => {
  const limits = { maxBytes: 1000, maxEntries: 10 };
  it('takes exactly the allowed bytes and entries, and not one more', async () => {
    await unpack(await buildTarGz([{ name: 'x', content: 'y'.repeat(1000) }]), 'tar.gz', { limits });
    expect(
      await refusalOf(unpack(await buildTarGz([{ name: 'z', content: 'y'.repeat(1001) }]), 'tar.gz', { limits })),
    ).toContain('larger than 1000 bytes');
    expect(await refusalOf(unpack(buildZip([{ name: 'w', content: 'y'.repeat(1001) }]), 'zip', { limits }))).toContain(
      'larger than 1000 bytes',
    );
    const files = (count: number, prefix: string): TarEntry[] =>
      Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}`, content: '' }));
    await unpack(await buildTar(files(10, 'f')), 'tar', { limits });
    expect(await refusalOf(unpack(await buildTar(files(11, 'g')), 'tar', { limits }))).toContain(
      'more than 10 entries',
    );
    expect(await refusalOf(unpack(buildZip(files(11, 'h') as ZipEntry[]), 'zip', { limits }))).toContain(
      'more than 10 entries',
    );
    expect(await refusalOf(unpack(await buildTar([file('1/2/3/4/5/6/7/8/9/10/11')]), 'tar', { limits }))).toContain(
      'more than 10 entries',
    );
  });

  it('stops in the middle of a large file', async () => {
    const content = Buffer.alloc(8 * 1024 * 1024);
    const why = 'larger than 1000 bytes';
    expect(await refusalOf(unpack(await buildTarGz([{ name: 'x', content }]), 'tar.gz', { limits }))).toContain(why);
    expect(await refusalOf(unpack(buildZip([{ name: 'x', content }]), 'zip', { limits }))).toContain(why);
  });

  it('stops a bomb early: bytes that the archive lies about, and headers without end', async () => {
    const bomb = gzipSync(Buffer.alloc(32 * 1024 * 1024));
    expect(await refusalOf(unpack(bomb, 'tar.gz', { limits }))).toMatch(/headers are too large|exceeds max size/);
    const header = (await buildTar([{ name: 'pax', content: 'x' }])).subarray(0, 512);
    header.write('x', 156);
    header.write('77777777777', 124);
    header.fill(' ', 148, 156);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    expect(
      await refusalOf(unpack(gzipSync(Buffer.concat([header, Buffer.alloc(32 * 1024 * 1024, 120)])), 'tar.gz')),
    ).toMatch(/headers are too large|exceeds max size/);
  });

  it('refuses rubbish and truncated archives', async () => {
    const whole = await buildTarGz([{ name: 'x', content: Buffer.alloc(100_000, 'q') }]);
    for (const bytes of [
      whole.subarray(0, whole.length - 20),
      Buffer.from('no archive at all, but some text'),
      Buffer.alloc(0),
    ]) {
      expect(await refusalOf(unpack(bytes, 'tar.gz'))).toContain('cannot be read');
      expect(await refusalOf(unpack(bytes, 'zip'))).toContain('cannot be read');
    }
    const tar = await buildTar([{ name: 'y', content: Buffer.alloc(100_000, 'q') }]);
    expect(await refusalOf(unpack(tar.subarray(0, 50_000), 'tar'))).toContain('cannot be read');
    expect(existsSync(join(into, 'no'))).toBe(false);
    expectNothingOutside();
  });
});
