// How a watched job looks: a progress bar on a terminal, plain lines elsewhere, a JSON document a line with --json.
import { SingleBar } from 'cli-progress';
import type { JobDoc } from '../api/contract/jobShapes';
import { printable, printJson, say } from './clientCommand';

export interface JobView {
  show(job: JobDoc): void;
  /** Takes the bar away, so that words may follow. */
  end(): void;
}

/** Plain lines of progress come no more often than this; a change of state always shows. */
const LINE_MS = 2000;

export function createJobView(json: boolean): JobView {
  if (json) return { show: onChange(printJson), end: () => undefined };
  return process.stderr.isTTY ? createBar() : { show: createLines(), end: () => undefined };
}

function onChange(print: (job: JobDoc) => void): (job: JobDoc) => void {
  let seen = '';
  return (job) => {
    const now = JSON.stringify(job);
    if (now !== seen) print(job);
    seen = now;
  };
}

function createLines(): (job: JobDoc) => void {
  let seen = '';
  let state = '';
  let at = -Infinity;
  return (job) => {
    const line = lineOf(job);
    const isDue = performance.now() - at > LINE_MS;
    if (line === seen || (stateOf(job) === state && !isDue)) return;
    say(line);
    seen = line;
    state = stateOf(job);
    at = performance.now();
  };
}

function createBar(): JobView {
  const bar = new SingleBar({
    format: '[{bar}] {percentage}% | {value} of {total} | {failed} failed | {text}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: false,
    stopOnComplete: false,
    stream: process.stderr,
  });
  let isStarted = false;
  return {
    show: (job) => {
      const { total, done, failed } = job.progress;
      const payload = {
        failed,
        text: [stateOf(job), etaOf(job), printable(job.progress.note ?? '')].filter(Boolean).join(', '),
      };
      if (!isStarted) bar.start(Math.max(total ?? 1, 1), done, payload);
      isStarted = true;
      bar.setTotal(Math.max(total ?? 1, 1));
      bar.update(done, payload);
    },
    end: () => bar.stop(),
  };
}

export function stateOf(job: JobDoc): string {
  const finer = job.phase ?? (job.state === 'paused' ? job.waitingFor : null);
  return finer ? `${job.state} (${finer})` : job.state;
}

function etaOf(job: JobDoc): string {
  const { etaMs } = job.progress;
  return etaMs === null ? '' : `about ${Math.ceil(etaMs / 1000)} s left`;
}

export function countsOf({ progress }: JobDoc): string {
  const { total, done, failed, skipped } = progress;
  if (total === null && done === 0) return '';
  const rows = total === null ? `${done} done` : `${done} of ${total}`;
  return `${rows}, ${failed} failed, ${skipped} skipped`;
}

function lineOf(job: JobDoc): string {
  return [stateOf(job), countsOf(job), etaOf(job), printable(job.progress.note ?? '')].filter(Boolean).join(' | ');
}
