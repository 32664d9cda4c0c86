// `gantry jobs cancel | requeue | pause | resume | undo`: one command of the API each, then the job that it answers with.
import type { JobDoc } from '../api/contract/jobShapes';
import { printJson, say, withClient, type ClientOptions } from './clientCommand';
import { stateOf } from './jobView';
import { watchJob } from './watchJob';

export type SteerAction = 'cancel' | 'requeue' | 'pause' | 'resume' | 'undo';

export interface SteerOptions extends ClientOptions {
  reason?: string;
  only?: 'failed' | 'unfinished';
  watch?: boolean;
}

export function steer(action: SteerAction, jobId: string, options: SteerOptions): Promise<void> {
  const { reason, only } = options;
  const body = action === 'requeue' ? { only } : action === 'cancel' ? { reason } : {};
  return withClient(options, async (client) => {
    // Undo answers with the job that takes the first one back; the others with the job itself.
    const job = await client.send<JobDoc>('POST', `/jobs/${encodeURIComponent(jobId)}/${action}`, body);
    if (options.watch) {
      if (job.id !== jobId) say(`Started ${job.id}, which takes ${jobId} back.`);
      return watchJob(client, job.id, options);
    }
    if (options.json) return printJson(job);
    if (job.id !== jobId) console.log(job.id);
    say(job.id === jobId ? `${job.title}: ${stateOf(job)}` : `Follow it: gantry jobs watch ${job.id}`);
  });
}
