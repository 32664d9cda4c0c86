// The inside of a process of its own: takes one piece of work at a time, does it under the lease of the worker that started it, and
// ends when that worker is gone or fell silent for longer than the lease.
import { Worker } from 'node:worker_threads';
import { messageOf } from '../../lib/errors';
import { createHoldings, type Holding, type Holdings } from '../runner/holdings';
import { perform, type Task } from '../runner/perform';
import type { RunnerDeps } from '../runner/runnerDeps';
import type { FromIsolate, ToIsolate } from './messages';

export type IsolateDeps = Omit<RunnerDeps, 'holdings' | 'isolates' | 'cancelGraceMs'>;

/** Deaf work is ended by the worker, which kills this process. */
const NEVER_MS = 2_147_483_647;

export function serveIsolate(compose: (init: unknown, session: string) => Promise<IsolateDeps>): void {
  const holdings = createHoldings();
  let deps: RunnerDeps | null = null;
  let beatAt = 0;
  // A worker that has just died hears nothing: this process then ends at the disconnect.
  const say = (message: FromIsolate): void => void process.send?.(message, undefined, undefined, () => undefined);

  const begin = async (init: unknown, session: string): Promise<void> => {
    try {
      deps = { ...(await compose(init, session)), holdings, isolates: null, cancelGraceMs: NEVER_MS };
      say({ type: 'ready' });
    } catch (error) {
      say({ type: 'failed', message: messageOf(error) });
    }
  };
  const work = async (task: Task, leaseMs: number): Promise<void> => {
    beatAt = performance.now();
    const holding = holdings.take(task.lease, new AbortController().signal, { cancelAborts: true, restartable: true });
    // The worker is frozen, or its machine cut off: somebody else may have this work by now.
    const watch = setInterval(() => {
      if (performance.now() - beatAt > leaseMs) process.exit(1);
    }, leaseMs / 4);
    let error: string | null = null;
    try {
      if (!deps) throw new Error('work came before its composition');
      const definition = await deps.catalog.get(task.claimed.kind);
      if (!definition) return say({ type: 'unknownKind' });
      await perform(deps, definition, task, holding);
    } catch (thrown) {
      error = messageOf(thrown, 1000);
    } finally {
      clearInterval(watch);
      holding.release();
    }
    say({ type: 'done', error });
  };

  process.on('message', (message: ToIsolate) => {
    if (message.type === 'init') void begin(message.init, message.session);
    else if (message.type === 'work') void work(message.task, message.leaseMs);
    else if (message.type === 'beat') beatAt = performance.now();
    else stopAll(holdings, message.reason);
  });
  process.on('disconnect', () => process.exit(0));
  leaveWithParent();
}

function stopAll(holdings: Holdings, reason: NonNullable<ReturnType<Holding['reason']>>): void {
  for (const holding of holdings.list()) holdings.stop(holding, reason);
}

/** A handler that never yields would not see that the worker is gone; this thread does. */
function leaveWithParent(): void {
  const watch = `const parent = process.ppid;
    setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);`;
  new Worker(watch, { eval: true }).unref();
}
