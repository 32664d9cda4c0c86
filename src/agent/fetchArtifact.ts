// Brings an artifact to the target and proves that it is the one the signed command names. Called by runCommand.
// A broken or lost connection is tried again; what arrives whole and is not the right content is never used.
import { createHash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pause } from '../lib/abort';
import { downloadHeaders, type AgentCommand } from '../lib/agentProtocol';
import { messageOf } from '../lib/errors';
import { StepError, throwIfStopped } from './stepError';

export interface ArtifactSource {
  /** The server's address, without a slash at the end. */
  server: string;
  agentId: string;
  privateKey: string;
  folder: string;
  /** The server's time. */
  now(): number;
}

/** The server may be away for ten minutes without failing a deployment. */
const GIVE_UP_AFTER_MS = 15 * 60_000;
const MAX_PAUSE_MS = 5_000;
/** A download that stands still for so long is broken off and begun again. */
const STALL_MS = 30_000;

export function artifactPath(folder: string, commandId: string): string {
  return join(folder, commandId);
}

/** Leaves the whole, checked artifact at `artifactPath`, unless it is there already. */
export async function fetchArtifact(
  command: AgentCommand,
  source: ArtifactSource,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { artifact } = command;
  const path = artifactPath(source.folder, command.id);
  if (await isGood(path, artifact)) return;
  const giveUpAt = Date.now() + GIVE_UP_AFTER_MS;
  for (let attempt = 1; ; attempt++) {
    throwIfStopped(signal);
    try {
      await download(artifact, source, `${path}.part`, signal);
      await rename(`${path}.part`, path);
      return;
    } catch (error) {
      await rm(`${path}.part`, { force: true });
      throwIfStopped(signal);
      if (error instanceof StepError || isDisk(error)) throw error;
      if (Date.now() > giveUpAt) {
        throw new StepError(
          'download_failed',
          `${artifact.name} could not be downloaded (${reason(error)}). Nothing was changed.`,
        );
      }
      if (attempt === 1) say(`download of ${artifact.name} broke off (${reason(error)}); trying again`);
    }
    await pause(Math.min(MAX_PAUSE_MS, 250 * 2 ** Math.min(attempt, 8)) * (0.5 + Math.random() / 2), signal);
  }
}

async function download(
  artifact: AgentCommand['artifact'],
  source: ArtifactSource,
  part: string,
  signal: AbortSignal,
): Promise<void> {
  const stalled = new AbortController();
  let stall = setTimeout(() => stalled.abort(), STALL_MS);
  const file = await open(part, 'w', 0o600);
  try {
    const response = await fetch(source.server + artifact.path, {
      headers: downloadHeaders(source.agentId, artifact.path, source.now(), source.privateKey),
      redirect: 'error',
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      // The server will not think better of these; all others (it is starting, busy, away) pass.
      if ([400, 401, 403, 404, 410].includes(response.status)) {
        throw new StepError(
          'download_failed',
          `The server does not give out ${artifact.name} (status ${response.status}). Nothing was changed.`,
        );
      }
      throw new Error(`status ${response.status}`);
    }
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of response.body) {
      clearTimeout(stall);
      stall = setTimeout(() => stalled.abort(), STALL_MS);
      size += chunk.length;
      if (size > artifact.size) throw wrongContent(artifact, `it is larger than ${artifact.size} bytes`);
      hash.update(chunk);
      await file.writeFile(chunk);
    }
    if (size < artifact.size) throw new Error(`only ${size} of ${artifact.size} bytes arrived`);
    if (hash.digest('hex') !== artifact.sha256) throw wrongContent(artifact, 'its SHA-256 is another');
    await file.sync();
  } finally {
    clearTimeout(stall);
    await file.close();
  }
}

/** The artifact, open, just checked. Checked again by `assertUnchanged` after use, before what was made of it counts. */
export async function openArtifact(command: AgentCommand, folder: string): Promise<FileHandle> {
  const file = await open(artifactPath(folder, command.id), 'r');
  try {
    await assertUnchanged(file, command.artifact);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

export async function assertUnchanged(file: FileHandle, artifact: AgentCommand['artifact']): Promise<void> {
  if ((await hashOf(file)) !== artifact.sha256)
    throw wrongContent(artifact, 'it was changed on this machine after the download');
}

async function isGood(path: string, artifact: AgentCommand['artifact']): Promise<boolean> {
  const file = await open(path, 'r').catch(() => null);
  if (file === null) return false;
  try {
    return (await hashOf(file)) === artifact.sha256;
  } finally {
    await file.close();
  }
}

async function hashOf(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(256 * 1024);
  for (let position = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

function wrongContent(artifact: AgentCommand['artifact'], why: string): StepError {
  return new StepError(
    'bad_artifact',
    `${artifact.name} is not what the command names: ${why}. Nothing was changed; the version before runs on.`,
  );
}

function isDisk(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function reason(error: unknown): string {
  const cause = (error as { cause?: unknown }).cause;
  return messageOf(cause instanceof Error && cause.message !== '' ? cause : error, 300);
}
