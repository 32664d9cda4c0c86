// What may stand in an archive: plain files and folders with plain relative names, each once, within the limits.
// Called by unpackArchive for every entry before anything is written. Links, devices and odd names are refused, never mended.
import { StepError } from './stepError';

export interface ArchiveLimits {
  /** Sum of all unpacked files, in bytes. */
  maxBytes: number;
  /** Files and folders, folders that are only implied by names included. */
  maxEntries: number;
}

export const ARCHIVE_LIMITS: ArchiveLimits = { maxBytes: 1024 ** 3, maxEntries: 50_000 };

/** Linux allows 255 bytes a name and 4,096 a path; the folder of the release needs room too. */
const MAX_NAME_BYTES = 255;
const MAX_PATH_BYTES = 3_000;

export type EntryKind = 'file' | 'folder';

export interface ArchiveGuard {
  /** Checks one entry's name and returns its path, without leading `./`; '' for the root folder itself. */
  admit(name: string, kind: EntryKind): string;
  /** Counts unpacked bytes. */
  take(bytes: number): void;
}

export function createArchiveGuard(limits: ArchiveLimits): ArchiveGuard {
  /** Folded name -> the spelling and kind it was first seen with. */
  const seen = new Map<string, { path: string; kind: EntryKind; listed: boolean }>();
  let bytes = 0;

  const note = (path: string, kind: EntryKind, listed: boolean): void => {
    const key = path.normalize('NFC').toLowerCase();
    const before = seen.get(key);
    if (before === undefined) {
      if (seen.size >= limits.maxEntries) throw refuse(`it holds more than ${limits.maxEntries} entries`);
      seen.set(key, { path, kind, listed });
      return;
    }
    if (before.path !== path) throw refuse(`${quote(path)} and ${quote(before.path)} differ only by case or accents`);
    // A folder may be named again (some packers do); a file only once.
    if (before.kind !== kind || kind === 'file') throw refuse(`${quote(path)} is in it twice`);
  };

  return {
    admit(name, kind) {
      const parts = plainParts(name, 'the entry');
      for (let depth = 1; depth < parts.length; depth++) note(parts.slice(0, depth).join('/'), 'folder', false);
      const path = parts.join('/');
      if (path !== '') note(path, kind, true);
      else if (kind === 'file') throw refuse('an entry has no name');
      return path;
    },
    take(count) {
      bytes += count;
      if (bytes > limits.maxBytes) throw refuse(`its files are larger than ${limits.maxBytes} bytes when unpacked`);
    },
  };
}

/** The parts of a relative path; refuses whatever could lead elsewhere on any system. `.` parts are dropped. */
export function plainParts(name: string, what: string): string[] {
  if (name.includes('\\')) throw refuse(`${what} ${quote(name)} has a backslash in its name`);
  if (name.startsWith('/')) throw refuse(`${what} ${quote(name)} is an absolute path`);
  if (/^[A-Za-z]:/.test(name)) throw refuse(`${what} ${quote(name)} begins with a drive letter`);
  if (/[\u0000-\u001f\u007f]/.test(name)) throw refuse(`${what} ${quote(name)} has control characters in its name`);
  if (Buffer.byteLength(name) > MAX_PATH_BYTES)
    throw refuse(`${what} ${quote(name)} has a name of more than ${MAX_PATH_BYTES} bytes`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuse(`${what} ${quote(name)} leads out of its folder`);
  if (parts.some((part) => Buffer.byteLength(part) > MAX_NAME_BYTES))
    throw refuse(`${what} ${quote(name)} has a name that is too long`);
  return parts;
}

export function refuse(why: string): StepError {
  return new StepError('unsafe_archive', `The artifact is not unpacked: ${why}. The version before runs on.`);
}

export function quote(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
