// The file of a backup: a gzipped tar whose last entry, manifest.json, names every other with its size and SHA-256. A file that
// was cut off therefore has none, and is refused. Called by backup.ts and restore.ts; knows nothing of what the entries mean.
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { extract, pack } from 'tar-stream';
import { z } from 'zod';
import { CliError } from './exitCodes';

const SAFE_NAME = /^(secret-key|artifacts\/[A-Za-z0-9][A-Za-z0-9._-]*|tables\/[a-z][a-z0-9_]*\/\d{6})$/;
const MANIFEST = 'manifest.json';
const MAX_MANIFEST_BYTES = 256 * 1024 * 1024;

const manifestSchema = z.object({
  format: z.literal(1),
  gantry: z.string(),
  madeAt: z.string(),
  migrations: z.array(z.string()).min(1),
  /** SHA-256 over the SECRET_KEY that opens the stored secrets. */
  keyCheck: z.string(),
  tables: z.array(z.object({ name: z.string(), columns: z.array(z.string()), rows: z.int() })),
  sequences: z.array(z.object({ table: z.string(), column: z.string(), last: z.string() })),
  entries: z.array(z.object({ name: z.string(), size: z.int(), sha256: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

export interface ArchiveWriter {
  add(name: string, content: Buffer): Promise<void>;
  /** @throws when the stream does not give `size` bytes. */
  addStream(name: string, size: number, content: Readable): Promise<void>;
  finish(manifest: Omit<Manifest, 'format' | 'entries'>): Promise<void>;
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

export function writeArchive(file: string): ArchiveWriter {
  const partial = `${file}.partial`;
  const tar = pack();
  // It holds password hashes and, with the embedded database, the key of all secrets.
  const target = createWriteStream(partial, { mode: 0o600, flush: true });
  const written = pipeline(tar, createGzip({ level: 5 }), target);
  let fault: unknown = null;
  written.catch((error: unknown) => (fault = error));
  const entries: Manifest['entries'] = [];

  const addStream: ArchiveWriter['addStream'] = async (name, size, content) => {
    const hash = createHash('sha256');
    const entry = tar.entry({ name, size, mode: 0o600 });
    await Promise.race([pipeline(content, hashing(hash), entry), written.then(() => undefined)]);
    if (fault) throw fault as Error;
    entries.push({ name, size, sha256: hash.digest('hex') });
  };
  const add: ArchiveWriter['add'] = async (name, content) => {
    if (fault) throw fault as Error;
    await Promise.race([
      new Promise<void>((resolve, reject) =>
        tar.entry({ name, size: content.length, mode: 0o600 }, content, (error) => (error ? reject(error) : resolve())),
      ),
      written,
    ]);
    entries.push({ name, size: content.length, sha256: createHash('sha256').update(content).digest('hex') });
  };
  return {
    add,
    addStream,
    finish: async (rest) => {
      await add(MANIFEST, Buffer.from(JSON.stringify({ format: 1, ...rest, entries: [...entries] })));
      tar.finalize();
      await written;
      await rename(partial, file);
    },
    abandon: async () => {
      tar.destroy();
      await written.catch(() => undefined);
      await rm(partial, { force: true });
    },
  };
}

function hashing(hash: Hash): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    for await (const part of source) {
      hash.update(part);
      yield part;
    }
  };
}

/**
 * Reads the whole archive; `take` gets each entry but the manifest and reads it to its end.
 * @throws CliError when anything in it is not as its manifest says. What `take` did by then has to be undone.
 */
export async function readArchive(
  file: string,
  take: (name: string, content: AsyncIterable<Buffer>) => Promise<void>,
): Promise<Manifest> {
  const seen: Manifest['entries'] = [];
  let manifest: unknown = null;
  const entries = extract();
  const reading = pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), createGunzip(), entries);
  reading.catch(() => undefined);
  try {
    for await (const entry of entries) {
      const { name } = entry.header;
      const content = entry as unknown as AsyncIterable<Buffer>;
      const size = entry.header.size ?? 0;
      if (manifest !== null) throw broken(file, `${name} comes after the manifest`);
      if (name === MANIFEST) {
        if (size > MAX_MANIFEST_BYTES) throw broken(file, 'its manifest is too large');
        manifest = JSON.parse((await bytesOf(content)).toString('utf8'));
        continue;
      }
      if (!SAFE_NAME.test(name)) throw broken(file, `it holds an entry that no backup has: ${JSON.stringify(name)}`);
      const hash = createHash('sha256');
      await take(name, hashing(hash)(content));
      seen.push({ name, size, sha256: hash.digest('hex') });
    }
    await reading;
  } catch (error) {
    entries.destroy();
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof CliError || code === 'ENOENT' || code === 'EACCES' || code === 'EISDIR') throw error;
    // Faults of gzip and tar, and of JSON; what the database said is told as it is.
    const isFormat = /^Z_|^ERR_STREAM_PREMATURE/.test(code ?? '') || /\btar\b|Unexpected end|JSON/i.test(message);
    throw isFormat ? broken(file, message) : error;
  }
  if (manifest === null) throw broken(file, 'it has no manifest: it was cut off, or is no backup of Gantry');
  const parsed = manifestSchema.safeParse(manifest);
  if (!parsed.success) throw broken(file, 'its manifest cannot be understood by this version');
  const named = new Map(parsed.data.entries.map((entry) => [entry.name, entry]));
  const wrong = seen.find((entry) => named.get(entry.name)?.sha256 !== entry.sha256);
  if (wrong) throw broken(file, `${wrong.name} is not what the manifest says`);
  if (named.size !== seen.length) throw broken(file, 'an entry that the manifest names is missing');
  return parsed.data;
}

function broken(file: string, why: string): CliError {
  return new CliError(`${file} is broken: ${why}. Nothing was restored; take another copy of it.`);
}

async function bytesOf(content: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts);
}
