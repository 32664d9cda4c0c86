// Cancel of a deployment: the job's own cancel, told in the words of deployments. Called by POST /deployments/{id}/cancel.
import type { DeploymentRow } from '../../db/queries/deployments';
import { GantryError } from '../../lib/errors';
import type { Actor } from '../actor';
import type { CommandDeps } from '../commandDeps';
import { cancelJob } from '../commands/cancelJob';

/** @throws GantryError state_forbids once it has ended, forbidden for those who neither started it nor are superadmins. */
export async function cancelDeployment(
  deps: CommandDeps,
  actor: Actor,
  deployment: DeploymentRow,
  input: { reason?: string | undefined },
): Promise<void> {
  if (deployment.accountId !== actor.id && actor.role !== 'superadmin') {
    throw new GantryError(
      'forbidden',
      `Only ${deployment.account}, who started it, or a superadmin may cancel this deployment. Nothing was changed.`,
    );
  }
  // Canceled already is canceled.
  if (deployment.status === 'canceled') return;
  if (deployment.endedAt !== null) {
    throw new GantryError('state_forbids', `This deployment has ended (${deployment.status}). Nothing was changed.`);
  }
  await cancelJob(deps, actor, deployment.jobId, input.reason === undefined ? {} : { reason: input.reason });
}
