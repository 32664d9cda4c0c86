// Where artifacts lie and how large one may be, as the configuration says. Used by the routes of artifacts and downloads.
import path from 'node:path';
import type { ArtifactStore } from '../../../jobs/deployments/uploadArtifact';
import type { ApiDeps } from '../../apiDeps';

export function artifactStore({ config }: Pick<ApiDeps, 'config'>): ArtifactStore {
  return { folder: path.join(config.dataDir, 'artifacts'), maxBytes: config.maxUploadBytes };
}
