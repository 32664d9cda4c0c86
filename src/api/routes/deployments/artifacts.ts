// Routes of artifacts: streamed upload, list, deletion, and the signed download of agents.
import { pipeline } from 'node:stream/promises';
import { findArtifact, listArtifacts } from '../../../db/queries/artifacts';
import { getProject } from '../../../jobs/deployments/access';
import { deleteArtifact, uploadArtifact } from '../../../jobs/deployments/uploadArtifact';
import { notFound } from '../../../lib/errors';
import { openAgentDownload } from '../../agentDownload';
import * as agentContract from '../../contract/deployments';
import { implement, type Route } from '../../contract/endpoint';
import * as contract from '../../contract/projects';
import { pagedById } from './paged';
import { presentArtifact } from './present';
import { readFilePart } from './readFilePart';
import { artifactStore } from './store';

export const artifactRoutes: Route[] = [
  implement(contract.listArtifacts, async ({ deps, actor, params, query }) => {
    await getProject(deps.db, actor, params.projectId);
    return pagedById(
      query,
      (page) => listArtifacts(deps.db, params.projectId, page),
      (row) => row.id,
      presentArtifact,
    );
  }),
  implement(contract.uploadArtifact, async ({ deps, actor, params, request }) => {
    const row = await readFilePart(request, (file) =>
      uploadArtifact(deps.commands, artifactStore(deps), actor, params.projectId, file),
    );
    return presentArtifact(row);
  }),
  implement(contract.getArtifact, async ({ deps, actor, params }) => {
    await getProject(deps.db, actor, params.projectId);
    const row = await findArtifact(deps.db, params.projectId, params.artifactId);
    if (!row) throw notFound('artifact');
    return presentArtifact(row);
  }),
  implement(contract.deleteArtifact, ({ deps, actor, params }) =>
    deleteArtifact(deps.commands, artifactStore(deps), actor, params.projectId, params.artifactId),
  ),
  implement(agentContract.downloadArtifact, async ({ deps, params, request, response }) => {
    const download = await openAgentDownload(
      { db: deps.db, folder: artifactStore(deps).folder },
      { artifactId: params.artifactId, headers: request.headers, url: request.originalUrl },
    );
    response.type('application/octet-stream').setHeader('Content-Length', download.size);
    // A broken connection ends the read; the agent begins again by itself.
    await pipeline(download.body, response).catch(() => response.destroy());
  }),
];
