// Pause: a waiting job rests at once; one over rows rests when the chunks in hand have ended (phase `pausing`).
// Anything else that runs cannot be paused.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import { hasChunkInHand, moveJob, raiseEpoch } from '../../db/queries/moves';
import { pauseRun } from '../../db/queries/settle';
import { GantryError } from '../../lib/errors';
import type { Actor } from '../actor';
import { allowedActions, mayEver, stateAllows } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { statesBefore } from '../lifecycle';
import { forbidden, onJob, stateForbids } from './onJob';

export function pauseJob(deps: CommandDeps, actor: Actor, jobId: string): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, policy } = commanded;
    if (!mayEver(job, 'pause', actor)) throw forbidden('pause');
    if (job.state === 'paused' || (job.state === 'running' && job.phase === 'pausing')) return [];
    if (job.state === 'running' && job.rowTotal === null) {
      throw new GantryError(
        'not_pausable',
        `"${job.kind}" runs through once it has begun, and cannot be paused. Nothing was changed; cancel it instead.`,
        { more: { allowedActions: allowedActions(job, policy, actor) } },
      );
    }
    if (!stateAllows(job, policy, 'pause')) throw stateForbids(commanded, actor, 'pause');

    const states = statesBefore('paused');
    if (!(await moveJob(tx, jobId, job.run, states, { phase: 'pausing', waitingFor: 'user' }))) {
      throw stateForbids(commanded, actor, 'pause');
    }
    await insertEvent(tx, { jobId, run: job.run, type: 'pause_requested', actor });
    await insertAudit(tx, {
      actor,
      action: 'job.pause',
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state },
      after: { state: 'paused' },
    });
    // With no chunk open the run is over, and whoever settles it ends it.
    const isOver = job.rowTotal !== null && job.openChunks === 0;
    if (isOver || (await hasChunkInHand(tx, jobId, job.run))) await insertChange(tx, 'job', jobId, job.ownerId);
    else {
      await pauseRun(tx, jobId, job.run, states);
      // Messages already on their way must not meet the run when it is resumed.
      if (job.rowTotal === null) await raiseEpoch(tx, jobId, job.run);
    }
    return ['gantry_cancel', 'gantry_change', 'gantry_work'];
  });
}
