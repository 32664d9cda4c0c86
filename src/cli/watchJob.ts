// Follows a job until it ends or waits for a decision. Changes come by the event stream; it asks by time besides, so that a
// stream that cannot be had delays nothing for long. Ctrl-C lets go of the job and never cancels it.
import type { JobDoc } from '../api/contract/jobShapes';
import { pause } from '../lib/abort';
import type { ApiClient } from './apiClient';
import { printable, say, withClient, type ClientOptions } from './clientCommand';
import { CliError, EXIT, exitCodeOf } from './exitCodes';
import { followStream } from './followStream';
import { countsOf, createJobView, stateOf } from './jobView';
import { listenForEnd } from './untilSignal';

const POLL_MS = 1000;
const POLL_BESIDE_STREAM_MS = 4000;
/** How long a server that answered before may be away. */
const PATIENCE_MS = 60_000;

export function watch(jobId: string, options: ClientOptions): Promise<void> {
  return withClient(options, (client) => watchJob(client, jobId, options));
}

/** Sets the exit code by how it ended. */
export async function watchJob(client: ApiClient, jobId: string, options: ClientOptions): Promise<void> {
  const end = listenForEnd(() => undefined);
  const stopping = new AbortController();
  const signal = AbortSignal.any([end.signal, stopping.signal]);
  const view = createJobView(options.json ?? false);
  let changed = new AbortController();
  const stream = followStream(client, jobId, () => changed.abort(), signal);
  try {
    const seen = await followed(client, jobId, signal, {
      show: view.show,
      // A change that comes while the answer is on its way is not missed: from here on it ends the next wait.
      beforeAsking: () => (changed = new AbortController()),
      untilChange: () =>
        pause(stream.isOpen() ? POLL_BESIDE_STREAM_MS : POLL_MS, AbortSignal.any([signal, changed.signal])),
    });
    view.end();
    if (!seen) {
      say(
        `\nNo longer watching; job ${jobId} goes on.\n  follow it again  gantry jobs watch ${jobId}\n  stop it          gantry jobs cancel ${jobId}`,
      );
      process.exitCode = EXIT.detached;
      return;
    }
    say(summaryOf(seen.job));
    process.exitCode = seen.exitCode;
  } finally {
    view.end();
    stopping.abort();
    end.release();
  }
}

interface Eyes {
  show(job: JobDoc): void;
  beforeAsking(): void;
  untilChange(): Promise<void>;
}

/** Null: let go of by the signal. */
async function followed(
  client: ApiClient,
  jobId: string,
  signal: AbortSignal,
  eyes: Eyes,
): Promise<{ job: JobDoc; exitCode: number } | null> {
  let lastAnswerAt: number | null = null;
  let isAway = false;
  while (!signal.aborted) {
    eyes.beforeAsking();
    try {
      const job = await client.get<JobDoc>(`/jobs/${encodeURIComponent(jobId)}`);
      lastAnswerAt = performance.now();
      isAway = false;
      eyes.show(job);
      const exitCode = exitCodeOf(job.state);
      if (exitCode !== null) return { job, exitCode };
    } catch (error) {
      const mayWait = error instanceof CliError && error.exitCode === EXIT.unreachable && lastAnswerAt !== null;
      if (!mayWait || performance.now() - (lastAnswerAt ?? 0) > PATIENCE_MS) throw error;
      if (!isAway) say('The server does not answer; the job is safe. Asking again …');
      isAway = true;
    }
    await eyes.untilChange();
  }
  return null;
}

function summaryOf(job: JobDoc): string {
  const took = job.processMs === null ? '' : ` after ${(job.processMs / 1000).toFixed(1)} s`;
  const counts = countsOf(job);
  const lines = [`${job.title}: ${stateOf(job)}${took}${counts ? `, ${counts}` : ''}`];
  if (job.error) lines.push(`  ${job.error.code}: ${job.error.message}`);
  if (job.progress.failed > 0) lines.push(`  the failed rows  gantry jobs errors ${job.id}`);
  if (job.state === 'paused') {
    lines.push(`  go on            gantry jobs resume ${job.id} --watch`);
    lines.push(`  stop it          gantry jobs cancel ${job.id}`);
  }
  return lines.map(printable).join('\n');
}
