// Unpacks what a scenario wants of an artifact into a fresh folder that only we write to. Called by releases.ts.
// It never follows or makes a link, never writes outside `into`, and never overwrites: every file is created anew.
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract as tarExtract, type Header } from 'tar-stream';
import { fromFdPromise, getFileNameLowLevel, type Entry } from 'yauzl';
import { messageOf } from '../lib/errors';
import type { AgentCommand } from '../lib/agentProtocol';
import {
  createArchiveGuard,
  plainParts,
  quote,
  refuse,
  type ArchiveGuard,
  type ArchiveLimits,
  type EntryKind,
} from './archiveRules';
import { StepError, throwIfStopped } from './stepError';

export interface Unpacking {
  /** An open, checked artifact. It is read by descriptor, so that a file put in its place changes nothing. */
  file: FileHandle;
  artifact: Pick<AgentCommand['artifact'], 'name' | 'format'>;
  /** A folder or file of the archive; `/` is all of it. */
  sourcePath: string;
  /** An empty folder. */
  into: string;
  limits: ArchiveLimits;
  signal: AbortSignal;
}

/** What both libraries give for an entry. */
interface Content extends AsyncIterable<unknown> {
  destroy(): unknown;
  resume(): unknown;
}

interface Writing extends Unpacking {
  guard: ArchiveGuard;
  source: string[];
  matched: boolean;
}

/** Throws a StepError when the artifact is refused; then `into` holds rubbish, and the caller removes it. */
export async function unpackArchive(unpacking: Unpacking): Promise<void> {
  const source = plainParts(unpacking.sourcePath.replace(/^\/+/, ''), 'the source path');
  const writing: Writing = {
    ...unpacking,
    guard: createArchiveGuard(unpacking.limits),
    source,
    matched: source.length === 0,
  };
  try {
    await UNPACKERS[unpacking.artifact.format](writing);
  } catch (error) {
    throwIfStopped(unpacking.signal);
    if (error instanceof StepError || isFileSystemError(error)) throw error;
    throw refuse(`it cannot be read as ${unpacking.artifact.format} (${messageOf(error, 300)})`);
  }
  if (!writing.matched) throw refuse(`it has no ${quote(unpacking.sourcePath)}`);
}

const UNPACKERS: Record<AgentCommand['artifact']['format'], (writing: Writing) => Promise<void>> = {
  tar: (writing) => unpackTar(writing, false),
  'tar.gz': (writing) => unpackTar(writing, true),
  zip: unpackZip,
  file: async (writing) => {
    const name = writing.artifact.name;
    if (name.includes('/')) throw refuse(`its name ${quote(name)} is not the name of a file`);
    await writeEntry(writing, name, 'file', 0o644, readAll(writing.file));
  },
};

/** Headers, padding and long names of tar that may come between two entries; more is an attack on our memory. */
const TAR_SLACK_BYTES = 4 * 1024 * 1024;

async function unpackTar(writing: Writing, gzipped: boolean): Promise<void> {
  const extract = tarExtract();
  let passed = 0;
  let accounted = 0;
  let working: Promise<void> = Promise.resolve();
  let failure: unknown;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      passed += chunk.length;
      done(passed - accounted > TAR_SLACK_BYTES ? refuse('its headers are too large') : null, chunk);
    },
  });
  extract.on('entry', (header, stream, next) => {
    accounted += (header.size ?? 0) + 1024;
    working = takeTarEntry(writing, header, stream).then(
      () => next(),
      (error: unknown) => {
        failure ??= error;
        extract.destroy(error as Error);
      },
    );
  });
  try {
    const steps = [readAll(writing.file), ...(gzipped ? [createGunzip()] : []), meter, extract];
    await pipeline(steps as unknown as [Readable, Transform], { signal: writing.signal });
  } catch (error) {
    await working;
    // The first cause, not what the streams make of it.
    throw failure ?? error;
  }
  // The last entry may still be on its way to the disk.
  await working;
  if (failure !== undefined) throw failure;
}

async function takeTarEntry(writing: Writing, header: Header, stream: Content): Promise<void> {
  const kind = TAR_KINDS[header.type ?? ''];
  if (kind === undefined)
    throw refuse(`${quote(header.name)} is a ${header.type ?? 'special entry'}, not a file or folder`);
  const pax = (header.pax ?? {}) as object;
  if (Object.keys(pax).some((key) => key.startsWith('GNU.sparse')))
    throw refuse(`${quote(header.name)} is a sparse file`);
  if (!Number.isSafeInteger(header.size) || (header.size ?? 0) < 0)
    throw refuse(`${quote(header.name)} has no valid size`);
  await writeEntry(writing, header.name, kind, header.mode ?? 0o644, stream);
}

const TAR_KINDS: Record<string, EntryKind | undefined> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'folder',
};

async function unpackZip(writing: Writing): Promise<void> {
  const zip = await fromFdPromise(writing.file.fd, { autoClose: false, lazyEntries: true, decodeStrings: false });
  if (zip.entryCount > writing.limits.maxEntries)
    throw refuse(`it holds more than ${writing.limits.maxEntries} entries`);
  for await (const entry of zip.eachEntry()) {
    throwIfStopped(writing.signal);
    const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
    const mode = entry.externalFileAttributes >>> 16;
    const kind = zipKind(name, mode);
    if (kind === null) throw refuse(`${quote(name)} is a link or a special file, not a file or folder`);
    if (kind === 'folder') {
      await writeEntry(writing, name, kind, mode || 0o755, null);
      continue;
    }
    if (!canRead(entry)) throw refuse(`${quote(name)} is encrypted or packed in an unknown way`);
    await writeEntry(writing, name, kind, mode || 0o644, await zip.openReadStreamPromise(entry));
  }
}

/** The upper half of the attributes is a Unix mode, whatever system the archive claims to come from. */
function zipKind(name: string, mode: number): EntryKind | null {
  const type = mode & 0o170000;
  if (type !== 0 && type !== 0o100000 && type !== 0o040000) return null;
  return name.endsWith('/') || type === 0o040000 ? 'folder' : 'file';
}

function canRead(entry: Entry): boolean {
  return !entry.isEncrypted() && entry.canDecodeFileData();
}

async function writeEntry(
  writing: Writing,
  name: string,
  kind: EntryKind,
  mode: number,
  content: Content | null,
): Promise<void> {
  const path = writing.guard.admit(name, kind);
  const parts = path === '' ? [] : path.split('/');
  const target = placeUnder(writing, parts, kind);
  if (target !== null) writing.matched = true;
  if (kind === 'folder') {
    // Only the nine permission bits survive, and never write access for others.
    if (target !== null) await mkdir(join(writing.into, ...target), { recursive: true, mode: (mode & 0o755) | 0o700 });
    content?.resume();
    return;
  }
  let file: FileHandle | null = null;
  try {
    if (target !== null) {
      await mkdir(join(writing.into, ...target.slice(0, -1)), { recursive: true, mode: 0o755 });
      file = await open(join(writing.into, ...target), 'wx', (mode & 0o755) | 0o600);
    }
    for await (const chunk of content ?? []) {
      throwIfStopped(writing.signal);
      writing.guard.take((chunk as Buffer).length);
      await file?.writeFile(chunk as Buffer);
    }
  } finally {
    content?.destroy();
    await file?.close();
  }
}

/** Where an entry goes below `into`, or null if it is not part of the source path. */
function placeUnder(writing: Writing, parts: string[], kind: EntryKind): string[] | null {
  const { source } = writing;
  if (!source.every((part, index) => parts[index] === part)) return null;
  if (parts.length > source.length) return parts.slice(source.length);
  if (kind === 'folder') return [];
  return parts.slice(-1);
}

/** By descriptor and position; unlike a read stream of Node it never closes the file, whatever ends it. */
function readAll(file: FileHandle): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let position = 0; ;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(64 * 1024), 0, 64 * 1024, position);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
      position += bytesRead;
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}

/** Errors of our own disk (ENOSPC, EACCES …) speak for themselves and are no fault of the archive. */
function isFileSystemError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'syscall' in error;
}
