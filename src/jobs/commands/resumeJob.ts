// Resume: a paused job waits or runs on. For a job that waited for its trial or limit it is the answer, given once a run;
// the owner may give it.
import { insertAudit } from '../../db/queries/audit';
import { insertChange, insertEvent } from '../../db/queries/events';
import type { JobRow } from '../../db/queries/jobs';
import { markRunResumed, moveJob } from '../../db/queries/moves';
import { insertRunDue } from '../../db/queries/outbox';
import { GantryError } from '../../lib/errors';
import type { Actor } from '../actor';
import { mayEver } from '../allowedActions';
import type { CommandDeps } from '../commandDeps';
import { outboxShape } from './createJob';
import { forbidden, onJob, stateForbids } from './onJob';

export function resumeJob(deps: CommandDeps, actor: Actor, jobId: string): Promise<JobRow> {
  return onJob(deps, actor, jobId, async (commanded) => {
    const { tx, job, definition } = commanded;
    const goesOn = job.state === 'queued' || job.state === 'running';
    // Asked twice: the owner's first answer took away what let him give it.
    if (goesOn && job.phase !== 'pausing' && (job.trialPassed || job.limitPassed)) return [];
    if (!mayEver(job, 'resume', actor)) throw forbidden('resume');
    if (goesOn && job.phase !== 'pausing') return [];
    if (!goesOn && job.state !== 'paused') throw stateForbids(commanded, actor, 'resume');
    if (!definition) {
      throw new GantryError(
        'job_state_forbids',
        `The job kind "${job.kind}" does not exist any more, so the job cannot go on. Nothing was changed; cancel it.`,
        { more: { allowedActions: ['cancel'] } },
      );
    }
    const state = job.startedAt === null ? 'queued' : 'running';
    const moved = await moveJob(tx, jobId, job.run, [job.state], {
      state: job.state === 'paused' ? state : job.state,
      phase: null,
      waitingFor: null,
      ...(job.waitingFor === 'trial' ? { trialPassed: true } : {}),
      ...(job.waitingFor === 'limit' ? { limitPassed: true } : {}),
    });
    if (!moved) throw stateForbids(commanded, actor, 'resume');
    await markRunResumed(tx, jobId, job.run);
    const { run, ownerId, priority } = job;
    await insertRunDue(tx, { jobId, run, ownerId, priority, dueAt: null, ...outboxShape(definition) });
    await insertEvent(tx, { jobId, run, type: 'resumed', actor, data: { waitedFor: job.waitingFor } });
    await insertAudit(tx, {
      actor,
      action: 'job.resume',
      subjectType: 'job',
      subjectId: jobId,
      before: { state: job.state, waitingFor: job.waitingFor },
      after: { state },
    });
    await insertChange(tx, 'job', jobId, ownerId);
    return ['gantry_work', 'gantry_change'];
  });
}
