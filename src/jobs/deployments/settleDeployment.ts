// The one way a deployment's own rows end: called by finishRun for jobs of kind `deployment`, in its transaction, whoever ends the
// job (the process itself, a cancel before it began, rescue). So the history never says "under way" of a job that has ended.
import type { Tx } from '../../db/database';
import { listTargets, moveTarget, endOpenSteps } from '../../db/queries/deploymentTargets';
import { lockDeploymentOfJob, markDeploymentEnded } from '../../db/queries/deployments';
import { insertChange } from '../../db/queries/events';
import type { FinalState } from '../lifecycle';
import { runStatusOf } from './runStatus';
import { isSettled } from './targetFlow';

export async function settleDeployment(
  tx: Tx,
  jobId: string,
  outcome: FinalState,
  error: { code: string; message: string } | null,
): Promise<void> {
  const deployment = await lockDeploymentOfJob(tx, jobId);
  if (!deployment || deployment.endedAt) return;
  for (const target of await listTargets(tx, deployment.id)) {
    if (isSettled(target.status)) continue;
    const begun = target.status !== 'pending' && target.status !== 'standby';
    await moveTarget(tx, target.id, [target.status], begun ? 'fail' : 'no_progress', {
      cause: outcome,
      error: begun
        ? `The deployment ended (${outcome}) before "${target.agentName}" said how this ended; what it did is unknown.`
        : `The deployment ended (${outcome}) before this target began.`,
    });
  }
  await endOpenSteps(tx, deployment.id, `The deployment ended (${outcome}) before this step said how it ended.`);
  await markDeploymentEnded(tx, deployment.id, runStatusOf(outcome, error?.code ?? null), error?.message ?? null);
  await insertChange(tx, 'deployment', String(deployment.id), deployment.ownerId);
}
