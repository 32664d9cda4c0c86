// Takes an artifact in as a stream: to a file under a name of our making, hashed and measured on the way, then one row.
// Called by routes/deployments/artifacts.ts. An upload that breaks off leaves neither file nor row.
import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { deleteIdleArtifact, findArtifact, insertArtifact, type ArtifactRow } from '../../db/queries/artifacts';
import { insertAudit } from '../../db/queries/audit';
import { cleanText, GantryError, notFound } from '../../lib/errors';
import { newId } from '../../lib/ids';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { getProject, inUse } from './access';
import { auditOf } from './auditOf';
import { SNIFF_BYTES, sniffFormat } from './sniffFormat';

export interface ArtifactStore {
  /** DATA_DIR/artifacts. */
  folder: string;
  maxBytes: number;
}

export async function uploadArtifact(
  deps: CommandDeps,
  store: ArtifactStore,
  actor: Actor,
  projectId: number,
  /** `whole` resolves when nothing that belongs to the upload was wrong; until then no row says that the file is there. */
  file: { name: string; source: Readable; whole: Promise<void> },
): Promise<ArtifactRow> {
  await getProject(deps.db, actor, projectId, 'deploy');
  const name = plainName(file.name);
  const storedAs = newId();
  const at = path.join(store.folder, storedAs);
  await mkdir(store.folder, { recursive: true, mode: 0o700 });
  try {
    const measured = await receive(file.source, `${at}.part`, store.maxBytes);
    await file.whole;
    await rename(`${at}.part`, at);
    return await deps.db.transaction().execute(async (tx) => {
      const row = await insertArtifact(tx, { projectId, name, storedAs, createdBy: actor.id, ...measured });
      if (!row) throw notFound('project');
      const after = { name, version: row.version, size: row.size, sha256: row.sha256 };
      await insertAudit(tx, auditOf(actor, 'artifact.create', 'artifact', row.id, { after }));
      return row;
    });
  } catch (error) {
    await rm(`${at}.part`, { force: true });
    await rm(at, { force: true });
    throw error;
  }
}

interface Measured {
  size: number;
  sha256: string;
  format: string;
}

async function receive(source: Readable, at: string, maxBytes: number): Promise<Measured> {
  const hash = createHash('sha256');
  let size = 0;
  let head = Buffer.alloc(0);
  const handle = await open(at, 'wx', 0o600);
  try {
    for await (const part of source as AsyncIterable<Buffer>) {
      size += part.length;
      if (size > maxBytes) {
        throw new GantryError(
          'too_large',
          `The file is larger than the ${Math.floor(maxBytes / 1024 / 1024)} MB that one upload may have. Nothing was kept.`,
        );
      }
      if (head.length < SNIFF_BYTES) head = Buffer.concat([head, part.subarray(0, SNIFF_BYTES - head.length)]);
      hash.update(part);
      await handle.writeFile(part);
    }
    if (size === 0) throw new GantryError('bad_upload', 'The file is empty. Nothing was kept.');
    // The row promises the bytes: they are on disk before it is written.
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { size, sha256: hash.digest('hex'), format: sniffFormat(head) };
}

/** The last part of whatever path the sender gave; only a label, never used as a path. */
function plainName(given: string): string {
  const name =
    cleanText(given)
      .split(/[\\/]/)
      .pop()
      ?.replace(/[\u0001-\u001f\u007f]/g, '')
      .trim() ?? '';
  return name.slice(0, 255) || 'artifact';
}

export async function deleteArtifact(
  deps: CommandDeps,
  store: ArtifactStore,
  actor: Actor,
  projectId: number,
  artifactId: number,
): Promise<void> {
  await getProject(deps.db, actor, projectId, 'deploy');
  const before = await findArtifact(deps.db, projectId, artifactId);
  if (!before) throw notFound('artifact');
  await deps.db.transaction().execute(async (tx) => {
    if ((await deleteIdleArtifact(tx, projectId, artifactId)) === null) {
      throw inUse('A deployment of this artifact is under way. Wait for its end or cancel it; nothing was changed.');
    }
    const was = { name: before.name, version: before.version, sha256: before.sha256 };
    await insertAudit(tx, auditOf(actor, 'artifact.delete', 'artifact', artifactId, { before: was }));
  });
  await rm(path.join(store.folder, before.storedAs), { force: true });
}
