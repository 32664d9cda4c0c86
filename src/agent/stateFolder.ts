// The agent's own folder, DIR/.gantry-agent: its key, its memory, journals of commands and downloaded artifacts, for its eyes only.
// Holds the paths, durable writing, and the lock that keeps two agents off one folder.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GantryError } from '../lib/errors';
import { isSameProcess, processStamp } from './processStamp';

export const STATE_FOLDER = '.gantry-agent';

export interface StateFolder {
  /** DIR, with links resolved. */
  root: string;
  identity: string;
  memory: string;
  commands: string;
  artifacts: string;
  /** Lets another agent have the folder. */
  release(): void;
}

export async function openStateFolder(dir: string): Promise<StateFolder> {
  mkdirSync(dir, { recursive: true });
  const root = await realpath(dir);
  const state = join(root, STATE_FOLDER);
  const folder = {
    root,
    identity: join(state, 'identity.json'),
    memory: join(state, 'memory.json'),
    commands: join(state, 'commands'),
    artifacts: join(state, 'artifacts'),
  };
  for (const path of [state, folder.commands, folder.artifacts]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = join(state, 'lock');
  takeLock(lock, root);
  return { ...folder, release: () => rmSync(lock, { force: true }) };
}

function takeLock(lock: string, root: string): void {
  const holder = readJson(lock) as { pid?: number; stamp?: string } | null;
  if (holder?.pid !== undefined && holder.pid !== process.pid && isSameProcess(holder.pid, holder.stamp ?? null)) {
    throw new GantryError(
      'in_use',
      `Another agent (process ${holder.pid}) works in ${root}. It runs on. Stop it first, or give this one another --root.`,
    );
  }
  writeDurably(lock, JSON.stringify({ pid: process.pid, stamp: processStamp(process.pid) }));
}

/** All or nothing, also over a kill or a power cut: written beside, synced, renamed. */
export function writeDurably(path: string, text: string): void {
  const beside = `${path}.new`;
  const file = openSync(beside, 'w', 0o600);
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
  syncFolder(dirname(path));
}

/** A name in a folder is only safe once the folder is. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** null where the file is missing; a file that is there but broken is an error for the operator to see. */
export function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new GantryError(
      'internal',
      `${path} is damaged. Nothing was changed. Restore it, or remove the agent's folder and enrol again.`,
    );
  }
}
