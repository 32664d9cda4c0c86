// Gives an agent the bytes of an artifact: only to one that signed this very request, and only what a command of its own names.
// Called by GET /api/v1/agent/artifacts/{id}.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Db } from '../db/database';
import { findAgent } from '../db/queries/agents';
import { findArtifactForAgent } from '../db/queries/artifacts';
import { isDownloadGenuine, readDownloadProof } from '../lib/agentProtocol';
import { GantryError, notFound } from '../lib/errors';

export interface Download {
  size: number;
  body: Readable;
}

/** `url` is the path with query as it was asked for: the signature is over exactly this text. */
export async function openAgentDownload(
  deps: { db: Db; folder: string },
  request: { artifactId: number; headers: IncomingHttpHeaders; url: string },
): Promise<Download> {
  const proof = readDownloadProof(request.headers);
  const agent = proof ? await findAgent(deps.db, proof.agentId) : null;
  if (!proof || !agent || agent.revokedAt || !isDownloadGenuine(proof, request.url, Date.now(), agent.publicKey)) {
    throw new GantryError('not_signed_in', 'This download takes the signature of an enrolled agent, made just now.');
  }
  const artifact = await findArtifactForAgent(deps.db, request.artifactId, agent.id);
  if (!artifact) throw notFound('artifact');
  const file = path.join(deps.folder, artifact.storedAs);
  const found = await stat(file).catch(() => null);
  if (!found || found.size !== artifact.size) {
    throw new GantryError('unavailable', 'The file of this artifact cannot be read right now. Try again in a moment.', {
      retryAfterSeconds: 5,
    });
  }
  return { size: artifact.size, body: createReadStream(file) };
}
